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


YY, XX = np.mgrid[0:96, 0:80].astype(np.float32)
PHOTO = np.stack(
    [0.5 + 0.2 * np.sin(XX / (3 + c)) + 0.2 * np.cos((YY + XX / 3) / (4 - c)) for c in range(3)]
)[None].astype(np.float32)
FINE = RNG.normal(0, 2e-3, PHOTO.shape).astype(np.float32)


def _photo_signs(low: np.ndarray) -> list[str]:
    small = PHOTO[..., ::2, ::2]
    return list(
        signs(low.astype(np.float32), PHOTO, small, lambda lr: np.roll(PHOTO, 9, 2), white=1.0)
    )


def test_plain_noise_on_a_photograph_has_no_sign() -> None:
    assert _photo_signs(PHOTO + FINE) == []


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ((PHOTO + np.roll(PHOTO, 1, 3)) / 2, "0.50 px right in the output"),
        (0.75 * PHOTO + 0.25 * np.roll(PHOTO, -1, 2), "0.25 px up in the output"),
        (np.roll(PHOTO, (2, -1), (2, 3)), "1.00 px left and 2.00 px down in the output"),
    ],
)
def test_a_shift_is_told_to_the_fraction_of_a_pixel(moved: np.ndarray, words: str) -> None:
    (sign,) = _photo_signs(moved + FINE)
    assert words in sign


def test_seams_are_told_with_their_distance() -> None:
    low = PHOTO + FINE
    low[..., 16::16] += 0.02
    (sign,) = _photo_signs(low)
    assert "columns 16, 32, 48, 64 of the output, one every 16 px" in sign
    low = PHOTO + FINE
    low[..., 40, :] += 0.02
    (sign,) = _photo_signs(low)
    assert "in row 40 of the output" in sign


def test_a_limit_that_fp32_passes_is_told() -> None:
    sign, *_ = _photo_signs(np.minimum(PHOTO + FINE, 0.8))
    assert sign.startswith("the output is clipped above 204.0 of 255 levels: ")


def test_a_gain_is_told_apart_from_an_offset() -> None:
    (sign,) = _photo_signs(0.98 * PHOTO + FINE)
    assert sign.startswith("most of the error is a gain of the channels, by 0.980")


def test_floor_of_the_output_is_told_from_a_plain_offset() -> None:
    sign, _ = _photo_signs(np.floor(PHOTO * 255) / 255)
    assert sign.endswith("off: they were cut off (floor) where rounding was due")
    (sign,) = _photo_signs(np.rint(PHOTO * 255) / 255)
    assert "the output holds whole levels of 255 only" in sign
    assert "floor" not in sign


def test_sub_pixels_in_another_order_are_told() -> None:
    # Grain, as the sub-pixels of a smooth picture are all alike.
    grain = PHOTO + RNG.normal(0, 0.2, PHOTO.shape).astype(np.float32)
    flipped = grain.reshape(1, 3, 48, 2, 40, 2)[:, :, :, ::-1].reshape(PHOTO.shape)
    (sign,) = signs(flipped, grain, PHOTO[..., ::2, ::2], lambda _: PHOTO, white=1.0)
    assert sign.startswith("the order of the last PixelShuffle: the sub-pixels of each channel")


def test_channels_in_another_order_are_told() -> None:
    (sign,) = _photo_signs(PHOTO[:, [1, 2, 0]] + FINE)
    assert sign.startswith("the output's channels are out of order: 12 of 12 planes")
