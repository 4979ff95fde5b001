"""Rows and numbers of model-info tables become claims."""

import pytest

from sr_bench.core.precision import Precision
from sr_bench.document.claims import read
from sr_bench.document.rows import ModelRow
from sr_bench.document.tables import parse_document
from tests.reading import read_claims

_HEADER = "| Model | Source | PSNR | SSIM | Dataset |\n|-|-|-|-|-|\n"


def _rows(text: str) -> list[ModelRow]:
    tables = read(parse_document(text, "zoo/README.md")).tables
    return [row for table in tables for row in table.rows]


def _unread(text: str) -> list[str]:
    """Return place and fault of each number that is not read."""
    printed = read(parse_document(text, "zoo/README.md")).printed
    return [f"{one.source.line}:{one.source.column}: {one.fault}" for one in printed if one.fault]


def test_a_row_keeps_all_that_its_cells_say() -> None:
    (row,) = _rows("| Model | Code Source | FLOPs (G) | Size | Note |\n|-|-|-|-|-|\n"
                   "| [A](u) | [Official](v) | **1.50** | 3x8x8 | `n` |\n")  # fmt: skip
    assert (row.row, row.row_source, row.precision, row.backend) == ("A", "Official", "fp32", "")
    assert (row.shape, row.dataset, row.line) == ("3x8x8", "", 3)
    (claim,) = row.claims
    assert (claim.metric, claim.text, claim.row, claim.shape) == ("flops", "1.50", "A", "3x8x8")
    assert str(claim.source) == "zoo/README.md:3:30"


def test_a_metric_cell_without_a_number_is_a_blank_and_no_claim() -> None:
    table = "| Model | PSNR | SSIM | Note |\n|-|-|-|-|\n| A | 1 | 1 | |\n"
    _, row = _rows(f"{table}| A **int8 max** | 30.1 | - | - |\n")
    assert [claim.metric for claim in row.claims] == ["psnr"]
    (blank,) = row.blanks
    assert (blank.metric, blank.precision, blank.backend) == ("ssim", "int8_max", "")
    assert str(blank.source) == "zoo/README.md:4:27"


def test_headers_are_known_in_any_case_and_spacing() -> None:
    header = "| **models** | flops(g) | PARAMS (M) | psnr（dB） | Ssim | SIZE |\n|-|-|-|-|-|-|\n"  # noqa: RUF001
    claims = read_claims(parse_document(header + "| A | 1 | 2 | 3 | 4 | 5 |\n", "x.md"))
    assert [claim.metric for claim in claims] == ["flops", "params", "psnr", "ssim"]


def test_claims_are_in_the_order_of_the_columns() -> None:
    text = "| SSIM | Model | PSNR |\n|-|-|-|\n| 0.9 | A | 30 |\n| - | B | 31 |\n"
    assert [claim.text for claim in read_claims(parse_document(text, "x.md"))] == [
        "0.9",
        "30",
        "31",
    ]


@pytest.mark.parametrize(
    "table",
    [
        "| Option | Value |\n|-|-|\n| a | 1 |\n| b |\n",
        "| Model | Licence |\n|-|-|\n| A | 1 |\n",
        "| Set | PSNR |\n|-|-|\n| Set5 | 3O.1 |\n",
        "| a | b |\n|-|-|-|\n| 1 | 2 | 3 |\n",
    ],
)
def test_other_tables_are_ignored(table: str) -> None:
    assert _rows(table + "\n" + _HEADER + "| A | s | 1 | 2 | - |\n")[0].row == "A"
    assert read(parse_document(table, "x.md")).tables == ()


@pytest.mark.parametrize("cell", ["", "-", "N/A", "multi-shape", "—", "TBD"])
def test_cells_without_a_digit_are_not_numbers(cell: str) -> None:
    assert [c.text for c in _rows(f"{_HEADER}| A | s | {cell} | 0.9 | - |\n")[0].claims] == ["0.9"]


@pytest.mark.parametrize(
    ("cell", "offset"),
    [("32.1", 0), ("**32.1**", 2), ("`32.1`", 1), ("_32.1_", 1), ("[**32.1**](log.txt)", 3)],
)
def test_a_marked_number_is_claimed_where_the_number_stands(cell: str, offset: int) -> None:
    claim = _rows(f"{_HEADER}| A | s | {cell} | - | - |\n")[0].claims[0]
    assert (claim.text, claim.source.line, claim.source.column) == ("32.1", 3, 11 + offset)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((each, "a number such as 32.785") for each in ("3O.1", "32.", "~~32.1~~", "32.1 ours")),
        *((each, "1 number, psnr, got 2") for each in ("32.1/33.1", "32.1 (31.9)", "32.1 (0.02)")),
        ("½", "a number such as 32.785"),
    ],
)
def test_a_broken_number_is_no_claim_and_is_named(cell: str, expected: str) -> None:
    table = f"{_HEADER}| A | s | {cell} | 0.9 | - |\n"
    (fault,) = _unread(table)
    assert fault.startswith(f"3:11: expected {expected}")
    assert [claim.text for claim in _rows(table)[0].claims] == ["0.9"]


def test_a_precision_row_belongs_to_the_nearest_model_row_of_its_name() -> None:
    above = "| A | x | 1 | - | d |\n| B | x | 2 | - | d |\n| A **fp16** | - | 3 | - | - |\n"
    below = "| A | y | 4 | - | d |\n| A **fp16** | - | 5 | - | - |\n"
    rows = _rows(_HEADER + above + below + "| A **int8 max** | x | 6 | - | e |\n")
    owned = [(row.row, row.row_source, row.dataset) for row in rows if row.qualified]
    assert owned == [("A", "x", "d"), ("A", "y", "d"), ("A", "x", "e")]
    assert rows[-1].claims[0].precision is Precision("int8_max")
    assert rows[-1].claims[0].row_source == "x"


def test_a_precision_row_without_a_model_row_is_named_with_the_nearest() -> None:
    (fault,) = _unread(_HEADER + "| A | - | 1 | - | - |\n| B **fp16** | - | 2 | - | - |\n")
    assert fault.startswith("4:20: expected a row of the model 'B' above its fp16 row")
    assert fault.endswith("is 'A' in line 3")
    alone = _rows(_HEADER + "| B **fp16** | - | 2 | - | - |\n| B **int8 kl** | - | 3 | - | - |\n")
    assert [row.row for row in alone] == ["B", "B"]


def test_the_second_of_two_rows_that_say_the_same_is_named_with_the_first() -> None:
    text = _HEADER + "| A | s | 1 | - | d |\n| A | t | 1 | - | d |\n| A | s | 2 | - | D |\n"
    (fault,) = _unread(text)
    assert "5:11: expected one row for A, s, fp32, D, got a second one beside line 3" in fault
    assert [claim.text for row in _rows(text) for claim in row.claims] == ["1", "1"]


def test_rows_may_differ_by_dataset_alone() -> None:
    rows = _rows(_HEADER + "| A | s | 1 | - | Set5 |\n| A | s | 2 | - | Set14 |\n")
    assert [row.dataset for row in rows] == ["Set5", "Set14"]


def test_cost_and_accuracy_may_stand_in_two_tables() -> None:
    cost = "| Model | Params(M) |\n|-|-|\n| A | 1.5 |\n\n"
    accuracy = "| Model | PSNR |\n|-|-|\n| A | 30 |\n| A **fp16** | 29 |\n"
    assert [row.row for row in _rows(cost + accuracy)] == ["A", "A", "A"]
    assert "expected one row for A, fp32, got a second one beside line 3" in _unread(cost * 2)[0]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("| A **fp16** | 2 | - | d |", "got 4: the row lost a column"),
        ("| A **fp16** | s | 2 | 3 | - | d |", "got 6: the row has a column too many"),
    ],
)
def test_a_row_of_another_width_is_named_and_the_others_are_read(row: str, fault: str) -> None:
    text = f"{_HEADER}| A | s | 1 | - | d |\n{row}\n"
    assert all(f"expected 5 cells as in the header, {fault}" in one for one in _unread(text))
    assert len(_unread(text)) == row.count("2") + row.count("3")
    assert [claim.text for claim in _rows(text)[0].claims] == ["1"]


def test_a_remark_below_a_table_without_a_blank_line_is_named_if_it_has_a_number() -> None:
    (fault,) = _unread(f"{_HEADER}| A | s | 1 | - | d |\nwith self-ensemble 30.4\nSet5 alone\n")
    assert fault.startswith("4:1: expected 5 cells as in the header, got 1")


@pytest.mark.parametrize("lost", [" SSIM |", " Model |"])
def test_a_header_that_lost_a_cell_makes_no_table_and_its_numbers_are_named(lost: str) -> None:
    (fault,) = _unread("x\n\n" + _HEADER.replace(lost, "") + "| A | s | 1 | - | d |\n")
    assert fault.startswith("5:11: Markdown shows it as text")


def test_the_second_of_two_columns_of_one_meaning_is_named() -> None:
    (fault,) = _unread("| Model | PSNR | PSNR(dB) |\n|-|-|-|\n| A | 1 | 2 |\n")
    assert fault == "3:11: 'PSNR' is a psnr column already; only one is read"


def test_numbers_of_a_row_without_a_name_are_named() -> None:
    (fault,) = _unread(_HEADER + "|  | s | 1 | - | d |\n")
    assert fault == "3:10: expected a model's name in the first column, got an empty cell"
