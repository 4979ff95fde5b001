"""Rows and numbers of model-info tables become claims."""

import pytest

from sr_bench.core.precision import Precision
from sr_bench.document.claims import ModelRow, read_claims, read_model_tables
from sr_bench.document.tables import parse_document
from sr_bench.errors import DocumentError

_HEADER = "| Model | Source | PSNR | SSIM | Dataset |\n|-|-|-|-|-|\n"


def _rows(text: str) -> list[ModelRow]:
    tables = read_model_tables(parse_document(text, "zoo/README.md"))
    return [row for table in tables for row in table.rows]


def test_a_row_keeps_all_that_its_cells_say() -> None:
    (row,) = _rows("| Model | Code Source | FLOPs (G) | Size | Note |\n|-|-|-|-|-|\n"
                   "| [A](u) | [Official](v) | **1.50** | 3x8x8 | `n` |\n")  # fmt: skip
    assert (row.row, row.row_source, row.precision, row.backend) == ("A", "Official", "fp32", "")
    assert (row.shape, row.dataset, row.line) == ("3x8x8", "", 3)
    assert list(row.cells) == ["model", "source", "flops", "shape", "Note"]
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
    assert read_model_tables(parse_document(table, "x.md")) == ()


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
    "cell",
    [
        *("3O.1", "32,1", "32.1 dB", "32.1*", "**32.1", "32.", ".5", "1e3", "+32.1", "32.1/0.9"),
        *("~~32.1~~", "32.1<sup>1</sup>", "[32.1", "３２.1"),  # noqa: RUF001
    ],
)
def test_a_broken_number_is_refused_with_its_place(cell: str) -> None:
    with pytest.raises(DocumentError, match=r"^zoo/README\.md:3:11: expected a plain number"):
        _rows(f"{_HEADER}| A | s | {cell} | - | - |\n")


def test_a_precision_row_belongs_to_the_nearest_model_row_of_its_name() -> None:
    above = "| A | x | 1 | - | d |\n| B | x | 2 | - | d |\n| A **fp16** | - | 3 | - | - |\n"
    below = "| A | y | 4 | - | d |\n| A **fp16** | - | 5 | - | - |\n"
    rows = _rows(_HEADER + above + below + "| A **int8 max** | x | 6 | - | e |\n")
    owned = [(row.row, row.row_source, row.dataset) for row in rows if row.label.qualified]
    assert owned == [("A", "x", "d"), ("A", "y", "d"), ("A", "x", "e")]
    assert rows[-1].claims[0].precision is Precision("int8_max")
    assert rows[-1].claims[0].row_source == "x"


def test_a_precision_row_without_a_model_row_is_refused_naming_both() -> None:
    with pytest.raises(
        DocumentError, match=r"md:4:3: .*'B' above its fp16 row; .* is 'A' in line 3"
    ):
        _rows(_HEADER + "| A | - | 1 | - | - |\n| B **fp16** | - | 2 | - | - |\n")
    with pytest.raises(DocumentError, match=r"md:3:3: .*nearest model row above is none"):
        _rows(_HEADER + "| B **fp16** | - | 2 | - | - |\n")


def test_two_rows_that_say_the_same_are_refused_naming_both_lines() -> None:
    with pytest.raises(DocumentError, match=r"md:5: expected one row for A, s, fp32, d, .* line 3"):
        _rows(_HEADER + "| A | s | 1 | - | d |\n| A | t | 1 | - | d |\n| A | s | 2 | - | d |\n")


def test_rows_may_differ_by_dataset_alone() -> None:
    rows = _rows(_HEADER + "| A | s | 1 | - | Set5 |\n| A | s | 2 | - | Set14 |\n")
    assert [row.dataset for row in rows] == ["Set5", "Set14"]


def test_cost_and_accuracy_may_stand_in_two_tables() -> None:
    cost = "| Model | Params(M) |\n|-|-|\n| A | 1.5 |\n\n"
    accuracy = "| Model | PSNR |\n|-|-|\n| A | 30 |\n| A **fp16** | 29 |\n"
    assert [row.row for row in _rows(cost + accuracy)] == ["A", "A", "A"]
    with pytest.raises(DocumentError, match=r"md:7: expected one row for A, fp32, .* line 3"):
        _rows(cost + cost)


@pytest.mark.parametrize(
    "text",
    [
        _HEADER + "| A | s | 1 | - | d |\n| A **fp16** | 2 | - | d |\n",
        "x\n\n" + _HEADER.replace(" SSIM |", "") + "| A | s | 1 | - | d |\n",
        "x\n\n" + _HEADER.replace(" Model |", "") + "| A | s | 1 | - | d |\n",
    ],
)
def test_a_model_table_that_lost_a_column_is_refused(text: str) -> None:
    with pytest.raises(
        DocumentError, match=r"README\.md:[34]: expected 5 .* got 4: .* lost a column"
    ):
        _rows(text)


def test_two_columns_of_one_meaning_are_refused() -> None:
    with pytest.raises(DocumentError, match=r"md:1:18: expected one psnr column, .* beside 'PSNR'"):
        _rows("| Model | PSNR | PSNR(dB) |\n|-|-|-|\n| A | 1 | 2 |\n")


def test_a_row_without_a_name_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"md:3:3: expected a model's name"):
        _rows(_HEADER + "|  | s | 1 | - | d |\n")
