"""Tell whether an output's pixels are those of fp32 at other places: shifted, or out of order."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

_MOST_PX = 4
"""Shifts that are looked for, in output pixels."""

_SHIFT_PART = 0.6
"""Part of the squared error that a shift must explain."""

_ORDER_PART = 0.75
"""Part that another order of the sub-pixels must explain: 6 dB."""

_SMALLEST = 32  # pixels on a side from which shifts and orders can be told


def displaced(low: Array, reference: Array, scale: int) -> str:
    """Return the sentence on how the pixels of `low` moved, both N x C x H x W; empty if not.

    `scale` is the upscaling factor: of so many rows and columns a PixelShuffle makes a block.
    """
    if min(low.shape[-2:]) < _SMALLEST or not np.any(low != reference):
        return ""
    return _reordered(low, reference, scale) or _shifted(low, reference)


def _reordered(low: Array, reference: Array, scale: int) -> str:
    """Return how the planes of a channel and a sub-pixel place changed places."""
    got, wanted = (_planes(image, scale) for image in (low, reference))
    distances = _distances(got, wanted)
    nearest = distances.argmin(axis=1)
    now, then = distances.diagonal().sum(), distances.min(axis=1).sum()
    # Each plane must be found once: neighbours of a smooth image are much alike.
    if len(set(nearest)) < len(nearest) or then >= (1 - _ORDER_PART) * now:
        return ""
    channels = low.shape[1]
    names = [f"channel {c} at row {y}, column {x}" for c, y, x in _places(channels, scale)]
    moved = [index for index, other in enumerate(nearest) if index != other]
    pairs = "; ".join(f"{names[i]} holds {names[nearest[i]]}" for i in moved[:2])
    what = _order_word(nearest.reshape(channels, scale, scale), scale)
    return (
        f"{what}: {len(moved)} of {len(names)} planes are at other places ({pairs}); in fp32's"
        f" order {100 * (1 - then / now):.0f} % of the squared error is gone"
    )


def _order_word(nearest: NDArray[np.intp], scale: int) -> str:
    """Return what is out of order, where plane ``nearest[c, y, x]`` is at channel c, place y, x."""
    within = nearest % scale**2
    channels = nearest // scale**2
    if (within == np.arange(scale**2).reshape(scale, scale)).all():
        return "the output's channels are out of order"
    same = (channels == np.arange(len(channels))[:, None, None]).all()
    kind = "the sub-pixels of each channel" if same else "channels and sub-pixels"
    return f"the order of the last PixelShuffle: {kind} are out of order"


def _places(channels: int, scale: int) -> list[tuple[int, int, int]]:
    return list(product(range(channels), range(scale), range(scale)))


def _planes(image: Array, scale: int) -> Doubles:
    """Return a row for each channel and sub-pixel place: what a PixelShuffle puts together."""
    channels, height, width = image.shape[-3:]
    rows, columns = height // scale, width // scale
    cut = image[0, :, : rows * scale, : columns * scale].astype(np.float64)
    blocks = cut.reshape(channels, rows, scale, columns, scale)
    return blocks.transpose(0, 2, 4, 1, 3).reshape(channels * scale**2, rows * columns)


def _distances(got: Doubles, wanted: Doubles) -> Doubles:
    """Return the mean squared difference of each row of `got` to each of `wanted`."""
    # Of rows without their common mean, as the difference of large squares loses digits.
    middle = wanted.mean()
    got, wanted = got - middle, wanted - middle
    squares = np.square(got).sum(axis=1)[:, None] + np.square(wanted).sum(axis=1)
    distances: Doubles = np.maximum(squares - 2 * got @ wanted.T, 0) / got.shape[1]
    return distances


def _shifted(low: Array, reference: Array) -> str:
    """Return by how much the picture is shifted."""
    m = _MOST_PX + 1
    inside = low[0, :, m:-m, m:-m].astype(np.float64)
    now = _power(inside, reference, 0, 0)
    whole = min(
        product(range(-_MOST_PX, _MOST_PX + 1), repeat=2),
        key=lambda at: _power(inside, reference, *at),
    )
    down, right, left_over = _sub_pixel(inside, reference, *whole)
    if not now or left_over >= (1 - _SHIFT_PART) * now:
        return ""
    sides = [(right, "right", "left"), (down, "down", "up")]
    moved = [f"{abs(by):.2f} px {a if by > 0 else b}" for by, a, b in sides if abs(by) >= 0.05]
    if not moved:
        return ""
    return (
        f"the picture is shifted by {' and '.join(moved)} in the output: that makes"
        f" {100 * (1 - left_over / now):.0f} % of the squared error; look at how the geometry of"
        " resizing, padding or cropping is rounded"
    )


def _at(reference: Array, down: int, right: int) -> Doubles:
    """Return the inside of `reference`, read so that its picture moves `down` and `right`."""
    m = _MOST_PX + 1
    height, width = reference.shape[-2:]
    rows, columns = slice(m - down, height - m - down), slice(m - right, width - m - right)
    return reference[0, :, rows, columns].astype(np.float64)


def _power(inside: Doubles, reference: Array, down: int, right: int) -> float:
    return float(np.square(inside - _at(reference, down, right)).mean())


def _sub_pixel(
    inside: Doubles, reference: Array, down: int, right: int
) -> tuple[float, float, float]:
    """Return the shift to the fraction of a pixel, and the squared error that it leaves.

    Fitted are the pictures that lie next to the one at (`down`, `right`), a pixel up, down, left
    and right: a shift by a fraction is a mix of these, whichever filter makes it.
    """
    here = _at(reference, down, right)
    steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
    ways = [_at(reference, down + y, right + x) - here for y, x in steps]
    matrix = np.stack([way.reshape(-1) for way in ways], axis=1)
    error = (inside - here).reshape(-1)
    mix, *_ = np.linalg.lstsq(matrix.T @ matrix, matrix.T @ error, rcond=None)
    left_over = float(np.square(error - matrix @ mix).mean())
    return down + float(mix[0] - mix[1]), right + float(mix[2] - mix[3]), left_over
