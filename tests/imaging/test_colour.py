"""Luma against hand-computed values."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sr_bench.errors import ImageError
from sr_bench.imaging.colour import y_edsr, y_float, y_rounded


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
