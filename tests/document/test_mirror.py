"""A mirrored table is the document's with other numbers; an edit leaves other bytes alone."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr_bench.core.claim import Source
from sr_bench.document.cell import Cell
from sr_bench.document.claims import read
from sr_bench.document.mirror import format_like, mirror, replace_numbers
from sr_bench.document.splice import splice_cells
from sr_bench.document.tables import Document, parse_document
from sr_bench.errors import DocumentError
from tests.reading import read_claims

_FIRST = "| Model |PSNR|  SSIM |\r\n|:-:|--|-|\r\n| [A](u) |  **30.10** | - |"
_SECOND = "|Models|Params(M)|\n| - | - |\n|超 `x`|1.5|"
_TEXT = f"\ufeff{_FIRST}\r\n\r\nText.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{_SECOND}\n尾"
_GRID = "\ufeff# 模型\r\n\r\n|a| **b** |\r\n|:-:|-|\r\n|  1|`2`  \t|\r\n| 3 ||"


def test_with_its_own_numbers_the_mirror_is_the_documents_tables() -> None:
    text = _TEXT.removesuffix("\n尾")
    document = parse_document(text, "x.md")
    printed = {claim.source: claim.text for claim in read_claims(document)}
    assert len(printed) == 2
    assert mirror(read(document), printed) == mirror(read(document), {}) == f"{_FIRST}\n\n{_SECOND}"
    assert replace_numbers(read(document), printed) == text


def test_new_numbers_stand_where_the_old_ones_stood() -> None:
    document = parse_document(_TEXT.removesuffix("尾"), "x.md")
    psnr, params = (claim.source for claim in read_claims(document))
    mirrored = mirror(read(document), {psnr: "29.99", params: "not run"})
    assert mirrored == f"{_FIRST}\n\n{_SECOND}".replace("30.10", "29.99").replace("1.5", "not run")


def test_a_metric_cell_without_a_number_can_be_filled() -> None:
    filled = mirror(read(parse_document(_FIRST, "x.md")), {Source("x.md", 3, 25): "0.9"})
    assert filled == _FIRST.replace("| - |", "| 0.9 |")


def test_a_place_that_holds_no_number_is_refused() -> None:
    document = parse_document(_FIRST, "x.md")
    with pytest.raises(DocumentError, match=r"expected places of numbers in x\.md, got x\.md:3:3"):
        mirror(read(document), {Source("x.md", 3, 3): "B"})


def test_a_number_with_a_pipe_is_refused() -> None:
    document = parse_document(_FIRST, "x.md")
    with pytest.raises(DocumentError, match="bare pipe"):
        mirror(read(document), {read_claims(document)[0].source: "1|2"})


@pytest.mark.parametrize(
    ("claim", "value", "rounded", "truncated"),
    [
        ("0.297", 0.297723, "0.298", "0.297"),
        ("0.7740", 0.77404, "0.7740", "0.7740"),
        ("0.063", 63547 / 1e6, "0.064", "0.063"),
        ("0.297", 297000 / 1e6, "0.297", "0.297"),
        ("32.785", 32.78, "32.780", "32.780"),
        ("30", 30.9, "31", "30"),
        ("0.5", -0.04, "0.0", "0.0"),
        ("0.50", -0.125, "-0.12", "-0.12"),
        ("30.1", math.inf, "inf", "inf"),
    ],
)
def test_values_are_printed_like_the_claim(
    claim: str, value: float, rounded: str, truncated: str
) -> None:
    assert format_like(claim, value) == rounded
    assert format_like(claim, value, digits="truncated") == truncated


def test_nan_is_never_printed() -> None:
    with pytest.raises(DocumentError, match=r"print like 32\.1, got NaN"):
        format_like("32.1", math.nan)


def test_a_number_of_hundreds_of_digits_is_cut_off_like_any_other() -> None:
    assert format_like("0." + "0" * 40, 1e300, digits="truncated").startswith("1")
    assert format_like("9" * 400, 12.9, digits="truncated") == "12"


def _cells(document: Document) -> list[Cell]:
    return [cell for grid in document.grids for cell in grid.cells]


def test_only_the_content_of_the_cell_changes() -> None:
    document = parse_document(_GRID, "x.md")
    row = document.grids[0].rows[0]
    assert splice_cells(parse_document(_GRID, "x.md"), {row[0]: "32.785"}) == _GRID.replace(
        "  1|", "  32.785|"
    )
    assert splice_cells(parse_document(_GRID, "x.md"), {row[1]: "超"}) == _GRID.replace(
        "`2`  \t|", "超  \t|"
    )


def test_an_empty_cell_can_be_filled() -> None:
    empty = parse_document(_GRID, "x.md").grids[0].rows[1][1]
    assert splice_cells(parse_document(_GRID, "x.md"), {empty: "4"}) == _GRID[:-1] + "4|"


def test_a_part_of_a_cell_can_be_replaced() -> None:
    cell = parse_document(_GRID, "x.md").grids[0].header[1]
    assert splice_cells(parse_document(_GRID, "x.md"), {cell.part(2, 3): "c"}) == _GRID.replace(
        "**b**", "**c**"
    )


def test_several_cells_change_at_once() -> None:
    cells = _cells(parse_document(_GRID, "x.md"))
    edits = {cell: f"new {number}" for number, cell in enumerate(reversed(cells))}
    after = parse_document(splice_cells(parse_document(_GRID, "x.md"), edits), "x.md")
    assert [cell.text for cell in _cells(after)] == [edits[cell] for cell in cells]


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        ("a\nb", "has a line break"),
        ("a\rb", "has a line break"),
        ("a|b", "has a bare pipe"),
        ("a\\", "ends with a backslash"),
        (" a", "has blanks around it"),
    ],
)
def test_content_that_breaks_the_table_is_refused(new: str, fault: str) -> None:
    cell = parse_document(_GRID, "x.md").grids[0].rows[0][0]
    with pytest.raises(DocumentError, match=rf"x.md:5:4: .*{fault}"):
        splice_cells(parse_document(_GRID, "x.md"), {cell: new})


def test_an_escaped_pipe_is_content() -> None:
    cell = parse_document(_GRID, "x.md").grids[0].rows[0][0]
    assert splice_cells(parse_document(_GRID, "x.md"), {cell: r"a\|b"}) == _GRID.replace(
        "  1|", r"  a\|b|"
    )


@pytest.mark.parametrize("new", ["", "- 1", "```", "> 1"])
def test_an_edit_that_moves_other_cells_is_refused(new: str) -> None:
    text = "a | b\n--|--\n1 | 2\n"
    cell = parse_document(text, "x.md").grids[0].rows[0][0]
    with pytest.raises(DocumentError, match=r"x\.md:3:1: expected an edit that keeps"):
        splice_cells(parse_document(text, "x.md"), {cell: new})


def test_a_cell_of_another_version_of_the_document_is_refused() -> None:
    cell = parse_document(_GRID, "x.md").grids[0].rows[0][0]
    with pytest.raises(DocumentError, match=r"expected the cell to hold '1', got .* read it again"):
        splice_cells(parse_document("x" + _GRID, "x.md"), {cell: "2"})


def test_overlapping_edits_are_refused() -> None:
    cell = parse_document(_GRID, "x.md").grids[0].header[1]
    with pytest.raises(DocumentError, match="expected one edit per cell, got two"):
        splice_cells(parse_document(_GRID, "x.md"), {cell: "c", cell.part(2, 3): "d"})


_CONTENT = st.text("ab1.-*_`~[](){}<>&!:#超é\u00a0\u3000\u200b😀\t ", max_size=6).map(str.strip)
_PADDING = st.text(" \t", max_size=2)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Return one or two tables with outer pipes, in text with any line ends."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    width = draw(st.integers(1, 3))
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        rows = [
            "|" + "|".join(draw(_PADDING) + draw(_CONTENT) + draw(_PADDING) for _ in range(width))
            for _ in range(draw(st.integers(1, 3)))
        ]
        rows.insert(1, "|-" * width)
        parts.append(newline.join(f"{row}|" for row in rows))
    tail = draw(st.sampled_from(["", newline, newline * 2 + "结尾"]))
    return draw(st.sampled_from(["", "\ufeff"])) + (newline * 2).join(parts) + tail


@settings(max_examples=40, deadline=None, derandomize=True)
@given(text=_documents(), data=st.data(), new=_CONTENT)
def test_an_edit_leaves_every_other_byte_alone(text: str, data: st.DataObject, new: str) -> None:
    cells = _cells(parse_document(text, "x.md"))
    assert splice_cells(parse_document(text, "x.md"), {cell: cell.text for cell in cells}) == text
    cell = data.draw(st.sampled_from(cells))
    changed = splice_cells(parse_document(text, "x.md"), {cell: new})
    assert changed == text[: cell.start] + new + text[cell.end :]
    expected = [new if other is cell else other.text for other in cells]
    assert [cell.text for cell in _cells(parse_document(changed, "x.md"))] == expected
