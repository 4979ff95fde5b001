"""The calendar has a line for each run with news, and counts those between."""

import re
from collections.abc import Sequence

from sr_bench.core.compare import Change
from sr_bench.history.calendar import News, RunRow
from sr_bench.report.terminal.calendar import calendar_lines
from tests.core.test_trend import info

WORSE = News("match -> differs", 2, ("a", "b"), (Change("weights", "aaaabbbb", "ccccdddd"),))
EDITED = News("match -> differs", 1, ("c",), (), (Change("claimed", "30.1", "30.2"),))


def row(day: int, *news: News, counts: str = "9 match", complete: bool = True) -> RunRow:
    return RunRow(info(day), complete, counts, news)


def cells(rows: Sequence[RunRow], limit: int = 20) -> list[list[str]]:
    return [re.split(" {2,}", line) for line in calendar_lines(rows, limit=limit)[2:]]


def test_a_run_with_news_says_it_with_its_cause() -> None:
    first, *more = cells([row(1, WORSE, EDITED)])
    start = ["2026-11-01 09:00", "run-1", "abc", "9 match"]
    assert first == [*start, "2 match -> differs: a, b (weights)"]
    assert more == [["", "1 match -> differs: c (claimed 30.1 -> 30.2)"]]


def test_many_edits_are_the_document() -> None:
    edited = News("match -> differs", 2, ("c",), (), EDITED.claimed * 2)
    assert cells([row(1, edited)])[0][-1] == "2 match -> differs: c (the document)"


def test_runs_without_news_are_counted_but_for_the_newest() -> None:
    quiet = [row(day) for day in range(2, 6)]
    assert [line[1] for line in cells([row(1), *quiet])] == ["run-1", "3 runs alike", "run-5"]


def test_other_counts_and_a_run_that_did_not_end_are_shown() -> None:
    rows = [row(1), row(2), row(3), row(4, complete=False), row(5, counts="1 match"), row(6)]
    shown = ["run-1", "2 runs alike", "run-4 (did not end)", "run-5", "run-6"]
    assert [line[1] for line in cells(rows)] == shown


def test_the_limit_counts_runs_not_lines() -> None:
    rows = [row(1, WORSE), row(2, WORSE, EDITED)]
    assert [line[1] for line in cells(rows, limit=1)[:1]] == ["run-2"]
    assert calendar_lines(rows, limit=1)[-1] == "and 1 older: see them with --limit 2"
