"""Resizing by named rules, each bit for bit that of the program it is named after."""

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sr_bench.core.protocol import Resize
from sr_bench.errors import ImageError
from sr_bench.imaging.files import RGB

_CV2_FLAGS: Mapping[str, int] = {
    "cv2_area": cv2.INTER_AREA,
    "cv2_linear": cv2.INTER_LINEAR,
    "cv2_cubic": cv2.INTER_CUBIC,
    "cv2_lanczos": cv2.INTER_LANCZOS4,
    "cv2_nearest": cv2.INTER_NEAREST,
}
_PIL_FILTERS: Mapping[str, Image.Resampling] = {
    "pil_box": Image.Resampling.BOX,
    "pil_bilinear": Image.Resampling.BILINEAR,
    "pil_bicubic": Image.Resampling.BICUBIC,
    "pil_lanczos": Image.Resampling.LANCZOS,
    "pil_nearest": Image.Resampling.NEAREST,
}
_CUBIC_WIDTH = 4.0  # of Keys' kernel, in input pixels
# Ratios at which Pillow's bicubic gives MATLAB's levels, and about seven times as fast.
# Both weigh by the same kernel. At a power of two the weights are whole multiples of 2^-16 or more,
# which Pillow's fixed point (2^-22) holds exactly; at three every sum is a multiple of 1/81 and so
# at least 1/162 from a half, where rounding could differ. At other ratios nothing of this holds.
_SAME_IN_PILLOW = (2, 3, 4, 8)


def resize(image: RGB, size_hw: tuple[int, int], rule: Resize) -> RGB:
    """Return `image` at `size_hw`; a copy if it has that size already.

    Args:
        image: Height x width x 3, uint8, 0-255.
        size_hw: (height, width) in pixels; the aspect is not kept.
        rule: Whose arithmetic to follow. The rules differ by up to tens of levels.

    Raises:
        ImageError: `image` is not such an array, or a side would be less than one pixel.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        msg = f"expected a non-empty uint8 HxWx3 image to resize, got {image.dtype} {image.shape}"
        raise ImageError(msg)
    _check_size(size_hw)
    if image.shape[:2] == size_hw:
        return image.copy()
    if rule == "matlab_bicubic":
        return _matlab_bicubic(image, size_hw)
    width_height = size_hw[::-1]
    if rule in _PIL_FILTERS:
        return np.array(Image.fromarray(image).resize(width_height, _PIL_FILTERS[rule]))
    resized = cv2.resize(image, width_height, interpolation=_CV2_FLAGS[rule])
    return resized.astype(np.uint8, copy=False)


def resize_floats(
    planes: NDArray[np.float64], size_hw: tuple[int, int], rule: Resize
) -> NDArray[np.float64]:
    """Return `planes`, height x width x channels, at `size_hw`, neither rounded nor clipped.

    So do the programs that the rules are named after with doubles.

    Raises:
        ImageError: A side would be less than one pixel.
    """
    _check_size(size_hw)
    if rule == "matlab_bicubic":
        for axis in _axes(planes.shape, size_hw):
            planes = _resampled(planes, size_hw[axis], axis)
        return planes
    each = [_plane_by_program(plane, size_hw[::-1], rule) for plane in np.moveaxis(planes, 2, 0)]
    return np.stack(each, axis=2)


def _plane_by_program(
    plane: NDArray[np.float64], width_height: tuple[int, int], rule: Resize
) -> NDArray[np.float64]:
    if rule in _PIL_FILTERS:
        image = Image.fromarray(plane.astype(np.float32))
        return np.array(image.resize(width_height, _PIL_FILTERS[rule]), np.float64)
    resized = cv2.resize(plane, width_height, interpolation=_CV2_FLAGS[rule])
    return resized.astype(np.float64, copy=False)


def _check_size(size_hw: tuple[int, int]) -> None:
    if min(size_hw) < 1:
        msg = f"can't resize to {size_hw[0]}x{size_hw[1]} (HxW): each side needs a pixel"
        raise ImageError(msg)


def _axes(shape: tuple[int, ...], size_hw: tuple[int, int]) -> list[int]:
    """Return the axes that change, in MATLAB's order: the smaller ratio first, rows on a tie."""
    changed = [axis for axis in (0, 1) if shape[axis] != size_hw[axis]]
    return sorted(changed, key=lambda axis: size_hw[axis] / shape[axis])


def _matlab_bicubic(image: RGB, size_hw: tuple[int, int]) -> RGB:
    """Resize like MATLAB's ``imresize(image, size)`` of an 8-bit image.

    The smaller of the two ratios comes first, on a tie the rows (height); between the passes
    and after the second the levels are rounded half up to 8 bits. Border pixels repeat.

    Source: measured; no pixel differs on the Set5 inputs that the RCAN authors made with MATLAB.
    """
    for axis in _axes(image.shape, size_hw):
        old, new = image.shape[axis], size_hw[axis]
        large, small = max(old, new), min(old, new)
        same = large % small == 0 and large // small in _SAME_IN_PILLOW
        image = (_by_pillow if same else _by_taps)(image, new, axis)
    return image


def _by_pillow(image: RGB, size: int, axis: int) -> RGB:
    """Resize one axis by Pillow, which shows the kernel the repeated border only if it is there."""
    height, width = image.shape[:2]
    reach = math.ceil(_CUBIC_WIDTH / 2 * max(1.0, image.shape[axis] / size))
    rows, columns = (reach, 0) if axis == 0 else (0, reach)
    padded = cv2.copyMakeBorder(image, rows, rows, columns, columns, cv2.BORDER_REPLICATE)
    box = (columns, rows, columns + width, rows + height)
    width_height = (width, size) if axis == 0 else (size, height)
    resized = Image.fromarray(padded).resize(width_height, Image.Resampling.BICUBIC, box=box)
    return np.array(resized)


def _by_taps(image: RGB, size: int, axis: int) -> RGB:
    """Resize one axis tap by tap, to whole levels."""
    total = _resampled(image.astype(np.float64), size, axis)
    np.floor(total + 0.5, out=total)  # np.rint would round halves to even
    levels: RGB = np.clip(total, 0, 255, out=total).astype(np.uint8)
    return levels


def _resampled(levels: NDArray[np.float64], size: int, axis: int) -> NDArray[np.float64]:
    """Return a weighted sum of neighbours along one axis, tap by tap."""
    indices, weights = _taps(levels.shape[axis], size)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    height, width, channels = levels.shape
    total = np.zeros((size, width, channels) if axis == 0 else (height, size, channels))
    part = np.empty_like(total)
    for index, weight in zip(indices.T, weights.T, strict=True):
        # All indices are valid; any mode but "raise" writes to `part` without a copy.
        levels.take(index, axis=axis, out=part, mode="clip")
        total += np.multiply(part, weight.reshape(shape), out=part)
    return total


def _taps(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return, per output pixel, the input pixels that it takes and their weights.

    Shrinking widens the kernel by 1 / scale, which is MATLAB's antialiasing.
    """
    scale = new / old
    squeeze = min(scale, 1.0)
    centre = (np.arange(1, new + 1) - 0.5) / scale + 0.5
    first = np.floor(centre - _CUBIC_WIDTH / squeeze / 2)
    # As MATLAB has it: two more than needed; those that weigh nothing go below.
    count = int(np.ceil(_CUBIC_WIDTH / squeeze)) + 2
    positions = first[:, np.newaxis] + np.arange(count)
    weights = _cubic(squeeze * (centre[:, np.newaxis] - positions))
    weights /= weights.sum(axis=1, keepdims=True)
    used = weights.any(axis=0)
    indices = np.clip(positions[:, used] - 1, 0, old - 1).astype(np.intp)
    return indices, weights[:, used]


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Keys' cubic kernel with a = -0.5 at `distance`."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    kernel: NDArray[np.float64] = np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
    return kernel
