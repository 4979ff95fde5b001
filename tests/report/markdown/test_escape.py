"""Texts of others appear in a page as they were written."""

import pytest
from markdown_it import MarkdownIt

from sr_bench.report.markdown.escape import code, escape, fence, link, table
from tests.report.sessions import HOSTILE

NAMES = [HOSTILE, "`", "``a", "a`", "``` b", "", " x ", "a\\", "]", "](x", "a_b_", "__init__"]


def inline(markdown: str) -> list:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    return tokens[1].children


def shown(text: str) -> str:
    return " ".join(text.replace("\x1b", "\\x1b").split())


@pytest.mark.parametrize("name", NAMES)
def test_an_escaped_text_is_nothing_but_text(name: str) -> None:
    children = inline(f"x {escape(name)} y")
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children).split() == f"x {shown(name)} y".split()


@pytest.mark.parametrize("name", NAMES)
def test_code_is_one_piece_of_code(name: str) -> None:
    (piece,) = inline(code(name))
    assert piece.type == "code_inline"
    assert piece.content.strip() == shown(name)


@pytest.mark.parametrize("text", ["a\nb", "```\nout", "~~~\n````` x\n\x1b[2J", "<b>"])
def test_a_fence_holds_the_whole_text(text: str) -> None:
    (block,) = MarkdownIt().parse(fence(text, "sh"))
    assert (block.type, block.info) == ("fence", "sh")
    assert block.content == text.replace("\x1b", "\\x1b") + "\n"


@pytest.mark.parametrize("name", ["pocket", "a b", "a](b", "x:y", "javascript:alert(1)", "50%#?"])
def test_a_link_leads_to_the_file_of_any_name(name: str) -> None:
    opening, *label, closing = inline(link(name, f"{name}.md"))
    assert (opening.type, closing.type) == ("link_open", "link_close")
    assert "".join(child.content for child in label) == name
    assert opening.attrs["href"].startswith("./")
    assert not set(opening.attrs["href"]) & set(":#? ()")


def test_a_pipe_ends_no_cell() -> None:
    assert escape("a|b") == r"a\|b"


def test_dollars_are_not_mathematics() -> None:
    assert escape("$x$") == r"\$x\$"


def test_a_table_prints_cells_as_they_are() -> None:
    assert table({"a": ["1.50", "20"], "b": ["x<br>y", ""]}).splitlines() == [
        "| a    | b      |",
        "|:-----|:-------|",
        "| 1.50 | x<br>y |",
        "| 20   |        |",
    ]
