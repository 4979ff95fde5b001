"""The newest earlier record of each case and backend, across runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.compare import case_key
from sr_bench.history import earlier
from sr_bench.history.earlier import newest_of_each
from sr_bench.history.newest import newest_files
from tests.history.test_find_run import RECORD, add_run
from tests.report.records import without_value

OTHER = replace(RECORD, metric="ssim")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def test_a_run_counts_if_it_has_the_newest_value_of_a_case_and_backend(results: Path) -> None:
    add_run(results, 1, record=OTHER)
    expected = [add_run(results, 2, record=OTHER)]
    add_run(results, 3)
    expected.append(add_run(results, 4, record=replace(RECORD, backend="torch")))
    expected.append(add_run(results, 5))
    add_run(results, 6, record=without_value(RECORD))
    add_run(results, 7, ended=False)
    assert list(newest_files(results)) == expected[::-1]


def test_of_a_run_whose_file_was_deleted_an_older_one_counts(results: Path) -> None:
    expected = add_run(results, 1)
    add_run(results, 2).unlink()
    assert newest_files(results) == (expected,)
    assert newest_files(results / "none") == ()


def test_costs_have_no_backend(results: Path) -> None:
    add_run(results, 1, record=replace(RECORD, metric="params", backend="torch"))
    expected = add_run(results, 2, record=replace(RECORD, metric="params"))
    assert newest_files(results) == (expected,)


def test_an_older_run_lacks_the_cases_that_a_newer_one_measured(results: Path) -> None:
    files = [add_run(results, 2), add_run(results, 1, record=OTHER)]
    same = add_run(results, 3)
    runs = list(newest_of_each([same, *files]))
    assert [[record.metric for record in run.records] for run in runs] == [["psnr"], [], ["ssim"]]


def test_no_more_is_read_once_all_that_is_wanted_is_found(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [add_run(results, day) for day in (3, 2, 1)]
    read = []
    monkeypatch.setattr(earlier, "read_run", lambda path: read.append(path) or _read(path))
    list(newest_of_each(files, {case_key(RECORD)}))
    assert read == files[:1]


_read = earlier.read_run
