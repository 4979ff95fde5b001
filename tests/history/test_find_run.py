"""A run is found by its file, as the last one, by its name, and by its branch."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.history import Environment, SessionInfo
from sr_bench.core.record import Record
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from sr_bench.history.find_run import find_run
from sr_bench.history.store import SessionStore
from tests.report.records import record, without_value

ENVIRONMENT = Environment({}, "3.11", "Linux", "cpu", 2, "")
RECORD = record()


def add_run(
    results: Path, day: int, *, commit: str = "", record: Record = RECORD, ended: bool = True
) -> Path:
    name, start = f"202611{day:02}T091430-abcdef", f"2026-11-{day:02}T09:14:30+00:00"
    store = SessionStore(results, SessionInfo(name, start, replace(ENVIRONMENT, commit=commit)))
    store.start()
    store.add(record)
    if ended:
        store.finish([record])
    return store.lines


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    command = ["git", "-C", str(folder), *identity, *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, text: str) -> str:
    git(folder, "commit", "-q", "--allow-empty", "-m", text)
    return git(folder, "rev-parse", "--short=12", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "zoo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


def test_a_file_is_taken_as_it_is(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "latest.json"
    path.write_text("")
    assert find_run(str(path), results, tmp_path) == path


def test_a_file_takes_precedence_over_all_else(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(results, 3)
    (tmp_path / "last").write_text("")
    monkeypatch.chdir(tmp_path)
    assert find_run("last", results, tmp_path) == Path("last")


def test_the_last_run_is_the_newest_that_ended_and_measured(results: Path, tmp_path: Path) -> None:
    add_run(results, 2)
    expected = add_run(results, 3)
    add_run(results, 4, record=without_value(RECORD))
    add_run(results, 5, ended=False)
    assert find_run("last", results, tmp_path) == expected


def test_the_previous_run_is_the_one_before_the_last(results: Path, tmp_path: Path) -> None:
    expected = add_run(results, 2)
    add_run(results, 3)
    add_run(results, 5, ended=False)
    assert find_run("previous", results, tmp_path) == expected


def test_a_single_run_has_no_previous_one(results: Path, tmp_path: Path) -> None:
    add_run(results, 2)
    with pytest.raises(NotRunError, match=r"before the last"):
        find_run("previous", results, tmp_path)


def test_a_run_whose_file_was_deleted_is_passed_over(results: Path, tmp_path: Path) -> None:
    expected = add_run(results, 3)
    add_run(results, 4).unlink()
    assert find_run("last", results, tmp_path) == expected


@pytest.mark.parametrize("spec", ["20261104T091430-abcdef", "20261104"])
def test_a_run_is_found_by_its_name(results: Path, tmp_path: Path, spec: str) -> None:
    add_run(results, 3)
    expected = add_run(results, 4)
    add_run(results, 5)
    assert find_run(spec, results, tmp_path) == expected


def test_a_crashed_run_is_found_by_its_name(results: Path, tmp_path: Path) -> None:
    expected = add_run(results, 3, ended=False)
    assert find_run("20261103", results, tmp_path) == expected


def test_a_whole_name_is_not_the_start_of_another(results: Path, tmp_path: Path) -> None:
    store = SessionStore(results, SessionInfo("20261104", "", ENVIRONMENT))
    store.start()
    store.finish([RECORD])
    add_run(results, 4)
    assert find_run("20261104", results, tmp_path) == store.lines


def test_the_start_of_several_runs_names_them(results: Path, tmp_path: Path) -> None:
    for day in range(1, 8):
        add_run(results, day, commit="abc")
    newest = "20261107T091430-abcdef (abc), 20261106T091430-abcdef (abc), "
    with pytest.raises(OptionError, match="'2026' is the start of 7 runs: ") as raised:
        find_run("2026", results, tmp_path)
    assert newest in str(raised.value)
    assert str(raised.value).endswith(" and 2 more")


def test_a_run_name_takes_precedence_over_a_branch(results: Path, repository: Path) -> None:
    head = commit(repository, "one")
    git(repository, "branch", "20261103")
    expected = add_run(results, 3)
    add_run(results, 4, commit=head)
    assert find_run("20261103", results, repository) == expected


def test_a_branch_is_its_newest_run_also_of_an_older_commit(
    results: Path, repository: Path
) -> None:
    base = commit(repository, "one")
    commit(repository, "two, never measured")
    git(repository, "checkout", "-q", "-b", "topic")
    add_run(results, 3, commit=base)
    expected = add_run(results, 4, commit=base + "+dirty")
    topic = commit(repository, "three")
    newest = add_run(results, 5, commit=topic)
    add_run(results, 6, commit=topic, ended=False)
    assert find_run("main", results, repository) == expected
    assert find_run("topic", results, repository) == newest
    assert find_run(topic, results, repository) == newest
    assert find_run("topic~1", results, repository) == expected


def test_a_branch_without_a_run_says_what_there_is(results: Path, repository: Path) -> None:
    commit(repository, "one")
    for other in ("", "abc", "0123456789ab"):
        add_run(results, 3 + len(other), commit=other)
    with pytest.raises(NotRunError, match=r"no run of a commit that 'main' contains; there are 2"):
        find_run("main", results, repository)


def test_a_commit_that_is_too_short_matches_nothing(results: Path, repository: Path) -> None:
    head = commit(repository, "one")
    add_run(results, 3, commit=head[:6])
    with pytest.raises(NotRunError, match="no run of a commit"):
        find_run("main", results, repository)
    expected = add_run(results, 4, commit=head[:7])
    assert find_run("main", results, repository) == expected


@pytest.mark.parametrize(
    "spec",
    ["", "nightly", "--help", "-1", "--output=stolen", "a\0b", "x" * 300, "main..main", "^main"],
)
def test_an_unknown_name_says_what_there_is(
    results: Path, repository: Path, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    commit(repository, "one")
    add_run(results, 3, commit="0123456789ab")
    with pytest.raises(OptionError) as raised:
        find_run(spec, results, repository)
    assert "run or git revision of" in str(raised.value)
    assert str(raised.value).endswith("there are 20261103T091430-abcdef (0123456789ab)")
    assert sorted(path.name for path in repository.iterdir()) == [".git"]


def test_an_option_never_reaches_git(
    results: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(results, 3)
    monkeypatch.setenv("PATH", str(stub(repository)))
    with pytest.raises(OptionError):
        find_run("main", results, repository)
    assert (repository / "called").exists()
    (repository / "called").unlink()
    with pytest.raises(OptionError):
        find_run("--exec=main", results, repository)
    assert not (repository / "called").exists()


def stub(folder: Path) -> Path:
    """Return a folder with a git that only leaves a file behind."""
    (folder / "bin").mkdir()
    script = folder / "bin" / "git"
    script.write_text(f"#!/bin/sh\n: > {folder / 'called'}\nexit 1\n")
    script.chmod(0o755)
    return folder / "bin"


def test_without_git_a_branch_means_nothing(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(results, 3)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OptionError, match="run or git revision"):
        find_run("main", results, tmp_path)


@pytest.mark.parametrize("spec", ["last", "main", "nightly.json"])
def test_without_a_run_it_says_where_runs_would_be(
    results: Path, tmp_path: Path, spec: str
) -> None:
    message = rf"{re.escape(repr(spec))} is no file, and there is no run in .*{os.sep}history yet"
    with pytest.raises(NotRunError, match=message):
        find_run(spec, results, tmp_path)


def test_below_pytest_s_root_folder_it_says_where_runs_are(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(results, 3)
    below = tmp_path / "zoo" / "edsr"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    message = re.escape(f"--results {Path('..', '..', results.relative_to(tmp_path))}")
    with pytest.raises(NotRunError, match=message):
        find_run("last", results.relative_to(tmp_path), below)


@pytest.mark.parametrize("spec", ["last", "20261103"])
def test_a_deleted_file_is_distinguished_from_a_run_that_never_was(
    results: Path, tmp_path: Path, spec: str
) -> None:
    add_run(results, 3).unlink()
    with pytest.raises(
        NotRunError, match=r"no file is left of the runs .*: 20261103T091430-abcdef"
    ):
        find_run(spec, results, tmp_path)


def test_without_a_whole_run_there_is_no_last(results: Path, tmp_path: Path) -> None:
    add_run(results, 3, ended=False)
    with pytest.raises(NotRunError, match="there is no run that ended and measured something"):
        find_run("last", results, tmp_path)


def test_names_of_a_merged_index_move_no_cursor(results: Path, tmp_path: Path) -> None:
    add_run(results, 3)
    index = results / "history" / "index.jsonl"
    index.write_text(index.read_text().replace("20261103T", "\\u001b[2J"))
    with pytest.raises(OptionError) as raised:
        find_run("nightly", results, tmp_path)
    assert "\x1b" not in str(raised.value)
    assert "[2J091430" in str(raised.value)


def test_a_name_never_leads_out_of_the_history(results: Path, tmp_path: Path) -> None:
    add_run(results, 3)
    (results / "secret.jsonl").write_text("")
    index = results / "history" / "index.jsonl"
    index.write_text(index.read_text().replace("20261103T091430-abcdef", "../secret"))
    with pytest.raises(SrBenchError, match="no file is left"):
        find_run("../secret", results, tmp_path)
