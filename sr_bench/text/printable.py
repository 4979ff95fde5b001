"""Texts as terminals and pages show them: without control characters, and counted."""

import re

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""Control characters but for tab and line feed; halves of surrogate pairs, which file names that
are not UTF-8 hold and no file can be written with; what turns the direction of text; and the
separators of lines and paragraphs that `str.splitlines` knows."""


def counted(count: int, noun: str) -> str:
    """Return `count` with `noun`, in the plural unless it is 1."""
    return f"{count} {noun}{'s' * (count != 1)}"


def printable_line(text: str) -> str:
    r"""Return `text` as `printable` does, its tabs and line feeds spelled out too.

    >>> printable_line("a\nb")
    'a\\nb'
    """
    return printable(text).replace("\t", "\\t").replace("\n", "\\n")


def printable(text: str) -> str:
    r"""Return `text` with each control character spelled out; tabs and line feeds stay.

    >>> printable("a\x1b[31m")
    'a\\x1b[31m'
    """
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
