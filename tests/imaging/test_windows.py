"""Each window of SSIM gives what the library or script gives that it is named after."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.signal import convolve2d
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.protocol import score_pair
from sr_bench.errors import MetricError
from sr_bench.imaging.windows import WINDOWS, windowed_ssim

RNG = np.random.default_rng(3)
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5}
LINE = cv2.getGaussianKernel(11, 1.5)


def pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    coarse = RNG.integers(0, 256, (height // 9, width // 9, 3)).astype(np.uint8)
    hr = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = RNG.integers(-15, 16, hr.shape)
    return np.clip(hr.astype(int) * 0.95 + noise, 0, 255).astype(np.uint8), hr


def skimage(x: np.ndarray, y: np.ndarray, **options: object) -> float:
    x, y = x.astype(float), y.astype(float)
    return float(structural_similarity(x, y, channel_axis=2, data_range=255.0, **options))


def plainly(x: np.ndarray, y: np.ndarray, filtered, crop: int = 0, sample: float = 1.0) -> float:
    """Return SSIM with any filter of one plane, as the formula is written."""
    values = []
    inside = slice(crop, -crop or None)
    for channel in range(x.shape[-1]):
        a, b = x[..., channel].astype(float), y[..., channel].astype(float)
        ma, mb = filtered(a), filtered(b)
        va, vb = sample * (filtered(a * a) - ma**2), sample * (filtered(b * b) - mb**2)
        c = sample * (filtered(a * b) - ma * mb)
        top = (2 * ma * mb + 6.5025) * (2 * c + 58.5225)
        similarity = top / ((ma**2 + mb**2 + 6.5025) * (va + vb + 58.5225))
        values.append(np.mean(similarity[inside, inside]))
    return float(np.mean(values))


def uniform(side: int):
    window = np.full((side, side), 1 / side**2)
    return lambda x, y: plainly(x, y, lambda plane: convolve2d(plane, window, mode="valid"))


def blurred(border: int):
    return lambda x, y: plainly(
        x, y, lambda plane: cv2.GaussianBlur(plane, (11, 11), 1.5, borderType=border)
    )


def of_13_taps(sample: float):
    """As scikit-image 0.14: SciPy's Gaussian of four standard deviations, five pixels cut off."""
    return lambda x, y: plainly(x, y, lambda plane: gaussian_filter(plane, 1.5), 5, sample)


def in_blocks(x: np.ndarray, y: np.ndarray, side: int = 3) -> float:
    rows, columns = (length // side * side for length in x.shape[:2])
    small = (
        block_reduce(image[:rows, :columns].astype(float), (side, side, 1), np.mean)
        for image in (x, y)
    )
    return skimage(*small, **GAUSSIAN, use_sample_covariance=False)


def sampled(x: np.ndarray, y: np.ndarray, side: int = 3) -> float:
    means = (
        uniform_filter(image.astype(float), (side, side, 1), mode="reflect") for image in (x, y)
    )
    return skimage(*(m[::side, ::side] for m in means), **GAUSSIAN, use_sample_covariance=False)


ORACLES = {
    "gaussian": lambda x, y: skimage(x, y, **GAUSSIAN, use_sample_covariance=False),
    "gaussian_sample": lambda x, y: skimage(x, y, **GAUSSIAN),
    "gaussian13": of_13_taps(1.0),
    "gaussian13_sample": of_13_taps(121 / 120),
    "gaussian_replicate": blurred(cv2.BORDER_REPLICATE),
    "gaussian_mirror": blurred(cv2.BORDER_REFLECT_101),
    "gaussian5_mirror": lambda x, y: plainly(
        x, y, lambda plane: cv2.GaussianBlur(plane, (5, 5), 1.5, borderType=cv2.BORDER_REFLECT_101)
    ),
    "gaussian_zero": lambda x, y: plainly(
        x, y, lambda plane: convolve2d(plane, LINE @ LINE.T, mode="same")
    ),
    "gaussian_3d": lambda x, y: plainly(
        x[..., np.newaxis],
        y[..., np.newaxis],
        lambda image: gaussian_filter(image, 1.5, mode="nearest", radius=5),
    ),
    "gaussian_pooled": in_blocks,
    "gaussian_lowpass": sampled,
    "uniform7": skimage,
    "uniform7_population": lambda x, y: skimage(x, y, use_sample_covariance=False),
    "uniform8": uniform(8),
    "uniform11": uniform(11),
    "uniform11_sample": lambda x, y: skimage(x, y, win_size=11),
}
SMALL, LARGE = pair(40, 47), pair(650, 660)


@pytest.mark.parametrize("window", WINDOWS)
def test_each_window_is_that_of_its_library(window: str) -> None:
    large = WINDOWS[window].smaller is not None
    x, y = LARGE if large else SMALL
    rule = EvalProtocol("p", ssim_window=window)
    assert score_pair(x, y, rule, 2, ("ssim",))["ssim"] == pytest.approx(
        ORACLES[window](x, y), abs=1e-6 if window == "gaussian" else 1e-9
    )


def test_windows_differ_but_for_those_that_only_make_large_images_smaller() -> None:
    values = {window: windowed_ssim(*SMALL, window, 255.0) for window in WINDOWS}
    assert values["gaussian_pooled"] == values["gaussian_lowpass"] == values["gaussian"]
    assert len({round(value, 7) for value in values.values()}) == len(WINDOWS) - 2


def test_the_window_is_that_of_y_and_rgb_too_and_of_no_other_metric() -> None:
    usual, other = EvalProtocol("p"), EvalProtocol("p", ssim_window="uniform8")
    for name in ("ssim_y", "ssim_rgb"):
        scores = [score_pair(*SMALL, rule, 2, (name,))[name] for rule in (usual, other)]
        assert abs(scores[0] - scores[1]) > 1e-4
    same = [score_pair(*SMALL, rule, 2, ("psnr", "mae")) for rule in (usual, other)]
    assert same[0] == same[1]


def test_identical_images_are_1_by_each_window_and_small_ones_are_refused() -> None:
    for window in WINDOWS:
        assert windowed_ssim(SMALL[1], SMALL[1], window, 255.0) == pytest.approx(1.0, abs=1e-12)
    rule = EvalProtocol("p", ssim_window="uniform7")
    with pytest.raises(MetricError, match="13x13"):
        score_pair(SMALL[0][:12], SMALL[1][:12], rule, 2, ("ssim",))
