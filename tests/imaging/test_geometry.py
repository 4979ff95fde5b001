"""Cropping leaves the middle, or says why it can't."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sr_bench.errors import ImageError
from sr_bench.imaging.geometry import crop_border, modcrop

IMAGE = np.arange(7 * 9 * 3, dtype=np.uint8).reshape(7, 9, 3)


@pytest.mark.parametrize("border", [0, 1, 3])
def test_the_border_is_cropped_from_every_side(border: int) -> None:
    cropped = crop_border(IMAGE, border)
    assert_array_equal(cropped, IMAGE[border : 7 - border, border : 9 - border])


@pytest.mark.parametrize("border", [-1, 4, 100])
def test_a_border_that_leaves_nothing_is_refused(border: int) -> None:
    with pytest.raises(ImageError, match=f"border of {border} px from a 7x9 image"):
        crop_border(IMAGE, border)


def test_modcrop_cuts_bottom_and_right() -> None:
    assert_array_equal(modcrop(IMAGE, 4), IMAGE[:4, :8])
    assert modcrop(IMAGE, 7).shape == (7, 7, 3)


@pytest.mark.parametrize("multiple", [0, 8])
def test_modcrop_of_a_smaller_image_is_refused(multiple: int) -> None:
    with pytest.raises(ImageError, match=f"7x9 image .* that {multiple} divides"):
        modcrop(IMAGE, multiple)
