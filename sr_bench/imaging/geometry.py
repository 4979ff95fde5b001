"""Cropping: the border that scores leave out, the middle they take, sizes that a scale divides."""

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import ImageError
from sr_bench.imaging.colour import Pixels


def crop_border(image: Pixels, border: int) -> Pixels:
    """Return a view of `image` (height x width x channels) without `border` pixels all round.

    Raises:
        ImageError: `border` is negative, or nothing would be left.
    """
    height, width = image.shape[:2]
    if border < 0 or 2 * border >= min(height, width):
        msg = (
            f"can't crop a border of {border} px from a {height}x{width} image (HxW); "
            "choose a protocol with a smaller border, or larger images"
        )
        raise ImageError(msg)
    return image[border : height - border, border : width - border]


def crop_centre(image: Pixels, size_hw: tuple[int, int]) -> Pixels:
    """Return a view of the middle part of `image`, height x width of `size_hw`.

    Of an odd rest the larger half is cut off at the bottom and right.

    Raises:
        ImageError: The image is smaller than that.
    """
    (height, width), (rows, columns) = image.shape[:2], size_hw
    if not (0 < rows <= height and 0 < columns <= width):
        msg = (
            f"can't cut the middle {rows}x{columns} out of a {height}x{width} image (HxW);"
            " choose a protocol with a smaller centre_crop, or larger images"
        )
        raise ImageError(msg)
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[top : top + rows, left : left + columns]


def modcrop(image: NDArray[np.uint8], multiple: int) -> NDArray[np.uint8]:
    """Return a view of `image` cut at the bottom and right so that `multiple` divides its sides.

    Raises:
        ImageError: The image is smaller than `multiple`, or `multiple` is less than 1.
    """
    height, width = image.shape[:2]
    if multiple < 1 or multiple > min(height, width):
        msg = f"can't cut a {height}x{width} image (HxW) to sides that {multiple} divides"
        raise ImageError(msg)
    return image[: height - height % multiple, : width - width % multiple]
