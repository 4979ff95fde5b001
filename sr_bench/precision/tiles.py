"""Cut calibration images into tiles, each an image of its own that the network runs on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import BackendError
from sr_bench.files.onnx_image import misfit, needed_multiple
from sr_bench.precision.network import Network

# SR4K at 1080p, measured: 3.3 GB and 10 s whole, 0.26 GB and 4.5 s in tiles of 256.
LARGEST_TILE = 192
"""Height and width in pixels up to which an image is run as a whole."""

_GRID = 16  # where tiles begin, as networks with windows of attention need


@dataclass(frozen=True)
class Tile:
    """A part of an image."""

    image: str
    pixels: NDArray[np.float32]
    """1 x C x H x W."""
    is_last: bool
    """Of its image."""


@dataclass(frozen=True)
class Cutter:
    """Cuts the images for a network.

    An image above 192 pixels becomes equal tiles; for a network of a fixed size, tiles of that
    size, of which the last ones overlap. What a network gets that runs only on multiples of some
    number is padded to such a size by its own mirror image.
    """

    network: Network
    multiple: int = 1
    """Of which the network's heights and widths have to be multiples."""

    @classmethod
    def of(cls, network: Network, runs: Callable[[NDArray[np.float32]], bool]) -> "Cutter":
        """Return what cuts images for `network`; `runs` tells whether it runs on one."""
        _, channels, height, width = _read(network)
        if height or width:
            return cls(network)
        number = needed_multiple(lambda h, w: runs(np.zeros((1, channels or 3, h, w), np.float32)))
        return cls(network, max(number, 1))

    def tiles(self, images: Mapping[str, Callable[[], NDArray[np.float32]]]) -> Iterator[Tile]:
        """Yield the tiles of all `images`, those of one size in a row.

        Raises:
            BackendError: An image is not what the network reads; the message names it.
        """
        for name, load in images.items():
            image = load()
            self._check(name, image)
            spare = [-size % self.multiple for size in image.shape[2:]]
            if any(spare):
                image = np.pad(image, ((0, 0), (0, 0), *((0, n) for n in spare)), "symmetric")
            sides = zip(image.shape[2:], self._fixed or (0, 0), strict=True)
            rows, columns = (list(self._parts(size, fixed)) for size, fixed in sides)
            parts = [image[:, :, row, column] for row in rows for column in columns]
            parts.sort(key=lambda part: part.shape)
            for i, part in enumerate(parts, start=1):
                yield Tile(name, np.ascontiguousarray(part), i == len(parts))

    @cached_property
    def _fixed(self) -> tuple[int, int] | None:
        """Height and width that the network takes; None if it takes any, or one side is free."""
        _, _, height, width = _read(self.network)
        return (height, width) if height and width else None

    def _parts(self, size: int, fixed: int) -> Iterator[slice]:
        """Yield parts of a side: of the `fixed` size, or nearly equal ones of at most 192."""
        if fixed:
            starts = (min(start, size - fixed) for start in range(0, size, fixed))
            yield from (slice(start, start + fixed) for start in starts)
            return
        grid = self.multiple * ceil(_GRID / self.multiple)
        units = ceil(size / grid)
        count = ceil(units / max(LARGEST_TILE // grid, 1))
        edges = [min(i * units // count * grid, size) for i in range(count + 1)]
        yield from (slice(start, stop) for start, stop in pairwise(edges))

    def _check(self, name: str, image: NDArray[Any]) -> None:
        """Raise a BackendError unless the network reads such an `image`, or tiles of it."""
        shape = image.shape
        if image.ndim != 4 or len(image) != 1 or image.dtype != np.float32 or not image.size:
            got = f"{image.dtype} of {' x '.join(map(str, shape))}"
            msg = f"{name}: expected an image as float32 1 x C x H x W, got {got}"
            raise BackendError(msg)
        height, width = self._fixed or shape[2:]
        tile = *shape[:2], min(height, shape[2]), min(width, shape[3])
        if fault := misfit(_read(self.network), tile):
            msg = f"{name}: {fault}"
            raise BackendError(msg)


def _read(network: Network) -> list[int]:
    """Return the sizes of the network's input; 0 for those that are free."""
    return [dim.dim_value for dim in network.model.graph.input[0].type.tensor_type.shape.dim]
