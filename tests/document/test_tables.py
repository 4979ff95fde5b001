"""Tables are found where GitHub shows them, and every cell where it stands."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from sr_bench.document.grids import Grid
from sr_bench.document.tables import Document, parse_document, read_document
from sr_bench.errors import DocumentError


def _tables(document: Document) -> list[Grid]:
    """Return the tables that GitHub shows."""
    return [grid for grid in document.grids if not grid.shapeless]


def _texts(document: Document) -> list[list[list[str]]]:
    return [
        [[cell.text for cell in row] for row in (table.header, *table.rows)]
        for table in _tables(document)
    ]


def _places(document: Document) -> list[tuple[str, int, int]]:
    cells = (cell for table in _tables(document) for cell in table.cells)
    return [(cell.text, cell.line, cell.column) for cell in cells]


def _assert_offsets_hold(document: Document) -> None:
    """Offsets, line and column of each cell name the same place of the original text."""
    body = document.text.removeprefix("\ufeff")
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for cell in (cell for table in _tables(document) for cell in table.cells):
        assert document.text[cell.start : cell.end] == cell.text
        assert lines[cell.line - 1][cell.column - 1 :].startswith(cell.text)


def test_cells_know_line_and_column() -> None:
    document = parse_document("# T\n\n| a | b |\n| - | - |\n|1|  22 |\n", "x.md")
    assert _places(document) == [("a", 3, 3), ("b", 3, 7), ("1", 5, 2), ("22", 5, 6)]
    assert document.grids[0].row_lines == (5,)
    assert (document.grids[0].line, document.grids[0].last_line) == (3, 5)
    assert str(document.source(document.grids[0].rows[0][1])) == "x.md:5:6"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends_and_byte_order_mark_move_nothing(newline: str, bom: str, final: bool) -> None:
    lines = ["| 模型 | PSNR |", "| :-: | --: |", "| 超分 | 32.1 |"]
    document = parse_document(bom + newline.join(lines) + newline * final, "x.md")
    assert _places(document) == [("模型", 1, 3), ("PSNR", 1, 8), ("超分", 3, 3), ("32.1", 3, 8)]
    _assert_offsets_hold(document)


def test_escaped_pipes_do_not_part_cells_even_in_code() -> None:
    document = parse_document("| a | b |\n|---|---|\n| x\\|y | `p\\|q` |\n| `r | s` |\n", "x.md")
    (table,) = _tables(document)
    assert _texts(document)[0][1:] == [["x\\|y", "`p\\|q`"], ["`r", "s`"]]
    assert [cell.plain for cell in table.rows[0]] == ["x|y", "p|q"]


def test_outer_pipes_are_optional() -> None:
    document = parse_document("a | b\n--|--\n1 | 2\n| 3 | 4\n5 | 6 |\n", "x.md")
    assert _texts(document) == [[["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]]]


def test_an_empty_cell_is_where_its_content_would_go() -> None:
    document = parse_document("| a | b | c | d |\n|-|-|-|-|\n|  || |x|\n", "x.md")
    row = document.grids[0].rows[0]
    assert [(cell.text, cell.column) for cell in row] == [("", 3), ("", 5), ("", 7), ("x", 8)]


def test_tables_in_quotes_and_lists_keep_their_places() -> None:
    text = (
        "> | a | b |\n> |---|---|\n>| 1 | 2 |\n\n1. x\n\n   | c | d |\n   |---|---|\n   | 3 | 4 |\n"
    )
    document = parse_document(text + "\n- - | e | f |\n    |---|---|\n    | 5 | 6 |\n", "x.md")
    assert [table.line for table in document.grids] == [1, 7, 11]
    assert ("1", 3, 4) in _places(document)
    assert ("4", 9, 10) in _places(document)
    assert ("e", 11, 7) in _places(document)
    _assert_offsets_hold(document)


def test_what_github_does_not_show_as_a_table_is_not_a_table() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    indented = "".join(f"    {line}\n" for line in table.splitlines())
    text = f"```\n{table}```\n\n~~~md\n{table}~~~\n\n<!--\n{table}-->\n\n{indented}\na | b\n-----\n"
    document = parse_document(text, "x.md")
    assert _tables(document) == []


def test_several_tables_stay_apart() -> None:
    text = "text\n| a |\n|---|\n| 1 |\n\n| b | c |\n|---|---|\n# h\n\n| d |\n|:-:|\n"
    assert _texts(parse_document(text, "x.md")) == [[["a"], ["1"]], [["b", "c"]], [["d"]]]


def test_read_document_changes_no_byte(tmp_path: Path) -> None:
    data = "\ufeff| 模型 |\r\n|--|\r\n| 1 |\n\r\n\x0c\u2028| x".encode()
    path = tmp_path / "README.md"
    path.write_bytes(data)
    document = read_document(path)
    assert document.text.encode() == data
    assert _texts(document) == [[["模型"], ["1"]]]


def test_a_document_is_named_as_the_user_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "README.md").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert read_document(tmp_path / "zoo" / "README.md").path == "zoo/README.md"
    monkeypatch.chdir(tmp_path / "zoo")
    assert read_document(Path("../zoo/README.md")).path == "../zoo/README.md"


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"README\.md: expected a document: No such"):
        read_document(tmp_path / "README.md")
    with pytest.raises(DocumentError, match="expected a document: Is a directory"):
        read_document(tmp_path)
    (tmp_path / "gbk.md").write_bytes("x\n超分".encode("gbk"))
    with pytest.raises(DocumentError, match=r"gbk\.md:2: expected UTF-8, got byte 0xb3"):
        read_document(tmp_path / "gbk.md")


_WORDS = st.text(st.sampled_from("ab1.-*_`[]()\\|超 \t:>#"), max_size=8)
_BLOCKS = ("", "```", "+", "1. ", "1. a", "***", "# a", "<div>", "> a", "    |a|", "\u3000")
_ROWS = ("|-|-|", "-|-", "- | -", "|:-:|", "|-||", "a|b", "| a | b |", "|a\\||", "|a", "---")
_INDENTS = st.sampled_from(("", "", "", "> ", "- ", "  ", "    "))
_HEADS = ("a|b\n-|-", "\n    a|b\n-|-", "a|b\n-|-||", "a|b\n- | -")
_TABLE_LINES = st.tuples(_INDENTS, st.sampled_from((*_HEADS, *_ROWS, *_BLOCKS))).map("".join)
_LINES = st.lists(st.one_of(_WORDS, _TABLE_LINES), max_size=12)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(lines=_LINES, newline=st.sampled_from(["\n", "\r\n"]), bom=st.sampled_from(["", "\ufeff"]))
def test_cells_hold_what_markdown_it_shows(lines: list[str], newline: str, bom: str) -> None:
    document = parse_document(bom + newline.join(lines), "x.md")
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    shown = [
        cell.content for opener, cell in pairwise(tokens) if opener.type in ("th_open", "td_open")
    ]
    assert _padded(document) == shown
    _assert_offsets_hold(document)


def _padded(document: Document) -> list[str]:
    """Return all cell texts with rows cut or filled to the header's width, as GitHub does."""
    return [
        row[n].text.replace("\\|", "|") if n < len(row) else ""
        for table in _tables(document)
        for row in (table.header, *table.rows)
        for n in range(len(table.header))
    ]


def test_a_path_that_no_file_has_or_that_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "README.md")
    with pytest.raises(DocumentError, match="got a pipe or a device"):
        read_document(tmp_path / "README.md")
    with pytest.raises(DocumentError, match="expected a document: embedded null byte"):
        read_document(tmp_path / "\0")


def test_cells_that_rows_lack_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # The parser would make three tokens for each of 62500: seconds, for 2 kB.
    pushed = []
    push = StateBlock.push
    monkeypatch.setattr(StateBlock, "push", lambda *args: pushed.append(args) or push(*args))
    (table,) = parse_document("a|" * 250 + "\n" + "-|" * 250 + "\n" + "|a|\n" * 250, "x").grids
    assert (len(table.header), len(table.rows), pushed) == (250, 250, [])


def test_the_markup_of_a_cell_is_read_once() -> None:
    (table,) = parse_document("| **a** |\n| - |\n", "x").grids
    assert table.header[0].plain is table.header[0].plain
