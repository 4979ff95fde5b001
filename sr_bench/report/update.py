"""Tell what an update did: a unified diff, and what was left out and why."""

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from sr_bench.core.update import LeftOut, Update
from sr_bench.files.printable import printable

_SHOWN = 5
_NO_NEWLINE = "\\ No newline at end of file\n"


def unified_diff(path: Path, before: str, after: str) -> str:
    """Return how `after` differs from `before`, such that ``git apply`` takes it.

    The path is relative to the working directory; line ends are part of the lines.
    """
    name = Path(os.path.relpath(path)).as_posix()
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines of `text` with their ends; only a line feed ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def update_lines(update: Update) -> list[str]:
    """Return what to print of `update`: the diff, then what was done and what was left out.

    Refusals are errors and not among them. Control characters of documents are spelled out.
    """
    return [printable(line) for line in _told(update)]


def _told(update: Update) -> Iterator[str]:
    yield from (line.rstrip("\r\n") for line in _lines(update.diff))
    done = f"{_count(len(update.edits), 'number')} updated"
    if update.gaps:
        done += f", {_count(len(update.gaps), 'closed gap')} removed"
    yield done if update.written else f"{done} (dry run: nothing was written)"
    for left in update.left_out:
        yield from _left(left)


def _left(left: LeftOut) -> Iterator[str]:
    yield f"left out, {len(left.what)} x {left.why}"
    yield from (f"  {what}" for what in left.what[:_SHOWN])
    if len(left.what) > _SHOWN:
        yield f"  and {len(left.what) - _SHOWN} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
