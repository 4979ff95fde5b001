"""Markdown of tables, and of what docstrings say."""

import re
from collections.abc import Iterable, Sequence

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*(=[\w:.]+)?")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a pipe table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """Return `text` as code; empty if it is."""
    return f"`{text}`" if text else ""


def sentence(docstring: str) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(docstring.partition("\n\n")[0].split())


def prose(text: str) -> str:
    """Return a docstring's reStructuredText as Markdown, in the words of TOML."""
    text = re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))
    parts = text.split("`")
    parts[::2] = [_OPTION.sub(r"`\g<0>`", part) for part in parts[::2]]
    text = "`".join(parts)
    text = re.sub(r"docs/([\w-]+)/([\w-]+)\.md", r"[\2](../\1/\2.md)", text)
    return re.sub(r"\bNone\b", "left out", text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
