"""PSNR against the formula, scikit-image and hand-computed values."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.errors import MetricError
from sr_bench.metrics import psnr

RNG = np.random.default_rng(2)
SR, HR = RNG.integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_it_agrees_with_scikit_image(dtype: type) -> None:
    expected = peak_signal_noise_ratio(HR.astype(float), SR.astype(float), data_range=255)
    assert psnr.score(SR.astype(dtype), HR.astype(dtype)) == pytest.approx(expected, abs=1e-12)


def test_one_level_everywhere_is_48_13_db() -> None:
    flat = np.full((8, 8, 3), 100, np.uint8)
    assert psnr.score(flat, flat + 1) == pytest.approx(20 * math.log10(255), abs=1e-12)


def test_black_against_white_is_0_db() -> None:
    black = np.zeros((8, 8, 1), np.uint8)
    assert psnr.score(black, black + 255) == 0.0


def test_mixed_types_are_compared_in_double_precision() -> None:
    sr = HR.astype(np.float32) + np.float32(1e-4)
    mse = np.mean((sr.astype(np.float64) - HR) ** 2)
    assert psnr.score(sr, HR) == pytest.approx(10 * math.log10(255**2 / mse), abs=1e-9)


def test_identical_images_score_infinity() -> None:
    assert psnr.score(HR, HR) == math.inf
    assert psnr.score(HR / 255.0, HR / 255.0, data_range=1.0) == math.inf


def test_the_data_range_is_the_white_level() -> None:
    scaled = psnr.score(SR / 255.0, HR / 255.0, data_range=1.0)
    assert scaled == pytest.approx(psnr.score(SR, HR), abs=1e-9)


def test_a_cropped_view_scores_as_its_copy() -> None:
    views = SR[3:-3, 3:-3], HR[3:-3, 3:-3]
    assert psnr.score(*views) == psnr.score(*(view.copy() for view in views))


def test_a_full_hd_pair_of_extremes_is_summed_exactly() -> None:
    black = np.zeros((1080, 1920, 3), np.uint8)
    white = np.full_like(black, 255)
    white[0, 0, 0] = 254
    mse = 255**2 - (255**2 - 254**2) / black.size
    assert psnr.score(black, white) == 10 * math.log10(255**2 / mse)


@pytest.mark.parametrize(
    ("sr", "hr", "message"),
    [
        (SR, HR[:-1], r"one shape, got SR \(40, 50, 3\) and HR \(39, 50, 3\)"),
        (SR, HR[..., :1], r"one shape, got SR \(40, 50, 3\) and HR \(40, 50, 1\)"),
        (SR[..., 0], HR[..., 0], r"HxWxC with 1 to 4 channels, got \(40, 50\)"),
        (SR[:0], HR[:0], "at least 1x1 pixels, got 0x50"),
        (SR.astype(np.int32), HR, "SR as uint8 or floating point, got int32"),
        (SR * np.float32("nan"), HR, "SR holds 6000 values that are NaN or infinite"),
        (SR, np.where(HR > 300, 0.0, np.inf), "HR holds 6000 values"),
        (np.full(HR.shape, 1e300), HR, "expected levels, got SR values from 1e"),
    ],
)
def test_a_pair_without_a_score_is_refused(sr: np.ndarray, hr: np.ndarray, message: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(MetricError, match=message):
        psnr.score(sr, hr)
