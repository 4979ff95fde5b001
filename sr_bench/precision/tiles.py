"""Cut calibration images into tiles, each an image of its own that the network runs on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.network_io import NetworkInput
from sr_bench.errors import BackendError
from sr_bench.files.onnx_image import misfit, needed_multiple
from sr_bench.imaging.pieces import Pieces
from sr_bench.precision.network import Network

# SR4K at 1080p, measured: 3.3 GB and 10 s whole, 0.26 GB and 4.5 s in tiles of 256.
LARGEST_TILE = 192
"""Height and width in pixels up to which an image is run as a whole."""

ANY_SIZE = NetworkInput()
_PIECE = 64  # pixels of height and width that tell enough of an image for `pieces`
_GRID = 16  # where tiles begin, as networks with windows of attention need

Run = Callable[[NDArray[np.float32]], NDArray[Any] | Mapping[str, NDArray[Any]] | None]
"""Runs a network on an image, 1 x C x H x W; raises anything where it can't."""

_Images = Mapping[str, Callable[[], NDArray[np.float32]]]
"""By name: a function that returns it as the network's input, 1 x C x H x W."""


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

    A larger image becomes equal tiles; for a network of a fixed size, tiles of that size, of which
    the last ones overlap. What a network gets that runs only on multiples of some number is padded
    to such a size.
    """

    network: Network
    given: NetworkInput
    """The sizes that it takes."""
    largest: int = LARGEST_TILE
    """Pixels up to which a side is not cut."""

    @classmethod
    def of(
        cls,
        network: Network,
        run: Run,
        given: NetworkInput = ANY_SIZE,
        *,
        largest: int = LARGEST_TILE,
    ) -> "Cutter":
        """Return what cuts images for `network`.

        Args:
            network: Its file may fix a size.
            run: Runs it.
            given: What its card says that it reads; without sizes, they are found by trying.
            largest: Pixels up to which a side is not cut.
        """
        _, channels, height, width = _read(network)
        if given.is_fitted:
            return cls(network, given, largest)
        if height and width:
            return cls(network, replace(given, size=(height, width)), largest)
        if height or width:
            return cls(network, given, largest)
        planes = channels or given.channels
        number = needed_multiple(lambda h, w: run(np.zeros((1, planes, h, w), np.float32)))
        return cls(network, replace(given, multiple_of=max(number, 1)), largest)

    def tiles(self, images: _Images) -> Iterator[Tile]:
        """Yield the tiles of all `images`, those of one size in a row.

        Raises:
            BackendError: An image is not what the network reads; the message names it.
        """
        for name, load in images.items():
            image = load()
            self._check(name, image)
            parts = sorted(self._parts(image), key=lambda part: part.shape)
            for i, part in enumerate(parts, start=1):
                yield Tile(name, np.ascontiguousarray(part), i == len(parts))

    def pieces(self, images: _Images) -> Iterator[NDArray[np.float32]]:
        """Yield the middle of one tile of each image; all of it where the network has its size."""
        sides = _read(self.network)[2:]
        is_free = not self.given.is_fitted and not any(sides)
        for tile in self.tiles(images):
            if tile.is_last:
                top, left = (max(0, side - _PIECE) // 2 for side in tile.pixels.shape[2:])
                middle = tile.pixels[:, :, top : top + _PIECE, left : left + _PIECE]
                yield np.ascontiguousarray(middle) if is_free else tile.pixels

    def middle(self, image: NDArray[np.float32], name: str = "image") -> NDArray[np.float32]:
        """Return the middle one of the tiles of `image`, in the order of `tiles`.

        Raises:
            BackendError: It is not what the network reads; the message names it.
        """
        tiles = list(self.tiles({name: lambda: image}))
        return tiles[len(tiles) // 2].pixels

    def _parts(self, image: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield what the network gets of `image`; of any size, parts of at most `largest`."""
        for piece in Pieces.of((image.shape[2], image.shape[3]), self.given).cut(image):
            if self.given.size:
                yield piece
                continue
            for row, column in product(*(list(self._slices(side)) for side in piece.shape[2:])):
                yield piece[:, :, row, column]

    def _slices(self, size: int) -> Iterator[slice]:
        """Yield nearly equal parts of a side."""
        grid = self.given.multiple_of * ceil(_GRID / self.given.multiple_of)
        units = ceil(size / grid)
        count = ceil(units / max(self.largest // grid, 1))
        edges = [min(i * units // count * grid, size) for i in range(count + 1)]
        yield from (slice(start, stop) for start, stop in pairwise(edges))

    def _check(self, name: str, image: NDArray[Any]) -> None:
        """Raise a BackendError unless the network reads such an `image`, or tiles of it."""
        shape = image.shape
        if image.ndim != 4 or len(image) != 1 or image.dtype != np.float32 or not image.size:
            got = f"{image.dtype} of {' x '.join(map(str, shape))}"
            msg = f"{name}: expected an image as float32 1 x C x H x W, got {got}"
            raise BackendError(msg)
        batch, channels, *sizes = _read(self.network)
        height, width = self.given.size or sizes
        tile = shape[2:]
        if self.given.size:  # where the card lets images be cut, smaller ones are padded
            padded = self.given.overlap is not None
            tile = (height, width) if padded else (min(height, tile[0]), min(width, tile[1]))
        if fault := misfit([batch, channels, height, width], (*shape[:2], *tile)):
            msg = f"{name}: {fault}"
            raise BackendError(msg)


def _read(network: Network) -> list[int]:
    """Return the sizes of the network's input; 0 for those that are free."""
    return [dim.dim_value for dim in network.model.graph.input[0].type.tensor_type.shape.dim]
