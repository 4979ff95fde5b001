"""An edit of one cell leaves every other byte of the document alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr_bench.document.splice import splice, splice_cells
from sr_bench.document.tables import Cell, Document, parse_document
from sr_bench.errors import DocumentError

_TEXT = "\ufeff# 模型\r\n\r\n|a| **b** |\r\n|:-:|-|\r\n|  1|`2`  \t|\r\n| 3 ||"


def _cells(document: Document) -> list[Cell]:
    return [cell for table in document.tables for cell in table.cells]


def test_only_the_content_of_the_cell_changes() -> None:
    document = parse_document(_TEXT, "x.md")
    row = document.tables[0].rows[0]
    assert splice(_TEXT, row[0], "32.785") == _TEXT.replace("  1|", "  32.785|")
    assert splice(_TEXT, row[1], "超") == _TEXT.replace("`2`  \t|", "超  \t|")


def test_an_empty_cell_can_be_filled() -> None:
    empty = parse_document(_TEXT, "x.md").tables[0].rows[1][1]
    assert splice(_TEXT, empty, "4") == _TEXT[:-1] + "4|"


def test_a_part_of_a_cell_can_be_replaced() -> None:
    cell = parse_document(_TEXT, "x.md").tables[0].header[1]
    assert splice(_TEXT, cell.part(2, 3), "c") == _TEXT.replace("**b**", "**c**")


def test_several_cells_change_at_once() -> None:
    cells = _cells(parse_document(_TEXT, "x.md"))
    edits = {cell: f"new {number}" for number, cell in enumerate(reversed(cells))}
    after = parse_document(splice_cells(_TEXT, edits), "x.md")
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
    cell = parse_document(_TEXT, "x.md").tables[0].rows[0][0]
    with pytest.raises(DocumentError, match=rf"line 5, column 4: .*{fault}"):
        splice(_TEXT, cell, new)


def test_an_escaped_pipe_is_content() -> None:
    cell = parse_document(_TEXT, "x.md").tables[0].rows[0][0]
    assert splice(_TEXT, cell, r"a\|b") == _TEXT.replace("  1|", r"  a\|b|")


@pytest.mark.parametrize("new", ["", "- 1", "```", "> 1"])
def test_an_edit_that_moves_other_cells_is_refused(new: str) -> None:
    text = "a | b\n--|--\n1 | 2\n"
    cell = parse_document(text, "x.md").tables[0].rows[0][0]
    with pytest.raises(DocumentError, match="line 3, column 1: expected an edit that keeps"):
        splice(text, cell, new)


def test_a_cell_of_another_version_of_the_document_is_refused() -> None:
    cell = parse_document(_TEXT, "x.md").tables[0].rows[0][0]
    with pytest.raises(DocumentError, match=r"expected the cell to hold '1', got .* read it again"):
        splice("x" + _TEXT, cell, "2")


def test_overlapping_edits_are_refused() -> None:
    cell = parse_document(_TEXT, "x.md").tables[0].header[1]
    with pytest.raises(DocumentError, match="expected one edit per cell, got two"):
        splice_cells(_TEXT, {cell: "c", cell.part(2, 3): "d"})


_CONTENT = st.text("ab1.-*_`~[](){}<>&!:#超é\u00a0\u3000\u200b😀\t ", max_size=6).map(str.strip)
_SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)
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


@_SETTINGS
@given(text=_documents(), data=st.data(), new=_CONTENT)
def test_after_a_splice_the_cell_holds_the_new_text_and_no_other_changed(
    text: str, data: st.DataObject, new: str
) -> None:
    cells = _cells(parse_document(text, "x.md"))
    index = data.draw(st.integers(0, len(cells) - 1))
    changed = splice(text, cells[index], new)
    expected = [cell.text for cell in cells]
    expected[index] = new
    assert [cell.text for cell in _cells(parse_document(changed, "x.md"))] == expected
    assert changed.startswith(text[: cells[index].start])
    assert changed.endswith(text[cells[index].end :])


@_SETTINGS
@given(text=_documents())
def test_a_cell_spliced_with_its_own_text_changes_nothing(text: str) -> None:
    cells = _cells(parse_document(text, "x.md"))
    assert splice_cells(text, {cell: cell.text for cell in cells}) == text
    assert all(splice(text, cell, cell.text).encode() == text.encode() for cell in cells)
