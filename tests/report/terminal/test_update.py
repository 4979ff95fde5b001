"""The text of an update: a diff that tools take, and the reasons for what was left out."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.cell import CellKey
from sr_bench.core.update import Edit, Update, group
from sr_bench.document.diff import unified_diff
from sr_bench.report.terminal.update import update_lines
from tests.report.records import CLAIM, record
from tests.report.sessions import with_floor


def empty(**fields: object) -> Update:
    defaults = {"edits": (), "gaps": (), "diff": "", "left_out": (), "refused": (), "written": True}
    return Update(**(defaults | fields))


def test_a_missing_last_line_feed_is_shown_as_diff_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unified_diff(tmp_path / "a" / "b.md", "x\ny", "x\nz") == (
        "--- a/a/b.md\n+++ b/a/b.md\n@@ -1,2 +1,2 @@\n x\n-y\n\\ No newline at end of file\n"
        "+z\n\\ No newline at end of file\n"
    )


def test_line_ends_that_only_some_tools_know_split_no_lines() -> None:
    diff = unified_diff(Path("a"), "x\x0by\u2028z\r\n", "x\x0by\u2028!\r\n")
    assert diff.splitlines(keepends=False)[0] == "--- a/a"
    assert "\n-x\x0by\u2028z\r\n+x\x0by\u2028!\r\n" in diff


def test_the_same_text_has_no_diff() -> None:
    assert unified_diff(Path("a"), "x", "x") == ""


def test_reasons_are_listed_once_with_the_first_places() -> None:
    pairs = [("too few images", f"README.md:{n}:1") for n in range(1, 8)]
    lines = update_lines(empty(left_out=group([*pairs, ("other", "z")])))
    assert lines == [
        "0 numbers updated",
        "left out, 7 x too few images",
        *(f"  README.md:{n}:1" for n in range(1, 6)),
        "  and 2 more",
        "left out, 1 x other",
        "  z",
    ]


def test_nothing_to_write_says_why() -> None:
    told = "0 numbers updated: the documents have what the run measured"
    assert update_lines(empty()) == [told]
    assert update_lines(empty(refused=("README.md: moved",))) == ["0 numbers updated"]


def test_a_number_that_is_worse_than_bicubic_is_written_with_a_doubt() -> None:
    low = with_floor(record(), 31.365)
    key = CellKey("M", "", "", low.precision, "set5", "psnr")
    written = Edit(key, CLAIM.source, "31.80", "30.10", low)
    _, doubt = update_lines(empty(edits=(written,)))
    assert doubt.startswith("m_x2 fp32: psnr on set5_x2 is 30.104 dB, below bicubic 31.365 dB")
    assert len(update_lines(empty(edits=(replace(written, record=record()),)))) == 1


def test_control_characters_are_spelled_out_line_by_line() -> None:
    lines = update_lines(empty(diff="+a\x1b\r\n-b\n", written=False))
    assert lines == ["+a\\x1b", "-b", "0 numbers updated (dry run: nothing was written)"]
