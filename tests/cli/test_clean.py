"""``sr-bench clean`` says what goes and how much, and leaves what baselines name."""

import errno
import os
import re
from pathlib import Path

import pytest

from tests.history.test_clean import ended, keep, name


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sr_bench) -> Path:
    monkeypatch.chdir(tmp_path)
    for day, letter in ((1, "a"), (2, "b"), (3, "c")):
        ended(tmp_path / "reports", day, letter)
    return tmp_path / "reports"


def runs(reports: Path) -> list[str]:
    return sorted(path.stem for path in (reports / "history").glob("2*.jsonl"))


def test_a_dry_run_removes_nothing_and_says_the_same(sr_bench, reports: Path) -> None:
    result = sr_bench("clean", "--keep-runs", 1, "--dry-run")
    assert (result.code, result.err, len(runs(reports))) == (0, "", 3)
    folders, files, total = result.out.splitlines()
    assert folders == "4 folders of images of 2026-11-01, 4.0 KB: no run that stays names them"
    assert re.match(r"2 files of runs of 2026-11-01 to 2026-11-02, \d\.\d KB: ", files)
    assert re.fullmatch(r"\d\.\d KB would go, \d\.\d KB stay", total)
    done = sr_bench("clean", "--keep-runs", 1)
    assert done.out == result.out.replace("would go", "gone")
    assert runs(reports) == [name(3)]
    assert len(list((reports / "outputs").iterdir())) == 2


def test_runs_of_baselines_and_ledgers_stay(sr_bench, reports: Path) -> None:
    for folder, file, day in (("a", "gate_baseline.toml", 1), ("b", "ledger.jsonl", 2)):
        (reports.parent / "zoo" / folder).mkdir(parents=True)
        approved = f"2026-11-03 by somebody from {name(day)}: right"
        (reports.parent / "zoo" / folder / file).write_text(approved)
    assert sr_bench("clean", "--older-than", "0h").code == 0
    assert runs(reports) == [name(day) for day in (1, 2, 3)]
    sr_bench("clean", "--older-than", "0h", "--suites", "zoo/b")
    assert runs(reports) == [name(day) for day in (2, 3)]


def test_where_baselines_can_not_be_looked_for_nothing_goes(
    sr_bench, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = sr_bench("clean", "--older-than", "0h", "--suites", "sweets")
    assert (result.code, len(runs(reports))) == (2, 3)
    assert "--suites sweets: expected the folder of your suites, got none there" in result.err
    closed = reports.parent / "zoo" / "closed"
    closed.mkdir(parents=True)
    scandir = os.scandir

    def denied(folder: str) -> object:  # a test may run as root, who may read all
        if folder == "zoo/closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", denied)
    result = sr_bench("clean", "--older-than", "0h", "--suites", "zoo")
    assert (result.code, len(runs(reports))) == (1, 3)
    assert "zoo/closed: Permission denied, and a baseline in it would hold runs" in result.err


def test_json_names_each_part(sr_bench, reports: Path) -> None:
    (reports / "outputs").rename(reports / "other")
    keep(reports / "outputs" / f"pairs-{'e' * 16}")
    result = sr_bench("clean", "--json", "--max-size", "2GB")
    told = result.json
    assert (told["dry_run"], told["bytes"], told["faults"]) == (False, 1000, [])
    (part,) = told["gone"]
    assert (part["kind"], part["path"]) == ("images", f"reports/outputs/pairs-{'e' * 16}")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--older-than", "30", "expected a number of hours, days or weeks: 12h, 30d or 8w"),
        ("--max-size", "much", "expected a size such as 2GB or 500MB"),
        ("--max-size", "-5GB", "expected a size such as 2GB or 500MB"),
        ("--keep-runs", "0", "expected a number of runs, at least 1"),
    ],
)
def test_a_limit_that_is_none_is_refused(sr_bench, option: str, value: str, expected: str) -> None:
    result = sr_bench("clean", f"{option}={value}")
    assert (result.code, result.err) == (2, f"sr-bench: {option} {value}: {expected}\n")


def test_nothing_is_no_error(sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = sr_bench("clean")
    assert (result.code, result.out) == (0, "nothing gone, 0.0 KB stay\n")
    assert list(tmp_path.iterdir()) == []
