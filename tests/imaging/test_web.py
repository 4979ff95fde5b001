"""Images for web pages keep their values, and the worst window is the worst one."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sr_bench.errors import ImageError
from sr_bench.imaging.web import lossless_webp, thumbnail_webp, to_8bit, worst_window

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def decoded(data: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), -1), cv2.COLOR_BGR2RGB)


def test_a_lossless_file_decodes_to_the_same_values() -> None:
    assert_array_equal(decoded(lossless_webp(NOISE)), NOISE)


@pytest.mark.parametrize(("side", "shape"), [(30, (20, 30)), (100, (40, 60)), (1, (1, 1))])
def test_a_thumbnail_fits_and_is_never_enlarged(side: int, shape: tuple[int, int]) -> None:
    assert decoded(thumbnail_webp(NOISE, side)).shape[:2] == shape


def test_deep_levels_are_rounded_not_cut() -> None:
    levels = np.array([[[0.5, 1.5, 254.6], [-3.0, 300.0, 7.49]]], np.float32)
    assert to_8bit(levels).tolist() == [[[0, 2, 255], [0, 255, 7]]]


def test_the_worst_window_is_found_by_trying_all_of_them() -> None:
    other = NOISE[::-1].copy()
    error = np.square(NOISE.astype(float) - other).mean(axis=2)
    tried = {
        (top, left): error[top : top + 9, left : left + 9].mean()
        for top in range(40 - 8)
        for left in range(60 - 8)
    }
    window = worst_window(NOISE, other, 9)
    assert (window.height, window.width) == (9, 9)
    assert window.mse == pytest.approx(max(tried.values()), rel=1e-5)
    assert tried[window.top, window.left] == pytest.approx(max(tried.values()), rel=1e-6)


def test_a_window_at_the_far_corner_is_found() -> None:
    other = NOISE.copy()
    other[-9:, -9:] ^= 255
    window = worst_window(NOISE, other, 9)
    assert (window.top, window.left) == (31, 51)


def test_an_image_smaller_than_the_window_is_the_window() -> None:
    window = worst_window(NOISE, NOISE, 64)
    assert (window.top, window.left, window.height, window.width) == (0, 0, 40, 60)
    assert window.mse == 0


def test_8_bits_compare_with_16() -> None:
    assert worst_window(NOISE, NOISE.astype(np.float32) + np.float32(0.5), 9).mse == 0.25


def test_images_of_different_sizes_are_refused_with_both() -> None:
    with pytest.raises(ImageError, match=r"\(40, 60\) and \(39, 60\)"):
        worst_window(NOISE, NOISE[1:], 9)
