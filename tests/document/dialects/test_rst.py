"""Tables of reStructuredText are read with their spans, captions and places."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.dialects import rst_simple
from sr_bench.document.grids import Grid
from sr_bench.document.printed import unread_numbers
from sr_bench.document.splice import splice_cells
from sr_bench.document.tables import parse_document

GRID = """\
Zoo
===

.. table:: On *Set5*

   +----------+---------------+------+
   | 网络     | PSNR (dB)     | Note |
   |          +-------+-------+      |
   |          | fp32  | int8  |      |
   +==========+=======+=======+======+
   | **A**    | 30.12 | 29.5  | `x`_ |
   | (big)    |       | est.  |      |
   +----------+-------+-------+------+
   | 超B      | 31.5          |      |
   +----------+---------------+------+
"""
SIMPLE = """\
Results on Set14:

=====  =====  ========
    Quality   Note
------------  --------
PSNR   SSIM   Net
=====  =====  ========
30.1   0.91   A |star|
              and B

31.5   0.92   C
=====  =====  ========
"""


def _grid(text: str) -> Grid:
    document = parse_document(text, "x.rst")
    (grid,) = document.grids
    for cell in grid.cells:
        assert document.text[cell.start : cell.end] == cell.text
    return grid


def _plain(grid: Grid) -> list[list[str]]:
    return [[cell.plain for cell in row] for row in (*grid.headers, *grid.rows)]


def test_a_grid_table_is_read_with_its_spans() -> None:
    grid = _grid(GRID)
    assert _plain(grid) == [
        ["网络", "PSNR (dB)", "PSNR (dB)", "Note"],
        ["网络", "fp32", "int8", "Note"],
        ["A (big)", "30.12", "29.5 est.", "x"],
        ["超B", "31.5", "31.5", ""],
    ]
    assert grid.rows[0][2].text == "29.5"
    assert (len(grid.headers), grid.row_lines, grid.line, grid.last_line) == (2, (11, 14), 6, 15)
    assert (grid.heading, grid.caption) == ("Zoo", "On Set5")


def test_a_simple_table_is_read_with_its_spans() -> None:
    grid = _grid(SIMPLE)
    assert _plain(grid) == [
        ["Quality", "Quality", "Note"],
        ["PSNR", "SSIM", "Net"],
        ["30.1", "0.91", "A and B"],
        ["31.5", "0.92", "C"],
    ]
    assert (len(grid.headers), grid.row_lines, grid.caption) == (2, (8, 11), "Results on Set14:")


def test_list_tables_and_csv_tables_are_read() -> None:
    rows = "   * - Net\n     - PSNR\n   * - `A <u>`_\n       [1]_\n     -\n   * - B\n     - 30.1\n"
    listed = _grid(f".. list-table:: T\n   :header-rows: 1\n   :widths: 1 2\n\n{rows}\nText\n")
    assert _plain(listed) == [["Net", "PSNR"], ["A", ""], ["B", "30.1"]]
    assert (listed.caption, listed.row_lines, listed.last_line) == ("T", (7, 10), 11)
    apart = _grid(".. list-table::\n\n   *\n     - Net\n     - PSNR\n   *\n     - A\n     - 30.1\n")
    assert _plain(apart) == [["Net", "PSNR"], ["A", "30.1"]]
    values = '   "A, ""big""",30.1\n   B, "31.5"\n'
    csv = _grid(f".. csv-table::\n   :header: Net, PSNR\n\n{values}")
    assert _plain(csv) == [["Net", "PSNR"], ['A, "big"', "30.1"], ["B", "31.5"]]
    assert _plain(_grid(".. csv-table::\n   :delim: ;\n\n   a;1.5\n")) == [["a", "1.5"]]


def test_a_value_in_quotes_may_have_lines() -> None:
    csv = _grid(
        '.. csv-table::\n   :header: Net, Note, PSNR\n\n   A, "of 3\n\n   runs",30.1\n   B,,31\n'
    )
    assert _plain(csv)[1:] == [["A", "of 3 runs", "30.1"], ["B", "", "31"]]
    assert csv.row_lines == (4, 7)


@pytest.mark.parametrize(
    "text",
    [
        ".. list-table::\n\n\t* - Net\n\t  - PSNR\n        * - A\n          - 30.1\n",
        '.. csv-table::\n   :delim: tab\n\n\tNet\t"PSNR"\n\tA\t30.1\n',
        "=====\t=====\nNet\tPSNR\n=====\t=====\nA\t30.1\n=====\t=====\n",
        "+-----+-------+\n| Net | PSNR  |\n+=====+=======+\n| A   |\t30.1\t|\n+-----+-------+\n",
    ],
)
def test_tabs_reach_to_every_eighth_column(text: str) -> None:
    document = parse_document(text, "x.rst")
    (grid,) = document.grids
    assert _plain(grid) == [["Net", "PSNR"], ["A", "30.1"]]
    for new in ("9", "30.12", "30.1234"):
        (again,) = parse_document(splice_cells(document, {grid.cells[3]: new}), "x.rst").grids
        assert _plain(again)[1] == ["A", new]


def test_raw_html_holds_tables_and_code_and_comments_hold_none() -> None:
    table = "   +---+\n   | 1 |\n   +---+\n"
    text = f"As::\n\n{table}\n.. {table.strip()}\n{table}\n.. code-block:: rst\n\n{table}\nEnd\n"
    assert parse_document(text, "x.rst").grids == ()
    raw = "超\n==\n\n.. raw:: html\n\n   <table><tr><td>A<td>1.5</table>\n"
    grid = _grid(raw)
    assert (grid.dialect, grid.heading, _plain(grid)) == ("html", "超", [["A", "1.5"]])


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("+---+---+\n| 1 | 2\n+---+---+\n", "corners"),
        ("+---+---+\n| 1 | 2 |\n", "corners"),
        ("+---+---+\n|   | 2 |\n|   +---+\n|   | 3 |\n+---+   |\n| 4 |   |\n+---+---+\n", ""),
        ("=== ===\n1   2\n\nText\n", "ends it"),
        ("=== ===\n1  5 2\n=== ===\n", "between two"),
        (f"{'= ' * 400}=\n" + "1\n" * 300 + f"{'= ' * 400}=\n", "more than"),
        (f"{'= ' * 400}=\n{'word ' * 2000}\n{'-' * 801}\n{'= ' * 400}=\n", "more than"),
        ("+---+---+\n" + "| a | 1 |\n|   +---+\n" * 1200 + "| a | 1 |\n+---+---+\n", "more than"),
    ],
)
def test_a_table_that_is_not_drawn_well_says_why(table: str, why: str) -> None:
    grid = _grid(table)
    assert why in grid.shapeless
    assert bool(grid.shapeless) == bool(why)


def test_a_blank_that_fills_a_first_cell_is_no_text() -> None:
    rule = "====  ====\n"
    text = f"{rule}Net   PSNR\n{rule}owl   30.5\n\\     31.5\n{rule}"
    (grid,) = parse_document(text, "x.rst").grids
    assert [[cell.plain for cell in row] for row in grid.rows] == [["owl", "30.5"], ["", "31.5"]]


def test_a_simple_table_that_is_too_large_shows_its_first_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rst_simple, "MOST_CELLS", 20)
    rule = "=====  ====\n"
    text = f"{rule}Model  PSNR\n{rule}" + "owl    30.5\n" * 30 + rule
    reading = read(parse_document(text, "x.rst"))
    assert reading.document.grids[0].header[1].text == "PSNR"
    (named,) = unread_numbers(reading.printed)
    assert (named.source.line, named.source.column) == (4, 8)
    assert "and 6 more: it has more than" in named.message


def test_a_column_gets_wider_for_a_number_that_does_not_fit() -> None:
    document = parse_document(GRID, "x.rst")
    cells = {cell.text: cell for cell in document.grids[0].cells}
    assert splice_cells(document, {cells["30.12"]: "30.1"}) == GRID.replace("30.12 |", "30.1  |")
    assert splice_cells(document, {cells["29.5"]: "29.51"}) == GRID.replace("29.5  |", "29.51 |")
    wider = splice_cells(document, {cells["30.12"]: "130.125", cells["29.5"]: "9.5"}).splitlines()
    assert wider[9:14] == [
        "   +==========+=========+=======+======+",
        "   | **A**    | 130.125 | 9.5   | `x`_ |",
        "   | (big)    |         | est.  |      |",
        "   +----------+---------+-------+------+",
        "   | 超B      | 31.5            |      |",
    ]
    simple = parse_document(SIMPLE, "x.rst")
    number = next(cell for cell in simple.grids[0].cells if cell.text == "30.1")
    assert splice_cells(simple, {number: "1230.1"}).splitlines()[2:8] == [
        "======  =====  ========",
        "    Quality    Note",
        "-------------  --------",
        "PSNR    SSIM   Net",
        "======  =====  ========",
        "1230.1  0.91   A |star|",
    ]
