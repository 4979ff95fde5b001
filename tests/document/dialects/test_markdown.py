"""Headings and captions of Markdown tables are those that a reader takes for them."""

import pytest

from sr_bench.document.tables import parse_document

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("above", "caption"),
    [
        ("**Table 2: results on Set5**\n\n", "Table 2: results on Set5"),
        ("Results on *Set5*:\n", "Results on Set5:"),
        ("> - Results on Set5\n\n", "Results on Set5"),
        ('<p align="center"><b>表 2</b></p>\n\n', "表 2"),
        ("**On Set5**\n\n<div>\n\n", "On Set5"),
        ("# Zoo\n**On Set5**\n\n", "On Set5"),
        ("- int8\n  Dataset: Set5\n\n", "int8 Dataset: Set5"),
        ("Two lines of\nprose.\n - int8\n - on Set5\n\n", "on Set5"),
        ("Of all\n- int8\n  on Set5\n\n", ""),
        ("# On Set5\n\n", ""),
        ("On Set5\n=======\n\n", ""),
        ("Two lines of\nprose about Set5.\n\n", ""),
        (f"{TABLE}\n\\* retrained\n\n", ""),
        (f"{TABLE}\n", ""),
        (f"On Set5\n\n{TABLE}\n", ""),
        ("<table><tr><td>1.5<td>On Set5</table>\n\n", ""),
        (f"{'On Set5 ' * 50}\n\n", ""),
        ("On Set5\n\n\n\n\n", ""),
    ],
)
def test_a_single_line_above_is_the_caption(above: str, caption: str) -> None:
    assert parse_document(above + TABLE, "x.md").grids[-1].caption == caption


@pytest.mark.parametrize(
    ("above", "heading"),
    [
        ("# Zoo\n\n## **EDSR** [x2](u) ##\n\nText.\n\n", "EDSR x2"),
        ("EDSR\n----\n\n", "EDSR"),
        ("## EDSR\n\n---\n\n", "EDSR"),
        ("> ### EDSR\n\n", "EDSR"),
        ("##EDSR\n\n#1 of all\n\n", "EDSR"),
        ('<h2 align="center">EDSR <i>x2</i></h2>\n\n', "EDSR x2"),
        ("# EDSR\n\n```\n# x = 1\n```\n\n", "EDSR"),
        (f"# EDSR\n\n{TABLE}\n# RCAN\n\n", "RCAN"),
        ("Text.\n\n", ""),
    ],
)
def test_the_nearest_heading_above_is_the_tables(above: str, heading: str) -> None:
    assert parse_document(above + TABLE, "x.md").grids[-1].heading == heading
