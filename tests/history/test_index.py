"""All runs of a folder are listed once and in order, whatever merges and crashes left."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.history import Point, SessionInfo, point
from sr_bench.core.record import Record
from sr_bench.errors import SrBenchError
from sr_bench.history.index import History, read_history
from sr_bench.history.store import SessionStore
from tests.report.records import record
from tests.sessions import ENVIRONMENT

RECORDS = tuple(replace(record(), case_id=name) for name in "ab")
POINTS = tuple(map(point, RECORDS))


def info(day: int) -> SessionInfo:
    return SessionInfo(
        f"202611{day:02}T091430-aaaaaa", f"2026-11-{day:02}T09:14:30+00:00", ENVIRONMENT
    )


def crashed(results: Path, day: int, records: Iterable[Record] = RECORDS) -> SessionStore:
    """Write a run as a session leaves it that is killed before its end."""
    store = SessionStore(results, info(day))
    store.start()
    for entry in records:
        store.add(entry)
    return store


def ended(results: Path, day: int) -> SessionStore:
    store = crashed(results, day)
    store.finish(RECORDS)
    return store


def days(history: History) -> list[int]:
    return [int(entry.info.run[6:8]) for entry in history.entries]


def index(results: Path) -> Path:
    return results / "history" / "index.jsonl"


def test_no_folder_is_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "reports") == History()


def test_runs_are_read_with_their_points_and_files(tmp_path: Path) -> None:
    stores = [ended(tmp_path, day) for day in (3, 4)]
    history = read_history(tmp_path)
    assert [entry.info for entry in history.entries] == [info(3), info(4)]
    assert [entry.points for entry in history.entries] == [POINTS, POINTS]
    assert history.files == tuple(store.lines for store in stores)
    assert (history.faults, history.incomplete) == ((), frozenset())


def test_runs_are_in_the_order_of_their_start(tmp_path: Path) -> None:
    for day in (5, 3, 4):
        ended(tmp_path, day)
    assert days(read_history(tmp_path)) == [3, 4, 5]


def test_a_run_of_schema_1_is_ordered_by_its_name(tmp_path: Path) -> None:
    for day in (5, 4):
        ended(tmp_path, day)
    old = index(tmp_path).read_text().replace(info(4).started, "")
    index(tmp_path).write_text(old.replace('"schema_version": 2', '"schema_version": 1'))
    assert days(read_history(tmp_path)) == [4, 5]


def test_merged_indexes_list_each_run_once(tmp_path: Path) -> None:
    for day in (3, 4):
        ended(tmp_path / "a", day)
    for day in (4, 5):
        ended(tmp_path / "b", day)
    index(tmp_path / "b").rename(tmp_path / "a" / "history" / "index-other.jsonl")
    history = read_history(tmp_path / "a")
    assert days(history) == [3, 4, 5]
    assert history.faults == ()


def test_lines_that_a_merge_left_twice_count_once(tmp_path: Path) -> None:
    ended(tmp_path, 3)
    index(tmp_path).write_text(index(tmp_path).read_text() * 2 + "\n")
    history = read_history(tmp_path)
    assert (days(history), history.faults) == ([3], ())


def test_a_pruned_run_keeps_its_place(tmp_path: Path) -> None:
    ended(tmp_path, 3).lines.unlink()
    history = read_history(tmp_path)
    assert (days(history), history.files) == ([3], ())


def test_a_run_that_crashed_is_listed_and_marked(tmp_path: Path) -> None:
    ended(tmp_path, 3)
    crashed(tmp_path, 4, RECORDS[:1])
    history = read_history(tmp_path)
    assert days(history) == [3, 4]
    assert history.entries[1].points == POINTS[:1]
    assert history.incomplete == {info(4).run}


def test_what_a_crash_cut_off_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    store = crashed(tmp_path, 4)
    cut(store.lines)
    history = read_history(tmp_path)
    assert history.entries[0].points == POINTS[:1]
    (fault,) = history.faults
    assert fault.startswith(f"{store.lines}:3: damaged, so left out (")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def test_a_truncated_line_is_replaced_by_the_runs_own_file(tmp_path: Path) -> None:
    for day in (3, 4):
        ended(tmp_path, day)
    cut(index(tmp_path))
    history = read_history(tmp_path)
    assert days(history) == [3, 4]
    assert history.entries[1].points == POINTS
    assert history.incomplete == frozenset()
    (fault,) = history.faults
    assert fault.startswith(f"{index(tmp_path)}:2: damaged, so left out (")


def test_a_truncated_line_without_a_file_is_named_and_skipped(tmp_path: Path) -> None:
    for day in (3, 4):
        ended(tmp_path, day).lines.unlink()
    cut(index(tmp_path))
    ended(tmp_path, 5)
    history = read_history(tmp_path)
    assert days(history) == [3, 5]
    assert len(history.faults) == 1


def entry(**changes: object) -> dict[str, object]:
    line = {"schema_version": 2, "info": json.loads(LINE)["info"], "points": [POINT]}
    return line | changes


LINE = json.dumps(
    {
        "info": {
            "run": "r",
            "started": "",
            "environment": {
                "packages": {},
                "python": "3.11",
                "system": "Linux",
                "cpu": "c",
                "cores": 2,
                "commit": "abc",
            },
        }
    }
)
POINT: dict[str, object] = {
    **dict.fromkeys(("case_id", "family", "model", "metric", "precision", "dataset"), "x"),
    **dict.fromkeys(("backend", "device", "protocol", "fingerprint"), "x"),
    **{"status": "match", "value": 1.5, "claimed": None, "tolerance": None},
    **{"images": 1, "planned": 1, "inputs": {}},
}


def test_a_whole_line_is_read(tmp_path: Path) -> None:
    write_index(tmp_path, json.dumps(entry()))
    (only_entry,) = read_history(tmp_path).entries
    assert only_entry.points[0].value == 1.5


def test_an_infinite_value_is_read(tmp_path: Path) -> None:
    write_index(tmp_path, json.dumps(entry(points=[POINT | {"value": "inf"}])))
    assert points(read_history(tmp_path))[0].value == float("inf")


def write_index(results: Path, *lines: str) -> None:
    index(results).parent.mkdir()
    index(results).write_text("".join(line + "\n" for line in lines))


INFO = json.loads(LINE)["info"]


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        "[" * 100_000,
        "\x00",
        json.dumps({"schema_version": 2}),
        json.dumps(entry(schema_version="2")),
        json.dumps(entry(info=[])),
        json.dumps(entry(points={})),
        json.dumps(entry(points=["x"])),
        json.dumps(entry(info=INFO | {"run": 3})),
        json.dumps(entry(info=INFO | {"environment": INFO["environment"] | {"packages": []}})),
        json.dumps(entry(info=INFO | {"environment": INFO["environment"] | {"cpu": 3}})),
        json.dumps(
            entry(info=INFO | {"environment": INFO["environment"] | {"packages": {"a": 1}}})
        ),
        json.dumps(entry(points=[POINT | {"value": float("nan")}])),
        json.dumps(entry(points=[POINT | {"claimed": "nan"}])),
        json.dumps(entry(points=[POINT | {"value": "fast"}])),
        json.dumps(entry(points=[POINT | {"value": 10**400}])),
        json.dumps(entry(points=[{"value": 1.5}])),
        json.dumps(entry(points=[POINT | {"status": "splendid"}])),
        json.dumps(entry(points=[POINT | {"model": ["m"]}])),
        json.dumps(entry(points=[POINT | {"images": "two"}])),
        json.dumps(entry(points=[POINT | {"inputs": ["data"]}])),
        json.dumps(entry(points=[POINT | {"inputs": {"data": 3}}])),
        json.dumps(entry(points=[POINT | {"colour": "red"}])),
    ],
)
def test_a_damaged_line_is_reported_once_and_hides_no_other(tmp_path: Path, line: str) -> None:
    write_index(tmp_path, line, json.dumps(entry(info=INFO | {"run": "another"})))
    history = read_history(tmp_path)
    assert len(history.entries) == 1
    (fault,) = history.faults
    assert fault.startswith(f"{index(tmp_path)}:1: damaged, so left out (")
    assert len(fault) < 400


def test_runs_of_a_newer_schema_are_reported_in_one_sentence(tmp_path: Path) -> None:
    for day in (3, 4, 5):
        store = ended(tmp_path, day)
        if day > 3:
            newer(store.lines)
    newer(index(tmp_path), first=2)
    history = read_history(tmp_path)
    assert days(history) == [3]
    (fault,) = history.faults
    assert fault == (
        f"{tmp_path / 'history'}: 2 runs are of a schema newer than 2, so left out; update sr-bench"
    )


def newer(path: Path, first: int = 1) -> None:
    lines = path.read_text().splitlines(keepends=True)
    for number in range(first - 1, len(lines)):
        lines[number] = lines[number].replace('"schema_version": 2', '"schema_version": 3')
    path.write_text("".join(lines))


@pytest.mark.parametrize("text", ["", "hello\n", "{}\n", '{"schema_version": 2}\n'])
def test_a_file_that_is_not_a_run_is_named(tmp_path: Path, text: str) -> None:
    ended(tmp_path, 3)
    (tmp_path / "history" / "notes.jsonl").write_text(text)
    history = read_history(tmp_path)
    assert days(history) == [3]
    assert len(history.faults) == 1
    assert "notes.jsonl:1: damaged" in history.faults[0]


def test_a_copy_of_a_run_under_another_name_counts_once(tmp_path: Path) -> None:
    store = ended(tmp_path, 3)
    store.lines.rename(store.lines.with_name("mine.jsonl"))
    history = read_history(tmp_path)
    assert (days(history), history.incomplete) == ([3], frozenset())


def test_a_run_with_a_line_of_history_needs_no_file(tmp_path: Path) -> None:
    store = ended(tmp_path, 3)
    store.lines.write_text("damaged")
    (store.lines.parent / "notes.txt").write_text("not ours")
    history = read_history(tmp_path)
    assert (days(history), history.faults, history.files) == ([3], (), (store.lines,))


def test_one_run_of_a_newer_schema_is_counted_as_one(tmp_path: Path) -> None:
    newer(crashed(tmp_path, 3).lines)
    (fault,) = read_history(tmp_path).faults
    assert "history: 1 run is of a schema newer than 2" in fault


def test_a_line_that_is_not_an_object_is_named(tmp_path: Path) -> None:
    write_index(tmp_path, "[1]")
    (fault,) = read_history(tmp_path).faults
    assert fault.endswith("(expected a JSON object, got [1])")


def test_a_damaged_point_of_a_crashed_run_is_left_out(tmp_path: Path) -> None:
    store = crashed(tmp_path, 3, RECORDS[:1])
    text = store.lines.read_text()
    with store.lines.open("a") as file:
        file.write(text.splitlines()[1].replace('"model": "m_x2"', '"model": 3') + "\n")
    history = read_history(tmp_path)
    assert [point.model for point in points(history)] == ["m_x2"]
    assert len(history.faults) == 1


def points(history: History) -> list[Point]:
    return [point for entry in history.entries for point in entry.points]


def test_an_index_that_is_a_folder_is_explained(tmp_path: Path) -> None:
    index(tmp_path).mkdir(parents=True)
    with pytest.raises(SrBenchError, match=r"cannot read .*index\.jsonl: this is a folder"):
        read_history(tmp_path)
