"""Second moments of what each layer's weights multiply, from a sample of patches of its input.

A patch is kept as 8-bit integers relative to a power of two, so that sums of products are exact
and the moments do not depend, in one bit, on the order of the images. Which patches of many are
kept depends on the images' content, not on their order either.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from sr_bench.files.onnx_file import attributes
from sr_bench.precision.histogram import binary_exponent
from sr_bench.precision.network import Layer, Network

POSITIONS = 128
"""Patches that each layer gives for a tile."""

_LARGEST_SAMPLE = 4096  # patches that are kept of a layer
_SAMPLE_BYTES = 256 * 2**20  # of patches; the K x K sums themselves would take 4 GB for RRDBNet
_SLACK = 1.25  # the sample may grow by this factor before it is cut back
_BITS = 7  # of a magnitude; the eighth is the sign
_EXACT = 2 ** (24 - 2 * _BITS)  # so many products add up in float32 without rounding
_ANY_SCORE = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Window:
    """How a layer reads its input. Layers with equal windows see the same patches."""

    input: str
    """Name of the tensor."""
    group: int
    rows: int
    """Values of a patch, all groups together: I * group * kh * kw."""
    kernel: tuple[int, ...]
    """Height and width, as in the three below."""
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    """Top, left, bottom, right."""
    auto_pad: str
    """``NOTSET`` if `pads` holds, else ``VALID``, ``SAME_UPPER`` or ``SAME_LOWER``."""


def windows(network: Network) -> dict[Layer, Window]:
    """Return the window of each layer that is a two-dimensional convolution."""
    nodes = {node.name: node for node in network.model.graph.node}
    by_layer: dict[Layer, Window] = {}
    for layer in network.layers:
        given = attributes(nodes[layer.node])
        group, shape = given.get("group", 1), network.constants[layer.weight].shape
        # Other layers have no moments, and are rounded to nearest.
        if len(shape) == 4:
            by_layer[layer] = Window(
                layer.input,
                group,
                group * int(np.prod(shape[1:])),
                tuple(shape[2:]),
                tuple(given.get("strides", (1, 1))),
                tuple(given.get("dilations", (1, 1))),
                tuple(given.get("pads", (0, 0, 0, 0))),
                given.get("auto_pad", b"NOTSET").decode(),
            )
    return by_layer


@dataclass(frozen=True)
class Positions:
    """Where the patches of a tile are read, the same for all layers."""

    scores: NDArray[np.uint64]
    """The patches with the lowest scores stay in the sample."""
    places: NDArray[np.float64]
    """Shape (2, positions): down and across as parts of a layer's output, 0 up to 1."""

    @classmethod
    def of(cls, tile: NDArray[np.float32]) -> "Positions":
        """Return the positions for `tile`, which follow from its content.

        They fill the plane evenly, and rows and columns are even and odd alike, which matters
        behind a pixel shuffle. Other tiles have others, that borders get their due share.

        Source: M. Roberts, The Unreasonable Effectiveness of Quasirandom Sequences, 2018.
        """
        seed = int.from_bytes(blake2b(tile.tobytes(), digest_size=8).digest(), "big")
        # NumPy promises the raw bits of a generator for ever, not what its methods make of them.
        bits = np.random.PCG64(seed).random_raw(POSITIONS + 2)
        start = (bits[-2:] / 2.0**64)[:, None]
        # The plastic number: its powers make the source's R2 sequence.
        step = 1.324717957244746 ** -np.array([[1.0], [2.0]])
        return cls(bits[:-2], (start + step * np.arange(POSITIONS)) % 1)


@dataclass(frozen=True)
class Codes:
    """Patches of a window as integers."""

    values: NDArray[np.int8]
    """Shape (rows, patches); the real values are ``values * 2.0**(exponent - 7)``."""
    exponent: int


@dataclass(frozen=True)
class TilePatches:
    """The patches of all windows for one tile."""

    scores: NDArray[np.uint64]
    """Of the positions, or of those that are kept."""
    codes: Mapping[Window, Codes]


def read_patches(
    values: NDArray[np.float32], window: Window, largest: float, positions: Positions
) -> Codes:
    """Return the patches that a layer reads at `positions`, rounded to 8 bits.

    `values` are the layer's input, NCHW, finite, with the magnitude `largest`.
    """
    n, channels, height, width = values.shape
    y, inside_y = _coordinates(height, window, 0, positions)
    x, inside_x = _coordinates(width, window, 1, positions)
    # A network may lay windows of its image along N: the positions take turns among them.
    image = (np.arange(POSITIONS) % n) * (height * width)
    index = y[:, None] * width + x + image
    flat = values.transpose(1, 0, 2, 3).reshape(channels, -1)
    exponent = binary_exponent(largest)
    levels = flat.take(index.reshape(-1), axis=1)
    levels *= np.float32(2.0 ** (_BITS - exponent))
    # What lies beyond the edge was read at the edge; a layer reads 0 there.
    levels *= (inside_y[:, None] & inside_x).reshape(-1)
    # A magnitude just below the power of two rounds to 128, which int8 lacks.
    np.minimum(np.rint(levels, out=levels), 2**_BITS - 1, out=levels)
    return Codes(levels.astype(np.int8).reshape(-1, POSITIONS), exponent)


def _coordinates(
    size: int, window: Window, axis: int, positions: Positions
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where patches lie on an axis, of shape (kernel, positions), and what is inside."""
    kernel, stride = window.kernel[axis], window.strides[axis]
    reach = window.dilations[axis] * (kernel - 1) + 1
    before, after = _padding(size, window, axis, reach)
    outputs = (size + before + after - reach) // stride + 1
    starts = np.floor(positions.places[axis] * outputs).astype(np.int64)
    at = starts * stride - before + window.dilations[axis] * np.arange(kernel)[:, None]
    return at.clip(0, size - 1), (at >= 0) & (at < size)


def _padding(size: int, window: Window, axis: int, reach: int) -> tuple[int, int]:
    if window.auto_pad == "NOTSET":
        return window.pads[axis], window.pads[axis + 2]
    if window.auto_pad == "VALID":
        return 0, 0
    stride = window.strides[axis]
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    less, more = total // 2, total - total // 2
    return (less, more) if window.auto_pad == "SAME_UPPER" else (more, less)


@dataclass
class Sample:
    """A sample of patches from any number of tiles; it grows up to a limit."""

    windows: Mapping[Layer, Window]
    tiles: list[TilePatches] = field(default_factory=list)
    highest: np.uint64 = _ANY_SCORE
    """Of the scores that may still be among the lowest."""

    @property
    def rows(self) -> int:
        """Values of a patch, all windows together."""
        return sum(window.rows for window in set(self.windows.values()))

    @property
    def limit(self) -> int:
        """Patches of each window that are kept; more if some have the same score."""
        return max(POSITIONS, min(_LARGEST_SAMPLE, _SAMPLE_BYTES // max(self.rows, 1)))

    @property
    def largest_bytes(self) -> int:
        """The most memory that the sample may take."""
        return int(self.rows * (self.limit * _SLACK + POSITIONS))

    def add(self, tile: TilePatches) -> None:
        """Take the patches of one more tile into the sample."""
        self.tiles.append(_up_to(tile, self.highest))
        if sum(len(kept.scores) for kept in self.tiles) > _SLACK * self.limit:
            self.cut_back()

    def cut_back(self) -> None:
        """Keep those patches only whose scores are among the lowest."""
        scores = np.concatenate([tile.scores for tile in self.tiles])
        if len(scores) > self.limit:
            self.highest = np.partition(scores, self.limit - 1)[self.limit - 1]
            for i, tile in enumerate(self.tiles):  # one by one: both samples at once are too much
                self.tiles[i] = _up_to(tile, self.highest)
            self.tiles = [tile for tile in self.tiles if len(tile.scores)]


def _up_to(tile: TilePatches, highest: np.uint64) -> TilePatches:
    # Equal scores stay together, or the order of the tiles would decide.
    kept = tile.scores <= highest
    if kept.all():
        return tile
    codes = {
        window: Codes(codes.values[:, kept], codes.exponent) for window, codes in tile.codes.items()
    }
    return TilePatches(tile.scores[kept], codes)


class Moments(Mapping[str, NDArray[np.float64]]):
    """Second moments by the name of a layer's weights, computed anew for each look-up.

    The moments of K values are K x K numbers: those of all layers are never held at once.
    Shape (K, K) where K = I * kh * kw in that order, or (groups, K, K) of a grouped convolution.
    Layers that share weights add theirs up.
    """

    def __init__(self, sample: Sample):
        sample.cut_back()
        self._tiles = tuple(sample.tiles)
        self._windows: dict[str, list[Window]] = {}
        for layer, window in sample.windows.items():
            self._windows.setdefault(layer.weight, []).append(window)

    def __getitem__(self, weight: str) -> NDArray[np.float64]:
        parts = (
            _second_moments([tile.codes[window] for tile in self._tiles], window)
            for window in self._windows[weight]
        )
        total = reduce(np.add, parts)
        return total if len(total) > 1 else total[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._windows)

    def __len__(self) -> int:
        return len(self._windows)


def _second_moments(patches: Sequence[Codes], window: Window) -> NDArray[np.float64]:
    """Return the mean product of each two values of a patch, of shape (groups, K, K)."""
    k = window.rows // window.group
    total: NDArray[np.float64] = np.zeros((window.group, k, k))
    # A fixed order, as this sum over exponents is rounded.
    for exponent in sorted({codes.exponent for codes in patches}):
        alike = [codes.values for codes in patches if codes.exponent == exponent]
        values = np.concatenate(alike, axis=1).reshape(window.group, k, -1)
        for group, start in np.ndindex(window.group, -(-values.shape[2] // _EXACT)):
            part = values[group, :, start * _EXACT : (start + 1) * _EXACT].astype(np.float32)
            total[group] += (part @ part.T) * np.float64(4.0 ** (exponent - _BITS))
    total /= sum(codes.values.shape[1] for codes in patches)
    return total
