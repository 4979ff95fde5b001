"""A run is written line by line and as a whole, read back the same, and never half."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.errors import SrBenchError
from sr_bench.history.environment import Environment
from sr_bench.history.store import RunStore, read_run

ENVIRONMENT = Environment({"numpy": "2.0"}, "3.11", "Linux", "cpu", 2, "abc", {})
CLAIM = Claim("psnr", "30.1", "M", "", Precision.FP32, "", "", "", Source("README.md", 3, 9))
RECORD = Record(
    case_id="m-fp32-set5_x2-psnr",
    node_id="zoo/card.toml::m-fp32-set5_x2-psnr",
    family="zoo",
    model="m",
    metric="psnr",
    precision="fp32",
    dataset="set5_x2",
    backend="torch",
    device="cpu",
    protocol="paper_y",
    fingerprint="ab" * 32,
    verdict=Verdict(Status.DIFFERS, "größer", 31.25, 30.1, 0.05),
    claim=CLAIM,
    measurement=Measurement("psnr", "dB", 31.25, (ImageScore("a", float("inf")),), 1),
    seconds=0.5,
)
RECORDS = (RECORD, replace(RECORD, case_id="n", claim=None, measurement=None))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "new" / "reports", "run-1", ENVIRONMENT)


def write(store: RunStore) -> Path:
    store.start()
    for record in RECORDS:
        store.add(record)
    return store.finish(RECORDS)


def test_both_files_give_the_records_back(store: RunStore) -> None:
    latest = write(store)
    assert latest == store.folder / "latest.json"
    assert read_run(latest) == RECORDS
    assert read_run(store.lines) == RECORDS


def test_both_files_say_schema_run_and_environment(store: RunStore) -> None:
    latest = json.loads(write(store).read_text("utf-8"))
    first = json.loads(store.lines.read_text("utf-8").splitlines()[0])
    header = {key: latest[key] for key in ("schema_version", "run", "environment")}
    assert first == header
    assert (header["schema_version"], header["run"]) == (1, "run-1")
    assert header["environment"]["packages"] == {"numpy": "2.0"}


def test_each_record_is_on_disk_as_soon_as_it_is_made(store: RunStore) -> None:
    store.start()
    assert read_run(store.lines) == ()
    store.add(RECORD)
    assert read_run(store.lines) == (RECORD,)


def test_a_second_run_keeps_the_lines_of_the_first(store: RunStore) -> None:
    write(store)
    write(RunStore(store.folder, "run-2", ENVIRONMENT))
    assert read_run(store.lines) == RECORDS
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "latest.json",
        "run-1.jsonl",
        "run-2.jsonl",
    ]


def test_no_file_names_the_home_folder(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    away = replace(RECORD, node_id="/home/ann/zoo/card.toml::x", detail={"from": ["/home/ann/a"]})
    store.start()
    store.add(away)
    text = store.finish([away]).read_text() + store.lines.read_text()
    assert "/home/ann" not in text
    assert text.count("~/zoo/card.toml::x") == 2


def test_a_folder_that_cannot_be_made_says_what_to_do(store: RunStore) -> None:
    store.folder.parent.mkdir()
    store.folder.write_text("a file")
    with pytest.raises(SrBenchError, match=r"can't make the results folder.*--sr-results-path"):
        store.start()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_an_unwritable_folder_is_one_clear_error_and_leaves_nothing(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", refuse(number))
    with pytest.raises(SrBenchError, match=r"cannot write .*run-1\.jsonl: .*(full|folder)"):
        store.start()
    assert list(store.folder.iterdir()) == []


def refuse(number: int):
    def refused(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refused


def test_a_full_disk_leaves_the_lines_that_were_written(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
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
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = write(store)
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(SrBenchError, match=r"latest\.json: the disk is full"):
        store.finish(RECORDS[:1])
    assert read_run(latest) == RECORDS
    assert {path.name for path in store.folder.iterdir()} == {"latest.json", "run-1.jsonl"}


@pytest.mark.parametrize("name", ["latest.json", "run-1.jsonl"])
def test_a_newer_schema_is_refused(store: RunStore, name: str) -> None:
    write(store)
    path = store.folder / name
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(SrBenchError, match=r"schema 2 is newer than 1.*update sr-bench"):
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
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SrBenchError, match=rf"{name}: not a run of sr-bench"):
        read_run(tmp_path / name)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SrBenchError, match=r"latest\.json: not a run of sr-bench"):
        read_run(tmp_path / "latest.json")
