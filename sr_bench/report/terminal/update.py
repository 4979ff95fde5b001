"""Show what an update did: a unified diff, and what was left out and why."""

from collections.abc import Iterator

from sr_bench.core.update import Update
from sr_bench.document.diff import lines_of
from sr_bench.report.parts.floor import floor_lines
from sr_bench.text.printable import counted, printable

_SHOWN = 5


def update_lines(update: Update) -> list[str]:
    """Return what to print of `update`: the diff, what was done, doubts of it, what was left out.

    Refusals are errors and not among them. Control characters of documents are spelled out.
    """
    return [printable(line) for line in _lines(update)]


def _lines(update: Update) -> Iterator[str]:
    yield from (line.rstrip("\r\n") for line in lines_of(update.diff))
    done = f"{counted(len(update.edits), 'number')} updated"
    if update.gaps:
        done += f", {counted(len(update.gaps), 'closed gap')} removed"
    if not (update.diff or update.gaps or update.left_out or update.refused):
        done += ": the documents have what the run measured"
    yield done if update.written else f"{done} (dry run: nothing was written)"
    yield from floor_lines(edit.record for edit in update.edits)
    for left in update.left_out:
        yield f"left out, {len(left.what)} x {left.why}"
        yield from (f"  {what}" for what in left.what[:_SHOWN])
        if len(left.what) > _SHOWN:
            yield f"  and {len(left.what) - _SHOWN} more"
