"""Headings further out speak of what nearer ones don't."""

import pytest

from sr_bench.document.grids import Outline
from sr_bench.document.tables import parse_document
from tests.reading import read_claims

_MARKDOWN = "| Model | PSNR |\n|-|-|\n| owl | {} |\n\n"
_RST = "===== ====\nModel PSNR\n===== ====\nowl   {}\n===== ====\n\n"


def test_a_section_stands_below_those_of_lower_level_that_are_open() -> None:
    outline = Outline()
    outline.begin(1, "Zoo")
    outline.begin(2, "Set5")
    assert outline.begin(4, "x2") == ("x2", "Set5", "Zoo")
    assert outline.begin(4, "x4") == ("x4", "Set5", "Zoo")
    assert outline.begin(2, "Set14") == ("Set14", "Zoo")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", "# RealSR\n## Set5\n### x2\n" + _MARKDOWN + "### x4\n" + _MARKDOWN),
        ("a.md", "##Set5\n###x2\n" + _MARKDOWN + "###x4\n" + _MARKDOWN),
        ("a.md", "Zoo\n===\n\nSet5\n----\n\n<h3>x2</h3>\n\n" + _MARKDOWN + "### x4\n" + _MARKDOWN),
        ("a.rst", "Zoo\n===\n\nSet5\n----\n\nx2\n~~\n\n" + _RST + "x4\n~~\n\n" + _RST),
    ],
)
def test_the_data_set_may_head_the_sections_of_scales(path: str, text: str) -> None:
    found = read_claims(parse_document(text.format("36.1", "30.2"), path))
    assert [(c.dataset, c.scale, c.text) for c in found] == [
        ("Set5", 2, "36.1"),
        ("Set5", 4, "30.2"),
    ]


def test_tables_of_equal_headings_are_told_apart_by_those_further_out() -> None:
    tasks = (f"## Task {task}\n### {{}}\n{_MARKDOWN}" for task in "AB")
    text = "# Zoo\n" + "".join(tasks).format("owl", 31.1, "owl", 30.2)
    assert [claim.variant for claim in read_claims(parse_document(text, "a.md"))] == [
        "task_a",
        "task_b",
    ]


@pytest.mark.parametrize(
    ("title", "heading", "model"),
    [
        ("Super Resolution", "Nearest", "Nearest"),
        ("Super Resolution", "Results", "Super Resolution"),
        ("Some tasks", "owlSR model", "owlSR"),
        ("Some tasks", "owlSR PyTorch on Set5", "owlSR"),
        ("Some tasks", "Set5 results", "Some tasks"),
        ("Some tasks", "How ABC compares", "Some tasks"),
    ],
)
def test_a_heading_of_one_name_or_below_the_field_is_the_model(
    title: str, heading: str, model: str
) -> None:
    text = f"# {title}\n## {heading}\n| Metric | Value |\n|-|-|\n| PSNR | 31.1 |\n"
    (claim,) = read_claims(parse_document(text, "a.md"))
    assert claim.row == model
