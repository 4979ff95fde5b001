"""``sr-bench blame`` says where the numbers of a line are from: the ledger, git, or nowhere."""

import subprocess
from pathlib import Path

import pytest

from tests.update_zoo import Zoo

A = "a_x2 fp32 psnr"


@pytest.fixture
def draft(draft: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """Return the zoo where git knows of no repository."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return draft


@pytest.fixture
def updated(sr_bench, draft: Zoo) -> Zoo:
    """Return the zoo after its first PSNR was updated."""
    run = draft.write(draft.session({A: 31.0}))
    assert sr_bench("update", run, "--reason", "retrained").code == 0
    return draft


def commit(zoo: Zoo, summary: str) -> None:
    for args in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=Ann", "-c", "user.email=a@b.c", "commit", "-q", "-m", summary],
    ):
        subprocess.run(["git", "-C", str(zoo.root), *args], check=True, capture_output=True)


def test_a_number_that_was_updated_is_explained_by_the_ledger(sr_bench, updated: Zoo) -> None:
    result = sr_bench("blame", "zoo/README.md:5:28")
    assert (result.code, result.err) == (0, "")
    first, previous, reason, measured, source = result.out.splitlines()
    assert first == "zoo/README.md:5:28: A fp32 PSNR: 31.00"
    assert previous.startswith("  was 30.10 until 20")
    assert reason == "  because: retrained"
    assert measured == "  measured by run 20261121T091430-b65233, onnxruntime (cpu), python 3.11.9"
    assert source == f"  fingerprint {'f1' * 32}, commit abc123def456"


def test_all_numbers_of_the_line_are_explained(sr_bench, updated: Zoo) -> None:
    result = sr_bench("blame", "zoo/README.md:5")
    numbers = [line for line in result.out.splitlines() if not line.startswith(" ")]
    assert [line.rpartition(" ")[2] for line in numbers] == ["1.00", "2.0", "31.00", "0.9100"]
    assert result.out.count("no record") == 3


def test_a_number_is_found_after_its_row_moved(sr_bench, updated: Zoo) -> None:
    updated.edit("# Zoo", "# Zoo\n\nMore.")
    result = sr_bench("blame", "zoo/README.md:7", "--column", "28")
    assert "because: retrained" in result.out


def test_a_number_that_was_edited_by_hand_since_is_reported(sr_bench, updated: Zoo) -> None:
    updated.edit("31.00", "32.00")
    result = sr_bench("blame", "zoo/README.md:5:28")
    assert "  edited by hand since: the ledger wrote 31.00\n" in result.out


def test_what_the_ledger_does_not_know_git_does(sr_bench, draft: Zoo) -> None:
    commit(draft, "print \x1b[31m it")
    result = sr_bench("blame", "zoo/README.md:7:27")
    assert "  last changed in commit " in result.out
    assert ", Ann: print \\x1b[31m it\n" in result.out
    assert "no record" not in result.out
    draft.edit("0.85", "0.86")
    assert "not committed yet" in sr_bench("blame", "zoo/README.md:7:27").out


def test_without_ledger_and_git_there_is_no_record(sr_bench, draft: Zoo) -> None:
    result = sr_bench("blame", "zoo/README.md:7:27")
    assert (result.code, "  no record: " in result.out) == (0, True)


def test_json_holds_the_same(sr_bench, updated: Zoo) -> None:
    (origin,) = sr_bench("blame", "zoo/README.md:5:28", "--json").json
    assert (origin["text"], origin["edited"], origin["commit"]) == ("31.00", False, None)
    assert origin["place"] == {"path": "zoo/README.md", "line": 5, "column": 28}
    assert (origin["ledger"]["old"], origin["ledger"]["reason"]) == ("30.10", "retrained")
    assert origin["about"]["metric"] == "psnr"


def test_a_damaged_line_of_the_ledger_is_a_warning(sr_bench, updated: Zoo) -> None:
    updated.ledger.write_text('{"schema_version": 2, "ol\x1b\n' + updated.ledger.read_text())
    result = sr_bench("blame", "zoo/README.md:5:28")
    assert "because: retrained" in result.out
    assert "sr-bench: warning: " in result.err
    assert "ledger.jsonl:1: damaged" in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize("column", [28, 32])
def test_any_column_of_a_number_is_good(sr_bench, draft: Zoo, column: int) -> None:
    assert "30.10" in sr_bench("blame", f"zoo/README.md:5:{column}").out


@pytest.mark.parametrize("column", ["27", "33", "0", "-1"])
def test_a_column_without_a_number_names_those_with_one(sr_bench, draft: Zoo, column: str) -> None:
    result = sr_bench("blame", "zoo/README.md:5", f"--column={column}")
    assert result.code == 2
    assert "they start at 13, 20, 28, 38" in result.err


@pytest.mark.parametrize("line", [1, 4, 99])
def test_a_line_without_numbers_is_an_error(sr_bench, draft: Zoo, line: int) -> None:
    result = sr_bench("blame", f"zoo/README.md:{line}")
    assert (result.code, f"zoo/README.md:{line}: expected numbers" in result.err) == (1, True)


@pytest.mark.parametrize("place", ["zoo/README.md", "zoo/README.md:0", "zoo/README.md:x", ":5"])
def test_a_place_that_names_no_line_is_a_wrong_command(sr_bench, draft: Zoo, place: str) -> None:
    assert sr_bench("blame", place).code == 2


def test_git_is_asked_only_where_the_ledger_does_not_explain_the_number(
    sr_bench, updated: Zoo
) -> None:
    commit(updated, "x")
    assert "last changed" not in sr_bench("blame", "zoo/README.md:5:28").out
    updated.edit("31.00", "32.00")
    assert "not committed yet" in sr_bench("blame", "zoo/README.md:5:28").out


def test_a_cell_without_a_number_has_no_origin(sr_bench, draft: Zoo) -> None:
    lines = sr_bench("blame", "zoo/README.md:7").out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines[::2]] == ["1.5", "0.85"]


def test_control_characters_of_paths_do_not_reach_the_terminal(sr_bench, updated: Zoo) -> None:
    updated.ledger.write_text("{")
    updated.readme.parent.rename("\x1b[31m")
    result = sr_bench("blame", "\x1b[31m/README.md:5")
    assert (result.code, "\x1b" in result.out + result.err) == (0, False)
    assert "\\x1b[31m/ledger.jsonl:1: damaged" in result.err


def test_a_cell_that_spans_rows_is_explained_for_each_of_them(sr_bench, tmp_path: Path) -> None:
    spans = "<tr><td>A</td><td rowspan=2>30.10</td></tr><tr><td>B</td></tr>"
    page = tmp_path / "page.html"
    page.write_text(f"<table><tr><th>Model</th><th>PSNR</th></tr>{spans}</table>", "utf-8")
    column = page.read_text("utf-8").index("30.10") + 1
    out = sr_bench("blame", f"{page}:1:{column}").out
    assert "A fp32 PSNR: 30.10" in out
    assert "B fp32 PSNR: 30.10" in out
