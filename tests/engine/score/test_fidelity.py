"""Fidelity against the metric, masks and hand-computed values; the ring apart from the inside."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.core.int8 import RING_PX
from sr_bench.engine.score.fidelity import Fidelity, fidelity
from sr_bench.errors import MetricError

RNG = np.random.default_rng(5)
REFERENCE = RNG.random((1, 3, 30, 41), dtype=np.float32)
LOW = REFERENCE + RNG.normal(0, 0.01, REFERENCE.shape).astype(np.float32)


def masked(low: np.ndarray, reference: np.ndarray, white: float) -> Fidelity:
    """Return the fidelity by a mask over each pixel: another way to the same numbers."""
    height, width = low.shape[2:]
    rows, columns = np.mgrid[:height, :width]
    edge = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    errors = (low.astype(np.float64) - reference) ** 2
    parts = (edge >= 0, edge >= RING_PX, edge < RING_PX)
    return Fidelity(*(10 * math.log10(white**2 / errors[..., part].mean()) for part in parts))


def values(result: Fidelity) -> tuple[float, float, float]:
    return (result.all_db, result.inside_db, result.ring_db)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_it_agrees_with_a_mask(white: float) -> None:
    result = fidelity(LOW, REFERENCE, white=white)
    expected = masked(LOW, REFERENCE, white)
    assert values(result) == pytest.approx(values(expected), abs=1e-10)


def test_all_pixels_agree_with_scikit_image() -> None:
    pair = (REFERENCE.astype(np.float64), LOW.astype(np.float64))
    expected = peak_signal_noise_ratio(*pair, data_range=255)
    assert fidelity(LOW, REFERENCE, white=255.0).all_db == pytest.approx(expected, abs=1e-10)


def test_equal_outputs_are_infinitely_faithful() -> None:
    result = fidelity(REFERENCE, REFERENCE.copy(), white=1.0)
    assert result == Fidelity(math.inf, math.inf, math.inf)


@pytest.mark.parametrize("spot", [(0, 20), (29, 20), (15, 0), (15, 40), (3, 3), (26, 37)])
def test_an_error_at_the_border_is_the_rings_alone(spot: tuple[int, int]) -> None:
    low = REFERENCE.copy()
    low[0, :, spot[0], spot[1]] += 0.5
    result = fidelity(low, REFERENCE, white=1.0)
    assert result.inside_db == math.inf
    assert result.ring_db < result.all_db < math.inf


@pytest.mark.parametrize("spot", [(4, 4), (25, 36), (15, 20)])
def test_an_error_inside_leaves_the_ring_untouched(spot: tuple[int, int]) -> None:
    low = REFERENCE.copy()
    low[0, :, spot[0], spot[1]] += 0.5
    result = fidelity(low, REFERENCE, white=1.0)
    assert result.ring_db == math.inf
    assert result.inside_db < result.all_db < math.inf


def test_a_ring_that_is_equal_is_so_whatever_the_sum_of_the_inside() -> None:
    reference = np.zeros((1, 3, 100, 101), np.float32)
    low = reference.copy()
    low[..., 4:-4, 4:-4] = RNG.normal(0, 0.01, (1, 3, 92, 93))
    result = fidelity(low, reference, white=1.0)
    assert result.ring_db == math.inf
    assert result.inside_db == pytest.approx(40, abs=0.1)


def test_every_image_of_a_batch_and_every_channel_counts() -> None:
    reference = np.zeros((2, 3, 20, 20), np.float32)
    low = reference.copy()
    low[1, 2] = 0.1
    expected = 10 * math.log10(6 / 0.1**2)
    assert values(fidelity(low, reference, white=1.0)) == pytest.approx([expected] * 3, abs=1e-6)


@pytest.mark.parametrize("shape", [(8, 30), (30, 8), (3, 3), (1, 1)])
def test_an_image_of_two_rings_is_all_ring(shape: tuple[int, int]) -> None:
    reference = np.zeros((1, 1, *shape), np.float32)
    result = fidelity(reference + np.float32(0.25), reference, white=1.0)
    assert values(result) == pytest.approx([20 * math.log10(4)] * 3)


def test_the_smallest_inside_is_one_pixel() -> None:
    reference = np.zeros((1, 1, 9, 9), np.float32)
    low = reference.copy()
    low[0, 0, 4, 4] = 1
    result = fidelity(low, reference, white=1.0)
    assert result == Fidelity(10 * math.log10(81), 0.0, math.inf)


def test_neither_the_difference_nor_the_sum_is_rounded_to_float32() -> None:
    reference = np.full((1, 1, 1000, 1000), 2.0**24, np.float32)
    low = np.full_like(reference, 0.375)
    exact = (2.0**24 - 0.375) ** 2
    result = fidelity(low, reference, white=2.0**24)
    assert result.all_db == pytest.approx(10 * math.log10(2.0**48 / exact), abs=1e-12)


def test_the_outputs_are_left_as_they_are() -> None:
    low, reference = LOW.copy(), REFERENCE.copy()
    fidelity(low, reference, white=1.0)
    assert np.array_equal(low, LOW)
    assert np.array_equal(reference, REFERENCE)


def spoilt(value: float) -> np.ndarray:
    array = REFERENCE.copy()
    array[0, 1, 2, 3] = value
    return array


@pytest.mark.parametrize(
    ("low", "reference", "message"),
    [
        (LOW[..., 1:], REFERENCE, r"got \(1, 3, 30, 40\) in low precision and \(1, 3, 30, 41\)"),
        (LOW[0], REFERENCE[0], r"N x C x H x W, got \(3, 30, 41\)"),
        (LOW[:, :, :0], REFERENCE[:, :, :0], r"got \(1, 3, 0, 41\)"),
        (spoilt(math.nan), REFERENCE, "1 values of the low-precision one are NaN or infinite"),
        (LOW, spoilt(math.inf), "1 values of the fp32 one are NaN or infinite"),
        (spoilt(math.inf), spoilt(math.inf), "1 values of the low-precision one"),
    ],
)
def test_what_has_no_fidelity_is_refused(
    low: np.ndarray, reference: np.ndarray, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        fidelity(low, reference, white=1.0)


@pytest.mark.parametrize("white", [0.0, -1.0, math.nan])
def test_a_white_level_is_above_zero(white: float) -> None:
    with pytest.raises(MetricError, match="a white level above 0, got"):
        fidelity(LOW, REFERENCE, white=white)
