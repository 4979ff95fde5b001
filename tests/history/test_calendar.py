"""The calendar of runs says how each ended, and what is news in it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sr_bench.core.history import Environment, HistoryEntry, Point
from sr_bench.core.record import Status
from sr_bench.history.calendar import News, RunRow, calendar
from tests.core.test_trend import ENVIRONMENT, POINT, info


def entry(day: int, *points: Point, environment: Environment = ENVIRONMENT) -> HistoryEntry:
    return HistoryEntry(replace(info(day), environment=environment), points)


def news(*nights: Sequence[Point]) -> list[tuple[News, ...]]:
    return [row.news for row in calendar(entry(day, *points) for day, points in enumerate(nights))]


def of(model: str, status: Status = Status.MATCH, **changes: object) -> Point:
    return replace(POINT, model=model, case_id=model, status=status, **changes)


def told(item: News) -> str:
    return f"{item.count} {item.what} {','.join(item.models)} {','.join(map(str, item.changed))}"


def test_a_verdict_that_changed_is_news_with_its_cause_and_numbers_of_one_cause_are_together() -> (
    None
):
    worse = {"value": 29.0, "inputs": {**POINT.inputs, "network": "m"}}
    night = [of(name, Status.DIFFERS, **worse) for name in "ab"]
    first, second, third = news([of("a"), of("b"), of("c")], [*night, of("c")], [*night, of("c")])
    assert (first, third) == ((), ())
    assert [*map(told, second)] == ["2 match -> differs a,b network n -> m"]


def test_a_value_that_moved_within_its_verdict_is_news_but_not_below_its_digits() -> None:
    _, moved, noise = news([of("a")], [of("a", value=30.001)], [of("a", value=30.0010000001)])
    assert [*map(told, moved)] == ["1 moved a "]
    assert noise == ()


def test_times_always_move_and_are_no_news() -> None:
    assert news([of("a", metric="latency")], [of("a", metric="latency", value=31.0)])[1] == ()


def test_what_a_document_prints_is_apart_from_what_else_changed() -> None:
    edited = of("a", Status.DIFFERS, claimed=31.0)
    ((item,),) = news([of("a")], [edited])[1:]
    assert (item.changed, [*map(str, item.claimed)]) == ((), ["claimed 30.0 -> 31.0"])


def test_what_a_run_did_not_measure_is_compared_with_when_it_was_measured_last() -> None:
    absent = of("b", Status.NOT_RUN, value=None)
    *_, last = news([of("b")], [of("a")], [absent], [of("b", value=29.0)])
    assert [*map(told, last)] == ["1 moved b "]


@pytest.mark.parametrize("incomplete", [(), ("run-2",)])
def test_each_run_has_its_counts_and_whether_it_ended(incomplete: tuple[str, ...]) -> None:
    rows = calendar([entry(2, of("a"), of("b", Status.ERROR, value=None), of("c"))], incomplete)
    assert rows == (RunRow(info(2), not incomplete, "2 match, 1 error", ()),)
