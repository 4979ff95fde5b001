"""SRB003 and SRB004: numbers that nothing reads, and documents of which nothing is read."""

import tomllib
from pathlib import Path

import pytest

from sr_bench.lint.finding import Severity
from sr_bench.lint.run import lint
from tests.lint.pages import CARD, codes, look, of, page, request

ODD = "| Exp | Set5 |\n|-|-|\n| Net | 37.1 |\n"


def test_unread_numbers_are_named_beside_what_is_read(tmp_path: Path) -> None:
    report = look(tmp_path, page("Net | 3O.1 | 1 | 1 | 1 | -") + "\n" + ODD)
    cell, table = of(report, "SRB003")
    assert "column 'Flops(G)': nothing reads '3O.1'" in cell.message
    assert "table 'Exp | Set5': nothing reads '37.1'" in table.message
    assert {cell.severity, table.severity} == {Severity.ERROR}
    assert str(report.numbers) == "5 numbers: 3 read, 2 unread, 0 ignored"
    assert not of(report, "SRB004")


def test_what_the_card_ignores_is_no_finding(tmp_path: Path) -> None:
    card = f'ignore_tables = {{ "Exp | Set5" = "of the paper" }}\n{CARD}'
    report = look(tmp_path, page("Net | - | - | 1 | 1 | -") + "\n" + ODD, card)
    assert not {"SRB001", "SRB003", "SRB004"} & set(codes(report))
    assert str(report.numbers) == "3 numbers: 2 read, 0 unread, 1 ignored"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Nothing\n", "no row is read; its tables are: none"),
        (ODD, "line 1: table 'Exp | Set5': no header, row or caption of it names a metric"),
        (
            "x\n\n| Model | Licence |\n|-|-|\n| A | MIT |\n",
            "line 3: table 'Model | Licence'",
        ),
        ("<table><tr><td>Net</table>\n", "line 1: table 'line 1': no column, row"),
        ("```\n" + page("Net | 1 | 1 | 1 | 1 | -") + "```\n", "its tables are: none"),
    ],
)
def test_a_document_of_which_nothing_is_read_says_which_tables_it_has(
    tmp_path: Path, text: str, words: str
) -> None:
    (finding,) = of(look(tmp_path, text), "SRB004")
    assert words in finding.message
    assert finding.severity is Severity.ERROR


def test_a_document_of_which_nothing_is_read_gets_a_table_to_fill_in(tmp_path: Path) -> None:
    text = "# Zoo\n\n| code | a |\n|-|-|\n| owl | 12 |\n| elk | 15 |\n"
    (finding,) = of(look(tmp_path, text), "SRB004")
    drafted = tomllib.loads(finding.message.partition("is:\n")[2])
    assert drafted["table"][0]["header"] == "code | a"
    assert set(drafted["table"][0]["columns"]) == {"code", "a"}


def test_a_document_whose_numbers_are_all_ignored_is_no_finding(tmp_path: Path) -> None:
    card = f'ignore_tables = {{ "Exp | Set5" = "of the paper" }}\n{CARD}'
    look(tmp_path, page("Net | - | - | 1 | 1 | -"), CARD)
    other = tmp_path / "zoo" / "other.md"
    other.write_text(ODD)
    (tmp_path / "zoo" / "card.toml").write_text(card)
    assert codes(lint(request(other, card=tmp_path / "zoo" / "card.toml"))) == []


def test_a_card_whose_models_have_no_rows_needs_no_table(tmp_path: Path) -> None:
    assert codes(look(tmp_path, "# Net\n", CARD.replace('row = "Net"', 'row = ""'))) == []
