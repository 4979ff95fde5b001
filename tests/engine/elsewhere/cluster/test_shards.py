"""How images are cut into shards."""

import pytest

from sr_bench.engine.elsewhere.cluster.client import split


@pytest.mark.parametrize("count", [0, 1, 7, 100, 1000])
@pytest.mark.parametrize("window", [1, 32])
def test_shards_hold_each_image_once_and_windows_whole(count: int, window: int) -> None:
    shards = split(range(count), window=window)
    assert [index for shard in shards for index in shard] == list(range(count))
    owners = [
        {n for n, shard in enumerate(shards) if set(shard) & set(range(w, w + window))}
        for w in range(0, count, window)
    ]
    assert all(len(shard) <= 1 for shard in owners)


def test_shards_are_large_first_and_single_at_the_end() -> None:
    sizes = [len(shard) for shard in split(range(1000))]
    assert (sizes[0], sizes[-1], max(sizes)) == (16, 1, 16)
    assert sizes == sorted(sizes, reverse=True)
