"""How the images of a run are cut into what one task measures."""

from collections.abc import Sequence

_LARGEST = 16
"""Images of a shard at most, where a device asks for no larger windows."""

_PARTS = 8
"""A shard takes this part of the images that are left, so that the last ones are small."""


def split(indices: Sequence[int], *, window: int = 1) -> tuple[tuple[int, ...], ...]:
    """Return `indices` in shards, in order: large ones first, small ones at the end.

    Images of one window, ``index // window``, stay in one shard.

    >>> [len(shard) for shard in split(range(20))]
    [3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    shards: list[tuple[int, ...]] = []
    start = 0
    while start < len(indices):
        size = min(_LARGEST, -(-(len(indices) - start) // _PARTS))
        end = start + size
        while end < len(indices) and indices[end] // window == indices[end - 1] // window:
            end += 1
        shards.append(tuple(indices[start:end]))
        start = end
    return tuple(shards)
