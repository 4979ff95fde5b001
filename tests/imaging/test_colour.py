"""Luma against hand-computed values, and against the libraries that others are named after."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from skimage.color import rgb2gray

from sr_bench.errors import ImageError
from sr_bench.imaging.colour import COLOURS, y_edsr, y_float, y_rounded


@pytest.mark.parametrize(
    ("rgb", "luma"),
    [
        ((0, 0, 0), 16.0),
        ((255, 255, 255), 235.0),
        ((255, 0, 0), 81.481),
        ((0, 255, 0), 144.553),
        ((0, 0, 255), 40.966),
    ],
)
def test_float_luma_is_bt601_studio_range(rgb: tuple[int, ...], luma: float) -> None:
    pixel = np.array([[rgb]], np.uint8)
    assert y_float(pixel).item() == pytest.approx(luma, abs=1e-12)
    assert y_rounded(pixel).item() == round(luma)


def test_rounded_luma_is_exact_and_rounds_halves_up() -> None:
    rgb = np.stack(np.meshgrid(*[np.arange(0, 256, 3)] * 3), axis=-1).reshape(-1, 43, 3)
    thousandths = rgb @ np.array([65481, 128553, 24966]) + 16 * 255_000
    expected = (thousandths + 127_500) // 255_000
    assert_array_equal(y_rounded(rgb.astype(np.uint8))[..., 0], expected)


def test_rounded_luma_is_8_bit_and_float_luma_is_double() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    assert (y_rounded(image).dtype, y_rounded(image).shape) == (np.uint8, (2, 3, 1))
    assert (y_float(image).dtype, y_float(image).shape) == (np.float64, (2, 3, 1))


def test_rounded_luma_of_unclipped_floats_stays_in_8_bits() -> None:
    image = np.array([[[-900.0] * 3, [900.0] * 3]])
    assert y_rounded(image).ravel().tolist() == [0, 255]


def test_edsr_luma_weighs_by_256ths() -> None:
    assert y_edsr(np.array([[[256.0, 0, 0]]])).item() == pytest.approx(16 + 65.738)
    difference = y_edsr(np.array([[[2.0, 3, 5]]])) - y_edsr(np.array([[[1.0, 1, 1]]]))
    assert difference.item() == pytest.approx((65.738 + 2 * 129.057 + 4 * 25.064) / 256)


@pytest.mark.parametrize("luma", [y_float, y_rounded, y_edsr])
def test_an_image_without_three_channels_is_refused(luma) -> None:
    with pytest.raises(ImageError, match=r"HxWx3 .* got shape \(4, 4, 1\)"):
        luma(np.zeros((4, 4, 1), np.uint8))


LEVELS = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)


def test_lumas_of_libraries_are_theirs_to_the_level() -> None:
    expected = {
        "y_full": cv2.cvtColor(LEVELS, cv2.COLOR_RGB2YCrCb)[..., :1],
        "gray": cv2.cvtColor(LEVELS, cv2.COLOR_RGB2GRAY)[..., None],
        "y_pil": np.asarray(Image.fromarray(LEVELS).convert("YCbCr"))[..., :1],
        "ycbcr_pil": np.asarray(Image.fromarray(LEVELS).convert("YCbCr")),
        "y_truncated": y_float(LEVELS).astype(np.uint8),
    }
    for colour, levels in expected.items():
        assert_array_equal(COLOURS[colour](LEVELS), levels)
        assert COLOURS[colour](LEVELS[..., ::-1]).dtype == np.uint8  # a view, as crops are
    assert np.allclose(COLOURS["y_bt709"](LEVELS)[..., 0], rgb2gray(LEVELS) * 255, atol=1e-9)
    assert np.allclose(COLOURS["y_full_float"](LEVELS), LEVELS @ [[0.299], [0.587], [0.114]])


def test_opencvs_lumas_of_floats_are_not_rounded() -> None:
    floats = LEVELS.astype(np.float32) + np.float32(0.25)
    full = cv2.cvtColor(floats, cv2.COLOR_RGB2GRAY)
    for colour in ("y_full", "gray"):
        assert np.allclose(COLOURS[colour](floats)[..., 0], full, atol=1e-3)


def test_the_slip_in_fsrcnns_red_weight_is_a_256th_of_red() -> None:
    apart = y_edsr(LEVELS) - COLOURS["y_fsrcnn"](LEVELS)
    assert np.allclose(apart[..., 0], LEVELS[..., 0] / 256)


@pytest.mark.parametrize("colour", [name for name in COLOURS if name != "rgb"])
def test_each_colour_takes_rgb_alone(colour: str) -> None:
    with pytest.raises(ImageError, match="HxWx3"):
        COLOURS[colour](LEVELS[..., :1])
