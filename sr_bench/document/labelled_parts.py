"""Cells that say in themselves what each of their numbers is about: ``fp16 67.8<br>int8 64.4``."""

import re
from typing import Final

from sr_bench.document.cell import BREAK, Cell
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.inline import plain
from sr_bench.document.phrases import fallback_measure, read_phrase
from sr_bench.document.printed_numbers import read_numbers

_SIGN: Final = re.compile(
    rf"`?{BREAK}`?|\r?\n|[;；,，/|]"  # noqa: RUF001
    r"|(?<=[\d%])\s{1,9}(?=[\"']?[^\W\d]\w{0,30}[\"']?\s?[:：])",  # noqa: RUF001
    re.IGNORECASE,
)
_UNIT: Final = r"\s(?:[^\W\d_]{1,12}|%)"
_LABEL: Final = r"\s*(?P<label>\S(?:[^\n]{0,60}[^\s:：=])?)(?:\s?[:：=]\s*|\s+)"  # noqa: RUF001
_QUOTED: Final = re.compile(r"(?:[^\W\d]\w{0,30}\s{1,9})?(?:\"[^\"]+\"|'[^']+')")
_FORMS: Final = (
    re.compile(rf"{_LABEL}(?P<number>\S{{1,40}})\s*"),
    re.compile(rf"{_LABEL}(?P<number>\S{{1,40}}{_UNIT})\s*"),
    re.compile(
        rf"\s*(?P<number>[^\s(（]{{1,40}}(?:{_UNIT})?)\s?[(（](?P<label>[^()（）]{{1,60}})[)）]\s*"  # noqa: RUF001
    ),
)


def labelled_parts(cell: Cell) -> tuple[tuple[Dimensions, Cell], ...]:
    """Return each part of `cell` with what its label says; nothing if any part has no label."""
    parts = []
    for part in cell.split(_SIGN):
        if not (labelled := _labelled(part)):
            return ()
        parts.append(labelled)
    return tuple(parts)


def _labelled(part: Cell) -> tuple[Dimensions, Cell] | None:
    for form in _FORMS:
        if match := form.fullmatch(part.text):
            says = _said(plain(match["label"]))
            number = part.part(*match.span("number"))
            if read_numbers(number) and says != Dimensions() and not says.rest:
                return says, number
    return None


def _said(label: str) -> Dimensions:
    """Return what a label says; one in quotation marks names a metric, whatever it is.

    A word before them is of its name: ``Pose "mAP"`` is ``pose_map``.
    """
    says = read_phrase(label)
    if _QUOTED.fullmatch(label) and says == Dimensions(says.measures, rest=says.rest) and says.rest:
        return Dimensions(measures=(fallback_measure(label),))
    return says
