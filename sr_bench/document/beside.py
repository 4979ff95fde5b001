"""Words of a header that mean something only beside others: ``M`` is a unit behind a metric."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sr_bench.document.lexicon import DATASET_PARTS, DEVICE_ENDS, ENGLISH
from sr_bench.document.meanings import Kind, Meaning, precision_word
from sr_bench.document.pieces import Piece
from sr_bench.document.spelling import compact, words
from sr_bench.document.units import ITEMS, NAMED, PERCENT, RATES, unit_alone

MEASURING: Final[frozenset[Kind]] = frozenset({"measure", "metric word", "generic"})
_DELTA: Final = re.compile("[δΔ∆]|delta", re.IGNORECASE)
_PARTS: Final[frozenset[Kind]] = frozenset({"unknown", "unit"})
_COMMON: Final = words("places historical hide general glue squad")
"""Data sets by names that are English words in lower case."""
_DEVICE: Final = Meaning("device")
_FILLER: Final = Meaning("filler")
_METRIC_WORD: Final = Meaning("metric word")
_TRAINED: Final = re.compile("pre?train|train")
_UNKNOWN: Final = Meaning("unknown")


def settled(found: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces where a word that means something only beside others is unknown without them.

    ``M`` is a unit behind a metric, and ``size`` a metric before a unit. A unit alone names what it
    is of: ``ms/img`` is a latency.
    """
    found = _with_devices(found)
    if _is_unit_alone(found):
        return found
    pieces: list[Piece] = []
    is_rate = not _names(found) and any(piece.text == PERCENT for piece in found)
    for index, piece in enumerate(found):
        meaning = _beside(piece, pieces, found[index + 1 :], is_rate=is_rate)
        pieces.append(replace(piece, meaning=meaning) if meaning else piece)
    return tuple(pieces)


def _names(found: Sequence[Piece]) -> bool:
    return any(piece.meaning.kind in ("measure", "metric word") for piece in found)


def _beside(
    piece: Piece, before: Sequence[Piece], after: Sequence[Piece], *, is_rate: bool
) -> Meaning | None:
    """Return what a word means beside others, if that is another than alone."""
    kind = piece.meaning.kind
    if kind == "unit":
        if _is_unit(piece, before, after):
            return None
        per = compact(piece.text) in ITEMS and _names(before)  # time per image
        return _FILLER if per else _UNKNOWN
    if kind == "generic" and not _is_measured(piece, after):
        if _names([one for one in (*before, *after) if one.segment == piece.segment]):
            return _FILLER
        return _METRIC_WORD if compact(piece.text) in NAMED else _UNKNOWN
    if kind == "colour" and not _names((*before, *after)):
        return _UNKNOWN
    if kind in ("dataset", "scale") and after and _TRAINED.match(compact(after[0].text)):
        return _UNKNOWN  # ImageNet pretraining, x2 pretraining
    if kind == "dataset" and piece.text in _COMMON and (before or after):
        return _UNKNOWN
    if kind in ("unknown", "qualifier") and _is_calibration(piece, (*before, *after)):
        return Meaning("precision", precision=precision_word(f"int8 {piece.text}"))
    if kind == "unknown" and _is_part(piece, before):
        return _FILLER
    if kind == "change" and _is_inside(piece, before, after):
        return _UNKNOWN
    rates = is_rate and not before and any(map(str.isalpha, piece.text))
    if kind == "unknown" and (piece.is_metric or rates):
        return _METRIC_WORD
    return None


def _is_inside(change: Piece, before: Sequence[Piece], after: Sequence[Piece]) -> bool:
    """Tell whether a word of a change is part of another one: 色差, frame difference error.

    Or of a name: Diff-EDSR.
    """
    if after and after[0].hyphenated and after[0].meaning.kind == "unknown":
        return True
    if change.text == "差":
        starts = before and before[-1].end == change.start and before[-1].meaning.kind in _PARTS
        return bool(starts or (after and after[0].start == change.end))
    following = compact(after[0].text) if after else ""
    return ENGLISH.get(following, following) == "error" and not _DELTA.search(change.text)


def _is_calibration(piece: Piece, others: Sequence[Piece]) -> bool:
    """Tell whether a word says how an int8 beside it was calibrated: ``INT8 (percentile)``."""
    bare = any(one.meaning.precision and one.meaning.precision.is_bare_int8 for one in others)
    return bare and precision_word(f"int8 {piece.text}") is not None


def _with_devices(found: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces where a device's name goes on: ``RTX 3090``, ``iPhone 12 Pro (ms)``."""
    pieces: list[Piece] = []
    for piece in found:
        last = pieces[-1] if pieces else piece
        beside = last.meaning.kind == "device" and last.segment == piece.segment
        is_number = any(map(str.isdecimal, piece.text)) or compact(piece.text) in DEVICE_ENDS
        goes_on = beside and is_number and piece.meaning.kind == "unknown"
        pieces.append(replace(piece, meaning=_DEVICE) if goes_on else piece)
    return tuple(pieces)


def _is_part(piece: Piece, before: Sequence[Piece]) -> bool:
    """Tell whether brackets behind a dataset say which part of it: ``DIV2K (val)``."""
    return (
        bool(before)
        and before[-1].meaning.kind == "dataset"
        and piece.lead == "("
        and piece.segment != before[-1].segment
        and compact(piece.text) in DATASET_PARTS
    )


def _is_unit_alone(found: Sequence[Piece]) -> bool:
    """Tell whether a text names no metric, nor anything unknown, but a unit that only one has."""
    kinds = {piece.meaning.kind for piece in found}
    units = [piece.text for piece in found if piece.meaning.kind == "unit"]
    return not kinds & {*MEASURING, "change", "unknown"} and bool(units and unit_alone(units))


def _is_measured(generic: Piece, after: Sequence[Piece]) -> bool:
    """Tell whether a unit or a metric in brackets stands behind a word: ``Speed CPU (ms)``."""
    for piece in after:
        apart = piece.segment != generic.segment
        if piece.meaning.kind in MEASURING:
            return apart and piece.lead == "(" and piece.meaning.kind == "measure"
        if piece.meaning.kind == "unit":
            return not apart or piece.lead in ("(", "/")
    return False


def _is_unit(piece: Piece, before: Sequence[Piece], after: Sequence[Piece]) -> bool:
    kinds = [one.meaning.kind for one in before]
    if not {*MEASURING, "change"}.intersection(kinds):
        return False
    is_last = not after or after[0].segment != piece.segment or after[0].meaning.kind == "unit"
    if piece.segment != before[-1].segment:
        last = next((kind for kind in reversed(kinds) if kind != "filler"), "")
        follows = last in (*MEASURING, "unit", "change", "colour")
        return is_last and (piece.lead == "(" or (piece.lead == "/" and follows))
    beside = kinds[-1] in MEASURING and compact(piece.text) not in RATES
    return beside or kinds[-1] == "unit"
