"""Hostile HTML, reStructuredText and YAML is read or refused in words; edits stay in place."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_bench.document.claims import read
from sr_bench.document.splice import splice_cells
from sr_bench.document.tables import Document, parse_document
from sr_bench.errors import DocumentError
from tests.fuzz.bytes_inputs import fuzzed
from tests.fuzz.documents import WHOLE, scarred
from tests.fuzz.inputs import odd_text

_PIECES = {
    "x.html": [
        *(
            "<table>",
            "</table>",
            "<tr>",
            "<td>",
            "</td>",
            "<th>",
            "<td colspan=2>",
            "<td rowspan=3>",
        ),
        *("<td colspan=999999>", "<td rowspan='9999'>", "<thead>", "</thead>", "<caption>", "<b>"),
        *("</b>", "<b", "<td ", '"', "'", ">", "<", "<!--", "-->", "<h2>", "</h2>", "&lt;", "x='"),
        *('<td a="', "</", "<p>", "</p>", "30.1", "a", "\n"),
    ],
    "x.rst": [
        *("+---+---+\n", "+===+===+\n", "| a | 30.1 |\n", "| a |\n", "+", "-", "=", "|", "\n\n"),
        *("=====  =====\n", "-----  -----\n", "a      30.1\n", "   ", ".. csv-table::\n\n", '"'),
        *(".. list-table:: T\n   :header-rows: 1\n\n", "   * - a\n", "     - 30.1\n", "::\n", "a_"),
        *(
            '   a, "b", 30\n',
            ".. table:: x\n",
            ".. raw:: html\n\n",
            "   <table><tr><td>1.5\n",
            "超",
        ),
        *(".. c\n", "`a <b>`_", "a\n", "====\n", "* ", "- ", "[1]_", "|x|"),
    ],
    "x.yaml": [
        *("psnr: 30.1\n", "a: 30.1\n", "- ", "a:\n", "  ", "    ", "{", "}", "[", "]", ",", ": "),
        *(
            "'",
            '"',
            "&a ",
            "*a",
            "!!python/object:os.system ",
            "!x ",
            "<<: *a\n",
            "? ",
            "|\n",
            ">\n",
        ),
        *("#", "---\n", "metrics:\n", "- name: x\n", "  value: 1.5\n", "device_metric:\n", "w8a8:"),
    ],
}


def _pieces(path: str) -> st.SearchStrategy[str]:
    piece = st.sampled_from(_PIECES[path]) | odd_text
    few = st.lists(piece, max_size=30).map("".join)
    # What repeats shows whether the time grows faster than the text.
    many = st.lists(piece, max_size=3).map(lambda part: "".join(part) * 100)
    return st.tuples(few, st.just("") | many, few).map("".join)


def _use(document: Document, which: int) -> None:
    """Read `document`, and change one of its cells, where that is not refused."""
    cells = [cell for grid in document.grids for cell in grid.cells]
    for cell in cells:
        assert document.text[cell.start : cell.end] == cell.text
        assert cell.plain == " ".join(cell.plain.split())
    for grid in document.grids:
        assert len(grid.rows) == len(grid.row_lines)
        assert 1 <= grid.line <= grid.last_line
    reading = read(document)
    claims = [claim for table in reading.tables for row in table.rows for claim in row.claims]
    assert len(claims) == sum(not one.fault for one in reading.printed)
    if cells:
        cell = cells[which % len(cells)]
        with suppress(DocumentError):
            changed = parse_document(splice_cells(document, {cell: "12.5"}), document.path)
            assert "12.5" in {c.text for grid in changed.grids for c in grid.cells}


@pytest.mark.parametrize("path", WHOLE)
def test_a_well_formed_document_of_odd_contents_is_read_in_place(path: str) -> None:
    @fuzzed
    @given(WHOLE[path], st.integers(0, 99))
    def read_whole(text: str, which: int) -> None:
        try:
            _use(parse_document(text, path), which)
        except DocumentError as error:
            if "at most 50 levels" not in str(error):
                raise

    read_whole()


@pytest.mark.parametrize("path", WHOLE)
def test_any_text_of_a_dialect_is_read_in_place_or_refused(path: str) -> None:
    @fuzzed
    @given(_pieces(path) | scarred(path, st.sampled_from(_PIECES[path])), st.integers(0, 99))
    def read_any(text: str, which: int) -> None:
        with suppress(DocumentError):
            _use(parse_document(text, path), which)

    read_any()
