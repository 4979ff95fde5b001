"""Cells that say in themselves what each of their numbers is about: ``fp16 67.8<br>int8 64.4``."""

import re
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.inline import plain
from sr_bench.document.phrases import fallback_measure, read_phrase
from sr_bench.document.printed_numbers import read_numbers

_LONGEST: Final = 1000
_BREAK: Final = re.compile(
    r"`?<\s?/?\s?br\s?/?>`?|\r?\n|[;；,，/|]"  # noqa: RUF001
    r"|(?<=[\d%])\s{1,9}(?=[\"']?[^\W\d]\w{0,30}[\"']?\s?[:：])",  # noqa: RUF001
    re.IGNORECASE,
)
_BEFORE: Final = re.compile(
    r"\s*(?P<label>\S(?:[^\n]{0,60}[^\s:：=])?)(?:\s?[:：=]\s*|\s+)(?P<number>\S{1,40})\s*"  # noqa: RUF001
)
_QUOTED: Final = re.compile(r"(?:[^\W\d]\w{0,30}\s{1,9})?(?:\"[^\"]+\"|'[^']+')")
_BEHIND: Final = re.compile(
    r"\s*(?P<number>[^\s(（]{1,40})\s?[(（](?P<label>[^()（）]{1,60})[)）]\s*"  # noqa: RUF001
)


def labelled_parts(cell: Cell) -> tuple[tuple[Dimensions, Cell], ...]:
    """Return each part of `cell` with what its label says; nothing if any part has no label."""
    if len(cell.text) > _LONGEST:
        return ()
    edges = [0]
    for match in _BREAK.finditer(cell.text):
        edges += match.span()
    edges.append(len(cell.text))
    parts = [_part(cell, a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return tuple(part for part in parts if part) if all(parts) else ()


def _part(cell: Cell, start: int, end: int) -> tuple[Dimensions, Cell] | None:
    text = cell.text[start:end]
    for pattern in (_BEFORE, _BEHIND):
        if match := pattern.fullmatch(text):
            says = _said(plain(match["label"]))
            first, last = match.span("number")
            part = cell.part(start + first, start + last)
            if read_numbers(part) and says != Dimensions() and not says.rest:
                return says, part
    return None


def _said(label: str) -> Dimensions:
    """Return what a label says; one in quotation marks names a metric, whatever it is.

    A word before them is of its name: ``Pose "mAP"`` is ``pose_map``.
    """
    says = read_phrase(label)
    if _QUOTED.fullmatch(label) and says == Dimensions(says.measures, rest=says.rest) and says.rest:
        return Dimensions(measures=(fallback_measure(label),))
    return says
