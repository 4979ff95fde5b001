"""Cut images into the sizes that a network takes, and join what it gives for the pieces."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.network_io import NetworkInput
from sr_bench.errors import ImageError

Planes: TypeAlias = NDArray[np.float32]
"""1 x channels x height x width."""

Padding: TypeAlias = Literal["reflect", "replicate"]

_NUMPY_MODES: dict[Padding, Literal["reflect", "edge"]] = {
    "reflect": "reflect",
    "replicate": "edge",
}


@dataclass(frozen=True)
class Side:
    """How a side of an image, height or width, is cut."""

    length: int
    piece: int
    """Length of each piece."""
    starts: tuple[int, ...]
    """Where pieces begin; the last one ends with the side, which may be padded."""

    @classmethod
    def of(cls, length: int, multiple: int, piece: int | None, overlap: int) -> Self:
        """Return a side as one piece padded to a `multiple`, or as pieces of the size `piece`."""
        if piece is None:
            return cls(length, -(-length // multiple) * multiple, (0,))
        last = max(length - piece, 0)
        return cls(length, piece, (*range(0, last, piece - overlap), last))

    @property
    def spare(self) -> int:
        """What is padded at the end."""
        return max(self.starts[-1] + self.piece - self.length, 0)

    def parts(self) -> Iterator[tuple[int, int, int]]:
        """Yield of each piece its start, and from where to where its values are taken.

        Neighbours meet in the middle of what both of them hold, farthest from the edges of both.
        """
        meet = [(a + self.piece + b) // 2 for a, b in pairwise(self.starts)]
        yield from zip(self.starts, (0, *meet), (*meet, self.length), strict=True)


@dataclass(frozen=True)
class Pieces:
    """How images of one size are cut."""

    rows: Side
    columns: Side
    padding: Padding

    @classmethod
    def of(cls, size: tuple[int, int], given: NetworkInput) -> Self:
        """Return how an image of this height and width is cut for a network that reads `given`."""
        height, width = given.size or (None, None)
        overlap = given.overlap or 0
        rows = Side.of(size[0], given.multiple_of, height, overlap)
        columns = Side.of(size[1], given.multiple_of, width, overlap)
        return cls(rows, columns, given.padding)

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.rows.starts) * len(self.columns.starts)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of each piece."""
        return self.rows.piece, self.columns.piece

    def cut(self, image: Planes) -> Iterator[Planes]:
        """Yield the pieces of `image`, row by row; itself where it is its only one."""
        spare = (self.rows.spare, self.columns.spare)
        if any(spare):
            margins = ((0, 0), (0, 0), *((0, pixels) for pixels in spare))
            image = np.pad(image, margins, _NUMPY_MODES[self.padding])
        height, width = self.size
        for top, left in product(self.rows.starts, self.columns.starts):
            yield np.ascontiguousarray(image[:, :, top : top + height, left : left + width])

    def join(self, outputs: Iterable[Planes], enlargement: int) -> Planes:
        """Return the image that a network enlarged in pieces; `outputs` are in the order of `cut`.

        Raises:
            ImageError: An output is not its piece enlarged.
        """
        expected = self.rows.piece * enlargement, self.columns.piece * enlargement
        joined: Planes | None = None
        places = product(self.rows.parts(), self.columns.parts())
        for (down, right), output in zip(places, outputs, strict=True):
            if output.shape[2:] != expected:
                msg = (
                    f"expected an output of {_by(expected)} for {_by(self.size)} pixels, got"
                    f" {_by(output.shape[2:])}: check the card's scale"
                )
                raise ImageError(msg)
            if len(self) == 1 and not (self.rows.spare or self.columns.spare):
                return output
            if joined is None:
                whole = self.rows.length * enlargement, self.columns.length * enlargement
                joined = np.empty((*output.shape[:2], *whole), output.dtype)
            (to_y, from_y), (to_x, from_x) = _places(down, enlargement), _places(right, enlargement)
            joined[:, :, to_y, to_x] = output[:, :, from_y, from_x]
        assert joined is not None  # there is a piece
        return joined


def _places(part: tuple[int, int, int], enlargement: int) -> tuple[slice, slice]:
    """Return where a piece's values go on a side, and where in the piece they are."""
    start, first, last = (at * enlargement for at in part)
    return slice(first, last), slice(first - start, last - start)


def _by(sides: tuple[int, ...]) -> str:
    return " x ".join(map(str, sides))
