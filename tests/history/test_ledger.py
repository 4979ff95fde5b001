"""A ledger keeps a line for each number that was written, and loses none."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.cell import CellKey
from sr_bench.core.precision import Precision
from sr_bench.core.record import SCHEMA_VERSION
from sr_bench.errors import SrBenchError
from sr_bench.history.ledger import LedgerLine, extended, ledger_of, read_ledger

KEY = CellKey("RCAN", "Official", "vacc", Precision("int8_kl"), "set5", "psnr")
LINE = LedgerLine(
    kind="number",
    when="2026-11-21T09:14:30+00:00",
    document="README.md",
    line=7,
    column=22,
    row="RCAN",
    row_source="Official",
    backend_word="vacc",
    precision="int8_kl",
    dataset="set5",
    metric="psnr",
    old="30.10",
    new="30.26",
    reason="größer",
    who="Ann",
    commit="abc",
    run="run-1",
    case="rcan-psnr",
    backend="vacc",
    device="vacc",
    fingerprint="f1",
    python="3.11",
    packages={"numpy": "2.0"},
)


def ledger(tmp_path: Path, *lines: LedgerLine) -> Path:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(extended(b"", lines))
    return path


def copy(**fields: object) -> LedgerLine:
    return replace(LINE, **fields)


def newest(path: Path, document: str = "README.md") -> str:
    line = read_ledger(path).newest(document, KEY)
    return line.new if line else ""


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = ledger(tmp_path, LINE, copy(kind="known_gap", new=""))
    assert read_ledger(path).lines == (LINE, copy(kind="known_gap", new=""))
    assert read_ledger(path).faults == ()
    first = json.loads(path.read_text("utf-8").splitlines()[0])
    assert first["schema_version"] == SCHEMA_VERSION


def test_a_ledger_that_is_absent_is_empty(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "ledger.jsonl").lines == ()


def test_a_ledger_lies_beside_the_file_that_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "README.md").touch()
    (tmp_path / "link.md").symlink_to(tmp_path / "zoo" / "README.md")
    assert ledger_of(tmp_path / "link.md") == tmp_path / "zoo" / "ledger.jsonl"


def test_new_lines_follow_the_old_bytes_and_never_continue_a_truncated_line() -> None:
    line = extended(b"", [LINE])
    assert extended(line, [LINE]) == line + line
    assert extended(line[:30], [LINE]) == line[:30] + b"\n" + line


def test_line_feeds_and_broken_names_stay_within_their_line(tmp_path: Path) -> None:
    path = ledger(tmp_path, copy(reason="a\nb", row="x\udc80"))
    (line,) = read_ledger(path).lines
    assert (line.reason, line.row) == ("a\nb", "x\udc80")


def test_the_newest_line_of_a_number_counts_wherever_it_stands(tmp_path: Path) -> None:
    later = copy(new="2", when="2026-12-01T00:00:00+00:00")
    assert newest(ledger(tmp_path, copy(new="1"), later)) == "2"
    assert newest(ledger(tmp_path, later, copy(new="1"))) == "2"
    assert newest(ledger(tmp_path, copy(new="1"), copy(new="2"))) == "2"


@pytest.mark.parametrize(
    "other",
    [
        {"row": "EDSR"},
        {"row_source": ""},
        {"backend_word": "vacc-emulated"},
        {"precision": "fp16"},
        {"dataset": "set14"},
        {"metric": "ssim"},
        {"document": "OTHER.md"},
        {"kind": "known_gap"},
    ],
)
def test_a_line_about_something_else_does_not_count(
    tmp_path: Path, other: dict[str, object]
) -> None:
    assert newest(ledger(tmp_path, copy(**other))) == ""
    assert newest(ledger(tmp_path, LINE, copy(new="9", **other))) == "30.26"


def test_a_line_of_a_version_that_read_no_scale_and_no_device_is_still_about_its_number() -> None:
    now = replace(KEY, scale=2, device="Acme phone")
    assert LINE.is_about("README.md", now)
    named = copy(scale=2, named_device="Acme phone", variant="3x8x8")
    assert named.is_about("README.md", replace(now, variant="3x8x8"))
    for other in ({"scale": 3}, {"device": "another"}, {"variant": "3x9x9"}):
        key = replace(now, **{"variant": "3x8x8", **other})
        assert not named.is_about("README.md", key)


def test_a_key_says_all_that_tells_it_from_its_neighbours() -> None:
    assert str(KEY) == "RCAN vacc int8_kl PSNR on set5"
    told = replace(KEY, scale=3, device="Acme phone", variant="3x8x8")
    assert str(told) == "RCAN x3 vacc int8_kl PSNR on set5 (Acme phone, 3x8x8)"
    assert str(replace(KEY, row="RCAN_X3", scale=3)) == "RCAN_X3 vacc int8_kl PSNR on set5"


def test_the_place_does_not_count_as_rows_move(tmp_path: Path) -> None:
    assert newest(ledger(tmp_path, copy(line=99, column=1))) == "30.26"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema_version": 2, "ol', ":1: damaged, so left out"),
        ("[]", ":1: damaged, so left out"),
        ("{}", ":1: damaged, so left out"),
        ("\x00", ":1: damaged, so left out"),
        (
            '{"schema_version": 2, "who": 3}',
            r":1: damaged, so left out \(LedgerLine\.who: expected str",
        ),
        ('{"schema_version": 99}', ":1: schema 99 is newer than .*update sr-bench"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_others_count(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(extended(text.encode(), [LINE]))
    ledger = read_ledger(path)
    assert ledger.lines == (LINE,)
    (fault,) = ledger.faults
    assert fault.startswith(f"{path}:1: ")
    assert re.search(message, fault)


def test_bytes_that_are_not_text_are_named_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"\xff\xfe\n" + extended(b"", [LINE]))
    assert (len(read_ledger(path).lines), len(read_ledger(path).faults)) == (1, 1)


def test_a_ledger_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").mkdir()
    with pytest.raises(SrBenchError, match=r"cannot read .*ledger\.jsonl"):
        read_ledger(tmp_path / "ledger.jsonl")
