"""A run is written line by line and as a whole, read back the same, and never in part."""

import errno
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.codec import encode
from sr_bench.core.detail import Detail
from sr_bench.core.history import HistoryEntry, SessionInfo, point
from sr_bench.core.record import Kept, Status, Verdict
from sr_bench.errors import SrBenchError
from sr_bench.history.store import SessionStore, read_run
from tests.report.records import CLAIM, record
from tests.sessions import ENVIRONMENT

INFO = SessionInfo("run-1", "2026-11-21T09:14:30+00:00", ENVIRONMENT)
RECORD = replace(
    record(value=math.inf),
    verdict=Verdict(Status.DIFFERS, "größer", 31.25, 30.1, 0.05),
    seconds=0.5,
    inputs={"network": "12", "data": "34"},
    place=CLAIM.source,
    kept=Kept("outputs/0f", "pairs/3a"),
)
RECORDS = (RECORD, replace(RECORD, case_id="n", claim=None, measurement=None, kept=None))


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "new" / "reports", INFO)


def write(store: SessionStore) -> Path:
    store.start()
    for row in RECORDS:
        store.add(row)
    return store.finish(RECORDS)


def index(store: SessionStore) -> Path:
    return store.folder / "history" / "index.jsonl"


def files(store: SessionStore) -> list[str]:
    paths = store.folder.rglob("*")
    found = (path for path in paths if path.is_file() and path.name != ".gitignore")
    return sorted(str(path.relative_to(store.folder)) for path in found)


def test_both_files_hold_the_run(store: SessionStore) -> None:
    latest = write(store)
    assert latest == store.folder / "latest.json"
    for path in (latest, store.lines):
        session = read_run(path)
        assert (session.records, session.info) == (RECORDS, INFO)
        assert (session.path, session.results) == (path, store.folder)


def test_both_files_say_schema_run_and_environment(store: SessionStore) -> None:
    latest = json.loads(write(store).read_text("utf-8"))
    first = json.loads(store.lines.read_text("utf-8").splitlines()[0])
    header = {key: latest[key] for key in ("schema_version", "run", "started", "environment")}
    assert first == header
    assert (header["schema_version"], header["run"]) == (2, "run-1")
    assert header["environment"]["packages"] == {"numpy": "2.0"}


def test_the_end_of_a_run_adds_a_line_of_history(store: SessionStore) -> None:
    store.start()
    assert not index(store).exists()
    write(store)
    (line,) = index(store).read_text().splitlines()
    expected = HistoryEntry(INFO, tuple(map(point, RECORDS)))
    whole = json.loads(line)
    assert re.fullmatch("[0-9a-f]{16}", whole.pop("cases"))
    assert whole == {"schema_version": 2, **encode(expected)}


def test_each_record_is_on_disk_as_soon_as_it_is_made(store: SessionStore) -> None:
    store.start()
    assert read_run(store.lines).records == ()
    store.add(RECORD)
    assert read_run(store.lines).records == (RECORD,)


def test_a_new_folder_of_results_is_hidden_from_git(store: SessionStore) -> None:
    store.folder.mkdir(parents=True)  # empty: as good as new
    write(store)
    assert (store.folder / ".gitignore").read_text().splitlines()[-1] == "*"


@pytest.mark.parametrize("name", [".gitignore", ".gitkeep", "notes.md"])
def test_a_folder_that_holds_something_is_left_to_its_owner(store: SessionStore, name: str) -> None:
    store.folder.mkdir(parents=True)
    (store.folder / name).write_text("mine")
    write(store)
    assert (store.folder / name).read_text() == "mine"
    assert name == ".gitignore" or not (store.folder / ".gitignore").exists()


def test_a_second_run_keeps_the_lines_of_the_first(store: SessionStore) -> None:
    write(store)
    write(SessionStore(store.folder, replace(INFO, run="run-2")))
    assert read_run(store.lines).records == RECORDS
    runs = [json.loads(line)["info"]["run"] for line in index(store).read_text().splitlines()]
    assert runs == ["run-1", "run-2"]
    assert files(store) == [
        "history/index.jsonl",
        "history/run-1.jsonl",
        "history/run-2.jsonl",
        "latest.json",
    ]


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.history.test_store import INFO, RECORD
from sr_bench.history.store import SessionStore
from tests.sessions import ENVIRONMENT

folder, name = Path(sys.argv[1]), sys.argv[2]
records = [replace(RECORD, case_id=str(number)) for number in range(40)]
input()  # until all writers are ready
for number in range(10):
    store = SessionStore(folder, replace(INFO, run=f"{name}-{number}"))
    store.start()
    store.finish(records)
"""


def test_writers_at_once_leave_whole_lines(tmp_path: Path, project_root: Path) -> None:
    def start(name: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", WRITER, str(tmp_path), name]
        return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=project_root, text=True)

    writers = [start(name) for name in "ab"]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    lines = (tmp_path / "history" / "index.jsonl").read_text().splitlines()
    names = sorted(json.loads(line)["info"]["run"] for line in lines)
    assert names == [f"{name}-{number}" for name in "ab" for number in range(10)]
    assert {len(json.loads(line)["points"]) for line in lines} == {40}


@pytest.mark.parametrize("name", ["latest.json", "history/run-1.jsonl"])
def test_a_run_of_schema_1_is_read(store: SessionStore, name: str) -> None:
    write(store)
    path = store.folder / name
    newer = ("started", "inputs", "place", "kept")

    def older(item: dict[str, object]) -> dict[str, object]:
        kept = {key: value for key, value in item.items() if key not in newer}
        return kept | ({"schema_version": 1} if "run" in item else {})

    if path.suffix == ".jsonl":
        lines = [older(json.loads(line)) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    else:
        whole = older(json.loads(path.read_text()))
        path.write_text(json.dumps(whole | {"records": [older(r) for r in whole["records"]]}))
    assert "place" not in path.read_text()
    session = read_run(path)
    assert session.info == replace(INFO, started="")
    assert session.records == tuple(replace(r, inputs={}, place=None, kept=None) for r in RECORDS)


def test_a_run_beside_the_results_is_read_with_its_folder(store: SessionStore) -> None:
    write(store)
    moved = store.lines.rename(store.folder / "old.jsonl")
    assert read_run(moved).results == store.folder


def test_no_file_names_the_home_folder(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    away = replace(
        RECORD, node_id="/home/ann/zoo/card.toml::x", detail=Detail(notes={"from": "/home/ann/a"})
    )
    store.start()
    store.add(away)
    text = store.finish([away]).read_text() + store.lines.read_text()
    assert "/home/ann" not in text
    assert text.count("~/zoo/card.toml::x") == 2


def test_a_folder_that_cannot_be_made_says_what_to_do(store: SessionStore) -> None:
    store.folder.parent.mkdir()
    store.folder.write_text("a file")
    with pytest.raises(SrBenchError, match=r"can't make the results folder.*--sr-results-path"):
        store.start()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_an_unwritable_folder_is_one_clear_error_and_leaves_nothing(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", refuse(number))
    with pytest.raises(SrBenchError, match=r"cannot write .*run-1\.jsonl: .*(full|folder)"):
        store.start()
    assert files(store) == []


def refuse(number: int):
    def refused(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refused


def test_a_full_disk_leaves_the_lines_that_were_written(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.start()
    store.add(RECORD)
    before, write_all = store.lines.read_bytes(), os.write
    pieces = iter([20])  # the disk takes 20 bytes of the line, then no more

    def write_some(handle: int, data: bytes) -> int:
        left = next(pieces, 0)
        return write_all(handle, data[:left]) if left else refuse(errno.ENOSPC)()

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(SrBenchError, match=r"run-1\.jsonl: the disk is full: free some space"):
        store.add(RECORDS[1])
    assert store.lines.read_bytes() == before


def test_a_full_disk_leaves_the_whole_of_the_run_before(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = write(store)
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(SrBenchError, match=r"latest\.json: the disk is full"):
        store.finish(RECORDS[:1])
    assert read_run(latest).records == RECORDS
    assert files(store) == ["history/index.jsonl", "history/run-1.jsonl", "latest.json"]
    assert len(index(store).read_text().splitlines()) == 1


@pytest.mark.parametrize("name", ["latest.json", "history/run-1.jsonl"])
def test_a_newer_schema_is_refused(store: SessionStore, name: str) -> None:
    write(store)
    path = store.folder / name
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 3'))
    with pytest.raises(SrBenchError, match=r"schema 3 is newer than 2.*update sr-bench"):
        read_run(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", ""),
        ("a.json", "null"),
        ("a.json", '{"schema_version": 1}'),
        ("a.json", '{"schema_version": "1", "records": []}'),
        ("a.json", '{"schema_version": 1, "records": [{"case_id": "x"}]}'),
        ("a.jsonl", ""),
        ("a.jsonl", '{"schema_version": 1}\n{"case_id": '),
        ("a.jsonl", '{"run": "a"}\n'),
        ("a.json", "[" * 100_000),
        ("a.json", '{"schema_version": 1, "run": NaN, "records": []}'),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SrBenchError, match=rf"{name}: not a run of sr-bench"):
        read_run(tmp_path / name)


def test_a_damaged_line_is_named_with_what_to_do(store: SessionStore) -> None:
    write(store)
    with store.lines.open("ab") as file:
        file.truncate(file.tell() - 9)
    message = r"run-1\.jsonl:3: not a record of sr-bench \(.*delete it: those before it are whole"
    with pytest.raises(SrBenchError, match=message):
        read_run(store.lines)


@pytest.mark.parametrize("name", ["latest.json", "history/run-1.jsonl"])
def test_a_value_that_is_not_a_number_is_refused(store: SessionStore, name: str) -> None:
    write(store)
    path = store.folder / name
    path.write_text(path.read_text().replace("31.25", "NaN"))
    with pytest.raises(SrBenchError, match="NaN is no value"):
        read_run(path)


def test_a_schema_that_is_not_a_number_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema_version": "1", "records": []}')
    with pytest.raises(SrBenchError, match="expected a schema_version, a number, got '1'"):
        read_run(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_run_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    header = {"schema_version": 2, "run": 5, "environment": encode(ENVIRONMENT)}
    (tmp_path / name).write_text(json.dumps(header | ({} if "l" in name[-1] else {"records": []})))
    with pytest.raises(SrBenchError, match=r"SessionInfo\.run: expected str, got 5"):
        read_run(tmp_path / name)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SrBenchError, match=r"latest\.json: not a run of sr-bench"):
        read_run(tmp_path / "latest.json")
