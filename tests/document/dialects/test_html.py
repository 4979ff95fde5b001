"""HTML tables are read with their spans, and each cell where its content stands."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.grids import MOST_CELLS, Grid
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import Document, parse_document
from tests.reading import read_claims


def _read(text: str, path: str = "x.md") -> tuple[Document, Grid]:
    document = parse_document(text, path)
    (grid,) = document.grids
    for cell in grid.cells:
        assert document.text[cell.start : cell.end] == cell.text
    return document, grid


def _plain(rows: tuple[tuple[object, ...], ...]) -> list[list[str]]:
    return [[cell.plain for cell in row] for row in rows]  # type: ignore[attr-defined]


def test_spanning_cells_stand_in_each_of_their_places() -> None:
    _, grid = _read(
        "## Results\n\n<table>\n<thead><tr><th rowspan=2>Net<th colspan='2'>Set5</tr>\n"
        "<tr><th>PSNR<th>SSIM</thead>\n<tr><td rowspan=3>A<td>30.1<td>0.9\n<tr><td>31<td>0.8\n"
        "<tr><td>32<td>0.7\n"
        '<tr><td colspan="3">x4</table>\n'
    )
    assert _plain(grid.headers) == [["Net", "Set5", "Set5"], ["Net", "PSNR", "SSIM"]]
    named = [["A", "30.1", "0.9"], ["A", "31", "0.8"], ["A", "32", "0.7"]]
    assert _plain(grid.rows) == [*named, ["x4"] * 3]
    assert grid.rows[0][0] is grid.rows[1][0]
    assert (grid.line, grid.last_line, grid.row_lines) == (3, 9, (6, 7, 8, 9))
    assert (grid.heading, grid.dialect) == ("Results", "html")


def test_a_rowspan_of_zero_reaches_to_the_last_row() -> None:
    _, grid = _read(
        "<table><tr><td>Net<td>dB<tr><td rowspan=0>A<td>1.5<tr><td>2.5<tr><td>3.5</table>"
    )
    assert _plain(grid.rows) == [["A", "1.5"], ["A", "2.5"], ["A", "3.5"]]


def test_the_text_of_a_cell_is_the_content_without_the_tags_around_it() -> None:
    document, grid = _read(
        '<table><tr><th>Net<th>PSNR<tr><td>\n <a href="x>y"><i>A &amp; B</i></a>\n</td>'
        '<td align="right"><p><b>30.21</b> <!-- dB --></p></td></tr></table>\n'
    )
    name, number = grid.rows[0]
    assert (name.text, name.plain, number.text) == ("A &amp; B", "A & B", "30.21")
    assert str(document.source(number)) == "x.md:3:30"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_part_of_a_cell_of_several_lines_knows_its_place(newline: str) -> None:
    text = "<table><tr><td>Net<td>\nPSNR:\n  30.21 dB<tr><td>1.5<td>2</table>"
    _, grid = _read(text.replace("\n", newline))
    cell = grid.rows[0][1]
    place = cell.text.index("30.21")
    part = cell.part(place, place + 5)
    assert (part.text, part.line, part.column) == ("30.21", 3, 3)


@pytest.mark.parametrize(
    ("rows", "headers"),
    [
        ("<tr><td>Net<td>PSNR<tr><td>A<td>30.1", 1),
        ("<tr><td>A<td>30.1<tr><td>B<td>31", 0),
        ("<tr><th>Net<th>PSNR<tr><th>Net<th>dB<tr><td>A<td>30.1", 2),
        ("<tr><th>PSNR<td>30.1<tr><th>SSIM<td>0.9", 0),
        ("<tr><td rowspan=2>Net<td colspan=2>Set5<tr><td>PSNR<td>SSIM<tr><td>A<td>3.5<td>1", 2),
        ("<tr><td>Net<td>Note<tr><td>A<td>none", 0),
        ("<tr><th>Net<th>PSNR<tr><th>A<th>30.1", 1),
        ("<tr><td><td colspan=2>Set5<tr><td>Net<td>PSNR<td>SSIM<tr><td>A<td>3.5<td>1", 2),
        (
            "<thead><tr><th><th colspan=2>Set5</thead><tr><td>Net<td>PSNR<td>MAE<tr><td>A<td>3<td>",
            2,
        ),
        ("<thead><tr></tr><tr><td>Net<td>PSNR</thead><tr><td>A<td>30.1", 1),
    ],
)
def test_rows_of_headers_are_known_with_and_without_header_cells(rows: str, headers: int) -> None:
    assert len(_read(f"<table>{rows}</table>")[1].headers) == headers


def test_captions_are_elements_or_the_line_above() -> None:
    inner = "<tr><td>a<td>1.5</table>"
    assert _read(f"<table><caption>Set5 <b>x2</b></caption>{inner}")[1].caption == "Set5 x2"
    assert _read(f"# H\n\n<p><b>Table 2</b></p>\n\n<table>{inner}")[1].caption == "Table 2"
    assert _read(f"<h2>On Set5</h2><table>{inner}", "x.html")[1].heading == "On Set5"


def test_tables_in_tables_are_read_once() -> None:
    document = parse_document("<table><tr><td><table><tr><td>a<td>1.5</table></table>", "x.md")
    assert [_plain(grid.rows) for grid in document.grids] == [[[""]], [["a", "1.5"]]]


def test_a_cell_across_columns_of_metrics_holds_a_number_of_each_or_is_named() -> None:
    rows = "<tr><td>owl<td colspan=2>30.5/0.75<tr><td>elk<td colspan=2>31.5"
    text = f"<table><tr><th>Model<th>PSNR<th>SSIM{rows}<tr><td>yak<td>32.5<td>0.5</table>"
    reading = read(parse_document(text, "x.md"))
    claims = [f"{one.row} {one.metric} {one.text}" for one in read_claims(reading.document)]
    assert claims == ["owl psnr 30.5", "owl ssim 0.75", "yak psnr 32.5", "yak ssim 0.5"]
    (named,) = unread_numbers(reading.printed)
    assert "nothing reads '31.5': expected 2 numbers, psnr/ssim, got 1" in named.message


def test_pipe_tables_in_cells_are_no_text_of_theirs() -> None:
    text = "<table><tr><td>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<td>1.5</table>"
    outer, inner = parse_document(text, "x.md").grids
    assert (_plain(outer.rows), _plain(inner.rows)) == ([["", "1.5"]], [["1", "2"]])


def test_marks_of_quotes_are_no_content() -> None:
    _, grid = _read("> <table><tr><td>Net\n> <td>\n> 30.21\n> </td></table>\n")
    assert grid.cells[1].text == "30.21"
    assert _read("<table><tr><td>Net<td\n>30.21</table>")[1].cells[1].text == "30.21"


def test_spans_that_make_too_many_cells_are_refused() -> None:
    _, grid = _read(f"<table><tr><td colspan={MOST_CELLS + 1}>1.5</table>")
    assert "more than" in grid.shapeless
    assert _plain(grid.rows) == [["1.5"]]
    _, grid = _read(f"<table><tr><td rowspan=3000>{'word ' * 200}{'<tr><td>1.5' * 3000}</table>")
    assert "more than" in grid.shapeless
    assert _plain(grid.rows) == [["1.5"]] * 3000


def test_code_and_comments_hold_no_table() -> None:
    table = "<table><tr><td>1.5</table>"
    page = f"<SCRIPT>x = '{table}'</script><style>{table}</style>"
    assert parse_document(page, "x.html").grids == ()
    assert parse_document(f"```\n{table}\n```\n\n<!-- {table} -->\n", "x.md").grids == ()
