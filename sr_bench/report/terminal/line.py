"""A line of the terminal, and how it is cut to its width."""

from typing import NamedTuple

from sr_bench.core.record import Status

WIDE = 140
"""Characters of a line where no terminal has an edge, such as in the log of a job."""

_CUT = "..."


class Line(NamedTuple):
    """A line, and what its colour tells."""

    text: str = ""
    status: Status | None = None
    """None: it has no colour."""


def fit(text: str, width: int) -> str:
    """Return `text` in at most `width` characters, dots at its end if it is cut."""
    return text if len(text) <= width else text[: width - len(_CUT)].rstrip() + _CUT
