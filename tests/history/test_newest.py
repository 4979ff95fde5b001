"""Of a long history only the newest runs are read; the rest is passed over by how lines begin."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.history import SessionInfo
from sr_bench.core.record import Record
from sr_bench.history.index import Reader, mend_index, read_history
from sr_bench.history.newest import newest_files, newest_runs
from sr_bench.history.store import SessionStore
from tests.history.test_index import cut, index
from tests.report.records import record, without_value
from tests.sessions import ENVIRONMENT

A, B = ("zoo", "a"), ("zoo", "b")
OF_A, OF_B = (replace(record(), model=model, case_id=model) for _, model in (A, B))


def ended(results: Path, day: int, *records: Record) -> Path:
    """Write the run of a day, which ended; return its file."""
    name = f"202611{day:02}T091430-aaaaaa"
    info = SessionInfo(name, f"2026-11-{day:02}T09:14:30+00:00", ENVIRONMENT)
    store = SessionStore(results, info)
    store.start()
    for one in records:
        store.add(one)
    store.finish(records)
    return store.lines


def days(results: Path, models: Sequence[tuple[str, str]], count: int) -> list[int]:
    entries = newest_runs(results, models, count).entries
    return [int(entry.info.run[6:8]) for entry in entries]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of the lines that are read as a whole."""
    numbers: list[int] = []
    read_line = Reader.read_line

    def counted(reader: Reader, line):
        numbers.append(line.number)
        return read_line(reader, line)

    monkeypatch.setattr(Reader, "read_line", counted)
    return numbers


def test_only_the_newest_runs_are_read(tmp_path: Path, read: list[int]) -> None:
    for day in range(1, 8):
        ended(tmp_path, day, OF_A)
    assert days(tmp_path, [A], 2) == [6, 7]
    assert read == [7, 6]


def test_each_model_has_its_newest_runs_whatever_others_ran_since(
    tmp_path: Path, read: list[int]
) -> None:
    for day, records in enumerate([[OF_A], [OF_A, OF_B], [OF_A], *[[OF_B]] * 5], start=1):
        ended(tmp_path, day, *records)
    assert days(tmp_path, [A, B], 2) == [2, 3, 7, 8]
    assert read == [8, 7, 3, 2]  # of the other runs of B it is known that A is not in them
    assert days(tmp_path, [A], 9) == [1, 2, 3]
    assert days(tmp_path, [("zoo", "new")], 9) == days(tmp_path, [], 9) == []


def test_runs_are_the_newest_by_their_start_not_by_their_line(tmp_path: Path) -> None:
    for day in (5, 6, 1, 2):
        ended(tmp_path, day, OF_A)
    assert days(tmp_path, [A], 2) == [5, 6]


def test_lines_of_earlier_versions_and_runs_without_a_line_count(tmp_path: Path) -> None:
    for day in (1, 2):
        ended(tmp_path, day, OF_A)
    lines = [json.loads(line) for line in index(tmp_path).read_text().splitlines()]
    for line in lines:
        del line["cases"]
    index(tmp_path).write_text(json.dumps(lines[0]) + "\n")
    assert days(tmp_path, [A], 5) == [1, 2]
    assert newest_runs(tmp_path, [A], 1).incomplete == {"20261102T091430-aaaaaa"}


def test_the_same_is_read_as_of_all(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        ended(tmp_path, day, OF_A, OF_B)
    assert newest_runs(tmp_path, [A], 9) == read_history(tmp_path)
    assert newest_runs(tmp_path / "none", [A], 9) == read_history(tmp_path / "none")


def test_equal_points_are_read_once(tmp_path: Path) -> None:
    ended(tmp_path, 1, replace(OF_A, precision="fp16"))
    for day in (2, 3):
        ended(tmp_path, day, OF_A, OF_B)
    first, second, third = read_history(tmp_path).entries
    assert second.points is third.points
    assert [point.precision for point in first.points] == ["fp16"]
    assert [entry.info.run[6:8] for entry in (first, second, third)] == ["01", "02", "03"]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_damaged_line_is_replaced_and_mended_once(tmp_path: Path, at: int) -> None:
    for day in (1, 2, 3):
        ended(tmp_path, day, OF_A)
    lines = index(tmp_path).read_text().splitlines()
    lines[at - 1] = lines[at - 1][:-40]
    index(tmp_path).write_text("\n".join(lines) + "\n" * (at != 3))
    history = newest_runs(tmp_path, [A], 1)
    assert [entry.info.run[6:8] for entry in history.unlisted] == [f"0{at}"]
    (fault,) = history.faults
    assert fault.startswith(f"{index(tmp_path)}:{at}: damaged, so left out (")
    told = f"{index(tmp_path)}: 1 line made again from the files of single runs"
    assert mend_index(tmp_path, history) == told
    mended = newest_runs(tmp_path, [A], 9)
    assert (mended.faults, mended.unlisted, mended.incomplete) == ((), (), frozenset())
    assert len(mended.entries) == 3
    assert mend_index(tmp_path, mended) == ""
    assert read_history(tmp_path).faults == ()


def test_a_line_that_is_damaged_inside_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    for day in (1, 2):
        ended(tmp_path, day, OF_A)
    text = index(tmp_path).read_text()
    at = text.rindex('"status"')
    index(tmp_path).write_text(text[:at] + '"sta\x01us"' + text[at + 8 :])
    history = newest_runs(tmp_path, [A], 2)
    assert [len(entry.points) for entry in history.entries] == [1, 1]
    assert [entry.info.run[6:8] for entry in history.unlisted] == ["02"]


def test_what_a_line_lost_is_not_made_up(tmp_path: Path) -> None:
    ended(tmp_path, 1, OF_A)
    ended(tmp_path, 2, OF_A).unlink()
    cut(index(tmp_path))
    history = newest_runs(tmp_path, [A], 9)
    assert (len(history.entries), len(history.faults), history.unlisted) == (1, 1, ())


def test_the_newest_value_of_each_case_is_found_in_few_lines(
    tmp_path: Path, read: list[int]
) -> None:
    ended(tmp_path, 1, OF_A)
    of_b = ended(tmp_path, 2, OF_B)
    for day in range(3, 7):
        last = ended(tmp_path, day, OF_A, without_value(OF_B))
    assert newest_files(tmp_path) == (last, of_b)
    assert read == [6, 2, 1]
