"""The search for cycles is put off for a while, and never for good."""

import gc

import pytest

from sr_bench.system.garbage import seldom_searched


@seldom_searched()
def _threshold(fault: str = "") -> int:
    if fault:
        raise ValueError(fault)
    return gc.get_threshold()[0]


def test_cycles_are_searched_seldom_until_the_work_ends_or_fails() -> None:
    before = gc.get_threshold()
    assert _threshold() == 5_000_000
    assert gc.get_threshold() == before
    with pytest.raises(ValueError, match="broken"):
        _threshold("broken")
    assert gc.get_threshold() == before


def test_a_search_that_is_off_stays_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with seldom_searched():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


def test_what_the_work_made_is_not_looked_at_at_once() -> None:
    gc.unfreeze()  # what is there before all tests
    with seldom_searched():
        made = [[] for _ in range(200_000)]
    assert not any(one is made for one in gc.get_objects(generation=0))
    assert any(one is made for one in gc.get_objects(generation=2))


def test_what_somebody_froze_stays_frozen() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with seldom_searched():
        made = [[] for _ in range(200_000)]
    assert made
    assert gc.get_freeze_count() == before
