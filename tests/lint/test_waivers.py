"""A card waives known findings with a reason; a waiver that waives nothing is a finding."""

from pathlib import Path

from sr_bench.lint.run import lint
from tests.lint.pages import CARD, codes, look, of, page, request

TEXT = page("Net | 11.360 | 0.004 | - | - | 3x1000x1000")


def waiver(code: str, row: str = "", reason: str = "known") -> str:
    return f'\n[[waive]]\ncode = "{code}"\nrow = "{row}"\nreason = "{reason}"\n'


def test_a_waived_finding_is_kept_with_its_reason_and_fails_nothing(tmp_path: Path) -> None:
    report = look(tmp_path, TEXT, CARD + waiver("SRB201") + waiver("SRB207", "Net", "cut so"))
    assert [(finding.code, finding.waived) for finding in report.findings] == [
        ("SRB201", "known"),
        ("SRB207", "cut so"),
    ]
    assert not report.open
    assert report.summary.startswith("1 document: 0 errors, 0 warnings, 0 notes; 2 findings waived")
    assert report.summary.endswith("; 2 numbers: 2 read, 0 unread, 0 ignored")


def test_other_findings_stay_open(tmp_path: Path) -> None:
    report = look(tmp_path, TEXT, CARD + waiver("SRB201"))
    assert codes(report.open) == ["SRB207"]


def test_a_waiver_of_another_row_or_of_nothing_is_found_in_its_line(tmp_path: Path) -> None:
    card = CARD + waiver("SRB201") + waiver("SRB207", "Other") + waiver("SRB101")
    report = look(tmp_path, TEXT, card)
    idle = of(report, "SRB002")
    lines = card.splitlines()
    printed = [lines[finding.source.line] for finding in idle]
    assert printed == ['code = "SRB207"', 'code = "SRB101"']
    assert all(finding.source.path.endswith("card.toml") for finding in idle)
    assert codes(report.open) == ["SRB002", "SRB207"]


def test_a_code_that_no_rule_has_is_reported(tmp_path: Path) -> None:
    (finding,) = of(look(tmp_path, TEXT, CARD + waiver("SRB999")), "SRB002")
    assert "there is no rule SRB999" in finding.message


def test_a_waiver_about_other_documents_may_be_idle(tmp_path: Path) -> None:
    assert not of(look(tmp_path, TEXT, CARD + waiver("SRB205")), "SRB002")


def test_a_damaged_table_makes_no_waiver_idle(tmp_path: Path) -> None:
    text = page("Net | 11.36 or so | 0.004 | - | - | 3x1000x1000")
    report = look(tmp_path, text, CARD + waiver("SRB201"))
    assert codes(report) == ["SRB003", "SRB207"]


def test_waivers_hold_for_the_cards_own_document_only(tmp_path: Path) -> None:
    look(tmp_path, TEXT, CARD + waiver("SRB201") + waiver("SRB101"))
    copy = tmp_path / "copy.md"
    copy.write_text(TEXT)
    report = lint(request(copy, card=tmp_path / "zoo" / "card.toml"))
    assert codes(report.open) == ["SRB201", "SRB207"]
