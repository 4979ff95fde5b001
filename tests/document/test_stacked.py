"""Rows that stack several results in each of their cells."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.tables import parse_document
from tests.reading import read_claims

_HEAD = "# Bicubic\n\n| Dataset | Scale | PSNR | SSIM |\n|-|-|-|-|\n"


@pytest.mark.parametrize("nothing", ["-", "N/A", "—", "none"])
def test_each_line_of_a_stacked_row_is_of_the_label_in_the_same_line(nothing: str) -> None:
    row = f"| Set5 | x2<br />x3 | 33.64<br/>**30.39** | 0.929<br>{nothing} |\n"
    claims = read_claims(parse_document(_HEAD + row, "x.md"))
    read_as = [(c.metric, c.text, c.dataset, c.scale) for c in claims]
    assert read_as == [
        ("psnr", "33.64", "Set5", 2),
        ("psnr", "30.39", "Set5", 3),
        ("ssim", "0.929", "Set5", 2),
    ]


def test_each_number_of_a_stacked_row_stands_where_its_claim_says() -> None:
    text = _HEAD + "| Set5 | x2<br />x3 | 33.64<br/>**30.39** | 0.92<br>0.86 |\n"
    for claim in read_claims(parse_document(text, "x.md")):
        line = text.splitlines()[claim.source.line - 1]
        assert line[claim.source.column - 1 :].startswith(claim.text)


def test_a_number_in_one_line_holds_for_each_line_beside_it() -> None:
    row = "| Set5 | x2<br>x3 | 33.64<br>30.39 | 0.9 |\n"
    claims = read_claims(parse_document(_HEAD + row, "x.md"))
    assert [c.scale for c in claims if c.metric == "ssim"] == [2, 3]


@pytest.mark.parametrize(
    "row",
    [
        "| Set5 | x2<br>x3 | 33.64<br>30.39<br>28.42 | 0.92 |\n",
        "| Set5 | x2 | 33.64<br>30.39 | 0.92 |\n",
        "| Set5 | x2<br>x3 | 33.64<br>see below | 0.92 |\n",
    ],
)
def test_lines_that_do_not_match_their_labels_are_named_as_unread(row: str) -> None:
    reading = read(parse_document(_HEAD + row, "x.md"))
    assert "33.64" not in [c.text for t in reading.tables for r in t.rows for c in r.claims]
    assert any("33.64" in one.text for one in reading.printed if one.unread)


def test_slashes_part_what_is_stacked_as_lines_do() -> None:
    row = "| Set5/Set14/B100 | x4 | 28.4 / N/A / **25.9** | 0.81/0.70/0.66 |\n"
    claims = read_claims(parse_document(_HEAD + row, "x.md"))
    assert [(c.metric, c.text, c.dataset) for c in claims] == [
        ("psnr", "28.4", "Set5"),
        ("psnr", "25.9", "B100"),
        ("ssim", "0.81", "Set5"),
        ("ssim", "0.70", "Set14"),
        ("ssim", "0.66", "B100"),
    ]


def test_a_pair_beside_two_labels_is_no_stack() -> None:
    text = "| Model | Data | PSNR |\n|-|-|-|\n| owl | Set5/Set14 | 33.1/0.92 |\n"
    assert [c.metric for c in read_claims(parse_document(text, "x.md"))] == ["psnr", "ssim"]


def test_a_name_with_a_slash_beside_a_stack_stays_whole() -> None:
    row = "| A/B | Set5/Set14/B100 | W8/A8 | 33.1/30.2/29.3 |\n"
    text = f"| Model | Data | Note | PSNR |\n|-|-|-|-|\n{row}"
    assert [c.row for c in read_claims(parse_document(text, "x.md"))] == ["A/B"] * 3
