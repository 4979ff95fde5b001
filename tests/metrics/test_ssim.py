"""SSIM: the definition against scikit-image, the fast path against the definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.metrics import structural_similarity

from sr_bench.errors import MetricError
from sr_bench.imaging.filters import gaussian_valid
from sr_bench.metrics import _ssim, ssim

RNG = np.random.default_rng(3)
NOISE = RNG.integers(0, 256, (2, 60, 70, 3), dtype=np.uint8)
PHOTO = np.ascontiguousarray(np.hstack([data.astronaut()[:300]] * 2)[:, :700])
BLURRED = np.pad(gaussian_valid(PHOTO.astype(float)), ((5, 5), (5, 5), (0, 0)), "edge")
DEGRADED = np.rint(BLURRED).astype(np.uint8)


def oracle(sr: np.ndarray, hr: np.ndarray, data_range: float = 255.0) -> float:
    return structural_similarity(
        sr.astype(float),
        hr.astype(float),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=data_range,
        channel_axis=2,
    )


PAIRS = {
    "noise": NOISE,
    "photo": (DEGRADED, PHOTO),
    "float photo": (BLURRED, PHOTO.astype(float)),
    "one channel": (DEGRADED[..., :1], PHOTO[..., :1]),
    "smallest": NOISE[:, :11, :11],
    "one tile and a pixel": (DEGRADED[:139, :523], PHOTO[:139, :523]),
    "inverted": (255 - PHOTO, PHOTO),
    "black and white": (np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_definition_agrees_with_scikit_image(name: str) -> None:
    assert _ssim.ssim_float64(*PAIRS[name]) == pytest.approx(oracle(*PAIRS[name]), abs=1e-9)


@pytest.mark.parametrize("name", PAIRS)
def test_the_fast_path_stays_within_1e6_of_scikit_image(name: str) -> None:
    assert ssim.score(*PAIRS[name]) == pytest.approx(oracle(*PAIRS[name]), abs=1e-6)


@pytest.mark.parametrize("score", [ssim.score, _ssim.ssim_float64])
def test_identical_images_score_one(score) -> None:
    for image in (PHOTO, BLURRED, np.zeros_like(PHOTO), np.full_like(PHOTO, 255)):
        assert score(image, image.copy()) == 1.0


@pytest.mark.parametrize("score", [ssim.score, _ssim.ssim_float64])
def test_constant_images_differ_by_the_luminance_term_alone(score) -> None:
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 180 + c1) / (100**2 + 180**2 + c1)
    flat = np.full((200, 300, 3), 100, np.uint8)
    assert score(flat, flat + 80) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("score", [ssim.score, _ssim.ssim_float64])
def test_the_data_range_is_the_white_level(score) -> None:
    unit = score(DEGRADED / 255.0, PHOTO / 255.0, data_range=1.0)
    assert unit == pytest.approx(score(DEGRADED, PHOTO), abs=1e-6)


def test_the_number_of_threads_changes_no_bit() -> None:
    assert ssim.score(DEGRADED, PHOTO) == ssim.score(DEGRADED, PHOTO, threads=3)


def test_views_and_mixed_types_score_as_copies() -> None:
    sr, hr = DEGRADED[::2, 3:-3], PHOTO[::2, 3:-3]
    expected = _ssim.ssim_float64(sr.copy(), hr.copy())
    assert ssim.score(sr, hr.astype(np.float32)) == pytest.approx(expected, abs=1e-6)


def two_levels(low: int, high: int, block: int, height: int, width: int) -> np.ndarray:
    rows, columns = np.indices((height, width)) // block
    return np.where((rows + columns) % 2, low, high)[..., None].repeat(3, axis=2)


def test_opposed_noise_on_two_levels_needs_and_gets_double_precision(monkeypatch) -> None:
    base = two_levels(10, 240, 125, 400, 400)
    noise = np.random.default_rng(1).integers(-6, 7, base.shape)
    pair = (base + noise).astype(np.uint8), (base - noise).astype(np.uint8)
    exact = _ssim.ssim_float64(*pair)
    assert ssim.score(*pair) == pytest.approx(exact, abs=1e-9)
    monkeypatch.setattr(_ssim, "_LARGEST_ERROR", math.inf)
    assert abs(ssim.score(*pair) - exact) > 1e-6


PATTERNS = ("none", "noise", "sparse", "stripes", "checks", "gradient")


def pattern(kind: str, amplitude: float, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    rng, (rows, columns, _) = np.random.default_rng(seed), np.indices(shape)
    return (
        amplitude
        * {
            "none": np.zeros(shape),
            "noise": rng.uniform(-1, 1, shape),
            "sparse": (rng.random(shape) < 0.003) * 8.0,
            "stripes": (columns + seed) // 2 % 2 * 2.0 - 1,
            "checks": (rows + columns + seed) % 2 * 2.0 - 1,
            "gradient": rows / 10.0,
        }[kind]
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    levels=st.tuples(st.integers(0, 255), st.integers(0, 255)),
    block=st.integers(1, 200),
    size=st.tuples(st.integers(11, 300), st.integers(11, 300)),
    kinds=st.tuples(st.sampled_from(PATTERNS), st.sampled_from(PATTERNS)),
    amplitudes=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    seed=st.integers(0, 9),
)
def test_the_fast_path_stays_within_1e6_of_the_definition(
    levels, block, size, kinds, amplitudes, dtype, seed
) -> None:
    base = two_levels(*levels, block, *size).astype(float)
    sr = base + pattern(kinds[0], amplitudes[0], base.shape, seed)
    hr = base + pattern(kinds[1], amplitudes[1], base.shape, seed)
    if dtype is np.uint8:
        sr, hr = (np.clip(np.rint(image), 0, 255) for image in (sr, hr))
    pair = sr.astype(dtype), hr.astype(dtype)
    assert ssim.score(*pair) == pytest.approx(_ssim.ssim_float64(*pair), abs=1e-6)


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("offset", [1e3, 1e4])
def test_values_far_out_of_range_still_agree_with_the_definition(offset, factor) -> None:
    sr, hr = factor * (DEGRADED + offset), PHOTO + offset * (factor - 1)
    assert ssim.score(sr, hr) == pytest.approx(_ssim.ssim_float64(sr, hr), abs=1e-6)


@pytest.mark.parametrize("factor", [1e7, 4e7, 1e9])
def test_single_precision_overflow_is_computed_again(factor: float) -> None:
    sr, hr = NOISE * factor
    assert ssim.score(sr, hr) == pytest.approx(_ssim.ssim_float64(sr, hr), abs=1e-6)


@pytest.mark.parametrize("score", [ssim.score, _ssim.ssim_float64])
@pytest.mark.parametrize(
    ("sr", "hr", "message"),
    [
        (NOISE[0, :10], NOISE[1, :10], "at least 11x11 pixels, got 10x70"),
        (NOISE[0, :, :10], NOISE[1, :, :10], "at least 11x11 pixels, got 60x10"),
        (NOISE[0], NOISE[1, 1:], "one shape, got SR"),
        (NOISE[0] * np.float32("nan"), NOISE[1], "SR holds 12600 values that are NaN"),
        (np.zeros((20, 20, 3)), np.full((20, 20, 3), -1e200), "got HR values from -1e"),
    ],
)
def test_a_pair_without_a_score_is_refused(score, sr, hr, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        score(sr, hr)
