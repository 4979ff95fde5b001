"""``sr-bench report`` builds the report beside the run, and says what it left out."""

import json
from pathlib import Path

import pytest

from sr_bench.cli import main
from tests.report.html.zoo import history_of, keep_images, past_session, records_of, write_run


@pytest.fixture
def latest(tmp_path: Path) -> Path:
    records = records_of("m")
    keep_images(tmp_path, records)
    return write_run(past_session(tmp_path, records), history_of(records))


def test_the_report_lies_beside_the_run(latest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(latest)]) == 0
    assert (latest.parent / "html" / "index.html").is_file()
    assert [*(latest.parent / "html").glob("trend-*.html")]
    assert "3 pages built, 0 kept" in capsys.readouterr().out


def test_missing_images_are_reported(latest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (latest.parent / "outputs/m-fp16/0000.png").unlink()
    assert main(["report", str(latest), "--out", str(latest.parent / "else")]) == 0
    assert "1 kept images are gone, such as outputs/m-fp16/0000.png" in capsys.readouterr().out
    assert (latest.parent / "else" / "index.html").is_file()


def test_a_run_that_is_not_there_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # elsewhere there may be runs
    assert main(["report", str(tmp_path / "latest.json")]) == 3
    assert "there is no run in" in capsys.readouterr().err


def test_a_run_of_a_newer_schema_is_refused_and_nothing_written(
    latest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(latest.read_text())
    latest.write_text(json.dumps({**data, "schema_version": 99}))
    assert main(["report", str(latest)]) == 1
    assert "schema 99 is newer" in capsys.readouterr().err
    assert not (latest.parent / "html").exists()


def test_too_few_bytes_are_refused(latest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(latest), "--max-mb", "0"]) == 2
    assert "expected at least 1" in capsys.readouterr().err
