"""Signs: an error that has a well-known cause is recognised by its looks."""

import numpy as np
import pytest

from sr_bench.engine.explain.signs import signs

RNG = np.random.default_rng(2)
LR = RNG.uniform(0, 1, (1, 3, 20, 24)).astype(np.float32)


def _compute(lr: np.ndarray) -> np.ndarray:
    """Each output channel is another mix of the input's."""
    mix = np.array([[0.8, 0.2, 0.0], [0.1, 0.7, 0.1], [0.0, 0.3, 0.5]], np.float32)
    return np.einsum("oc,nchw->nohw", mix, lr).repeat(2, 2).repeat(2, 3)


REFERENCE = _compute(LR)
NOISE = RNG.normal(0, 1e-3, REFERENCE.shape).astype(np.float32)


def _signs(low: np.ndarray) -> list[str]:
    return list(signs(low.astype(np.float32), REFERENCE, LR, _compute, white=1.0))


def test_plain_noise_has_no_sign() -> None:
    assert _signs(REFERENCE + NOISE) == []


@pytest.mark.parametrize(
    ("low", "where"),
    [
        (_compute(LR[:, ::-1]) + NOISE, "in its input:"),
        (REFERENCE[:, ::-1] + NOISE, "in its output:"),
        (_compute(LR[:, ::-1])[:, ::-1] + NOISE, "in its input and output:"),
    ],
)
def test_swapped_channels_are_reported(low: np.ndarray, where: str) -> None:
    (sign,) = _signs(low)
    assert sign.startswith(f"the low precision takes BGR for RGB {where}")


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_an_error_at_the_border_is_reported_with_its_depth(depth: int) -> None:
    error = np.ones_like(REFERENCE)
    error[..., depth:-depth, depth:-depth] = 0
    (sign,) = _signs(REFERENCE + NOISE + error * RNG.normal(0, 0.05, error.shape))
    assert sign.startswith(f"the error is in the outer {depth} px: the border ring is at ")


def test_an_offset_is_reported_in_levels() -> None:
    shift = np.array([1, -2, 0.5]).reshape(1, 3, 1, 1) / 255
    (sign,) = _signs(REFERENCE + NOISE / 1000 + shift)
    levels = "+1.00, -2.00, +0.50 of 255 levels"
    assert sign == f"most of the error is an offset of the channels, by {levels}"
