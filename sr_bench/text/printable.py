"""Texts as terminals and pages show them: without control characters, and counted."""

import re
from collections.abc import Sequence

_MB = 10**6

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""Control characters but for tab and line feed; halves of surrogate pairs, which file names that
are not UTF-8 hold and no file can be written with; what turns the direction of text; and the
separators of lines and paragraphs that `str.splitlines` knows."""


LINE_CONTROL = re.compile(f"{CONTROL.pattern}|[\t\n]")
"""As `CONTROL`, with what a single line does not hold either."""


def counted(count: int, noun: str) -> str:
    """Return `count` with `noun`, in the plural unless it is 1."""
    return f"{count} {noun}{'s' * (count != 1)}"


def sized(size: int) -> str:
    """Return `size`, in bytes, as a text with a decimal unit.

    >>> sized(2_500), sized(74_000_000)
    ('2.5 KB', '74.0 MB')
    """
    return f"{size / 1e6:.1f} MB" if size >= _MB else f"{size / 1e3:.1f} KB"


def some(names: Sequence[object], most: int) -> str:
    """Return the first `most` of `names` in a row, and how many more there are.

    >>> some("abc", 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def either(words: Sequence[str]) -> str:
    """Return `words`, of which a user is to write one.

    >>> either(("a", "b", "c"))
    "'a', 'b' or 'c'"
    """
    *others, last = map(repr, words)
    return f"{', '.join(others)} or {last}" if others else last


def printable_line(text: str) -> str:
    r"""Return `text` as `printable` does, its tabs and line feeds spelled out too.

    >>> printable_line("a\nb")
    'a\\nb'
    """
    return LINE_CONTROL.sub(_spelled, text)


def printable(text: str) -> str:
    r"""Return `text` with each control character spelled out; tabs and line feeds stay.

    >>> printable("a\x1b[31m")
    'a\\x1b[31m'
    """
    return CONTROL.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
