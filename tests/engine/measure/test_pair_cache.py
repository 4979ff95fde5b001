"""Decoded pairs are kept for the next run over the same set, and never above the cap."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from sr_bench.engine.measure.one_by_one import PairCache
from sr_bench.engine.score.protocol import Pair

BYTES = 12 + 48


def pair(level: int = 0) -> Pair:
    return Pair(np.full((2, 2, 3), level, np.uint8), np.full((4, 4, 3), level, np.uint8))


class Loader:
    """Counts how often each key is loaded."""

    def __init__(self) -> None:
        self.loaded: list[int] = []

    def __call__(self, key: int) -> Pair:
        self.loaded.append(key)
        return pair(key)


@pytest.fixture
def loader() -> Loader:
    return Loader()


def ask(cache: PairCache, loader: Loader, *keys: int) -> None:
    for key in keys:
        assert cache.get(key, lambda key=key: loader(key), group=key // 10).lr[0, 0, 0] == key


def test_a_pair_is_loaded_once(loader: Loader) -> None:
    ask(PairCache(), loader, 1, 2, 1, 2)
    assert loader.loaded == [1, 2]


def test_a_set_above_the_cap_keeps_what_it_had_first(loader: Loader) -> None:
    cache = PairCache(2 * BYTES)
    ask(cache, loader, 1, 2, 3)
    ask(cache, loader, 1, 2, 3)
    assert loader.loaded == [1, 2, 3, 3]


def test_other_sets_make_room_the_pair_used_longest_ago_first(loader: Loader) -> None:
    cache = PairCache(2 * BYTES)
    ask(cache, loader, 1, 2, 1, 11)  # 2 goes
    ask(cache, loader, 11, 1)
    assert loader.loaded == [1, 2, 11]
    ask(cache, loader, 12, 13)  # 1 goes for 12, and nothing of its own set for 13
    ask(cache, loader, 11, 12, 13)
    assert loader.loaded == [1, 2, 11, 12, 13, 13]


def test_a_pair_above_the_cap_is_not_kept_and_evicts_nothing(loader: Loader) -> None:
    cache = PairCache(BYTES)
    ask(cache, loader, 1)
    large = Pair(np.zeros((8, 8, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))
    assert cache.get("large", lambda: large, group=9) is large
    assert cache.get("large", pair, group=9) is not large
    cache = PairCache(BYTES - 1)
    ask(cache, loader, 2, 2)
    assert loader.loaded == [1, 2, 2]


def test_a_fault_of_loading_is_not_kept(loader: Loader) -> None:
    cache = PairCache()
    with pytest.raises(ZeroDivisionError):
        cache.get(1, lambda: 1 / 0, group=0)
    ask(cache, loader, 1)


def test_pairs_are_loaded_side_by_side() -> None:
    cache, both = PairCache(), Barrier(2, timeout=60)

    def load() -> Pair:
        both.wait()  # returns only if the other one loads at the same time
        return pair()

    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(lambda key: cache.get(key, load, group=0), (1, 2)))) == 2


def test_two_threads_that_load_one_pair_count_it_once() -> None:
    cache, both = PairCache(2 * BYTES), Barrier(2, timeout=60)

    def load() -> Pair:
        both.wait()
        return pair()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda key: cache.get(key, load, group=0), (1, 1)))
    assert cache._bytes == BYTES
