"""Put the metrics, units and changes that a header names together into its measures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Final

from sr_bench.document.dimensions import Measure
from sr_bench.document.lexicon import DATASET_PARTS, DEVICE_ENDS, ENGLISH
from sr_bench.document.meanings import Kind, Meaning
from sr_bench.document.pieces import Piece
from sr_bench.document.spelling import compact, folded
from sr_bench.document.units import (
    GENERIC,
    NAMED,
    PERCENT,
    RATES,
    cost_unit,
    unit_alone,
    with_printed_unit,
)

_COLOURED: Final = frozenset({"psnr", "ssim"})
_MEASURING: Final[frozenset[Kind]] = frozenset({"measure", "metric word", "generic"})
_NAMING: Final[frozenset[Kind]] = frozenset({*_MEASURING, "unknown", "qualifier"})
_FRACTION: Final = re.compile(r"(?<![\d.])0?\.(\d{1,4})(?!\d)")
_TRAINED: Final = re.compile("pre?train|train")
_THRESHOLD: Final = re.compile(r"(?:iou|oks|ap|val)?[\d_]{1,12}|[a-z]{1,2}\d{1,4}")
_ORDINAL: Final = re.compile(r"(?<=[^\W\d_])[-\s](?=\d)")
_TIED: Final = {"measure", "unknown"}
_UNKNOWN: Final = Meaning("unknown")
_DEVICE: Final = Meaning("device")
_FILLER: Final = Meaning("filler")
_METRIC_WORD: Final = Meaning("metric word")


@dataclass
class _Run:
    """Measures with no unit between them, and what is said behind them: ``Params/Flops (M/G)``."""

    measures: list[Measure] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    colour: str = ""
    change: str = ""
    made: str = ""
    """Name of the last measure, if no module declares it."""

    def read(self) -> Iterator[Measure]:
        """Yield its measures with all that is said of them."""
        paired = len(self.units) == len(self.measures)
        for index, measure in enumerate(self.measures):
            unit = self.units[index if paired else 0] if self.units else ""
            one = with_printed_unit(measure, unit) if unit else measure
            if not paired and index + 1 < len(self.measures) and one.unit and not one.exponent:
                one = measure  # a unit of the others: SSIM has no dB
            name = (
                f"{one.metric}_{self.colour}"
                if self.colour and one.metric in _COLOURED
                else one.metric
            )
            yield replace(one, metric=f"{name}_{self.change}" if self.change else name)


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
        return None if _is_unit(piece, before, after) else _UNKNOWN
    if kind == "generic" and not _is_measured(piece, after):
        if _names([one for one in (*before, *after) if one.segment == piece.segment]):
            return _FILLER
        return _METRIC_WORD if compact(piece.text) in NAMED else _UNKNOWN
    if kind == "colour" and not _names((*before, *after)):
        return _UNKNOWN
    if kind == "dataset" and after and _TRAINED.match(compact(after[0].text)):
        return _UNKNOWN  # ImageNet pretraining
    if kind == "unknown" and _is_part(piece, before):
        return _FILLER
    if kind == "unknown" and (piece.is_metric or (is_rate and not before)):
        return _METRIC_WORD
    return None


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
    return not kinds & {*_MEASURING, "change", "unknown"} and bool(units and unit_alone(units))


def _is_measured(generic: Piece, after: Sequence[Piece]) -> bool:
    """Tell whether a unit or a metric in brackets stands behind a word: ``Speed CPU (ms)``."""
    for piece in after:
        apart = piece.segment != generic.segment
        if piece.meaning.kind in _MEASURING:
            return apart and piece.lead == "(" and piece.meaning.kind == "measure"
        if piece.meaning.kind == "unit":
            return not apart or piece.lead in ("(", "/")
    return False


def _is_unit(piece: Piece, before: Sequence[Piece], after: Sequence[Piece]) -> bool:
    kinds = [one.meaning.kind for one in before]
    if not {*_MEASURING, "change"}.intersection(kinds):
        return False
    is_last = not after or after[0].segment != piece.segment or after[0].meaning.kind == "unit"
    if piece.segment != before[-1].segment:
        follows = kinds[-1] in (*_MEASURING, "unit", "change", "colour")
        return is_last and (piece.lead == "(" or (piece.lead == "/" and follows))
    beside = kinds[-1] in _MEASURING and compact(piece.text) not in RATES
    return beside or kinds[-1] == "unit"


def read_measures(found: Sequence[Piece]) -> tuple[tuple[Measure, ...], frozenset[int]]:
    """Return the measures that pieces name, in their order, and the segments that name them."""
    reader = _Reader()
    for _, group in groupby(found, key=lambda piece: piece.segment):
        reader.read(list(group))
    return reader.measures(), frozenset(reader.naming)


class _Reader:
    """Reads a header segment by segment."""

    def __init__(self) -> None:
        self.naming: set[int] = set()
        self._runs = [_Run()]
        self._prefix = ""
        self._change = self._alone = ""

    def measures(self) -> tuple[Measure, ...]:
        """Return what was read so far."""
        first = self._runs[0]
        if self._change and not first.measures:
            return tuple(replace(first, measures=[Measure(self._alone)], change="").read())
        if first.units and not first.measures and (alone := unit_alone(first.units)):
            return (alone,)
        runs = [replace(run, change=run.change or self._change) for run in self._runs]
        return tuple(measure for run in runs for measure in run.read())

    def read(self, segment: Sequence[Piece]) -> None:
        """Read the pieces between two signs."""
        lead = segment[0].lead
        self._prefix = "" if lead == ")" else self._prefix
        change = next((one.meaning.word for one in segment if one.meaning.kind == "change"), "")
        named = _named(segment)
        if isinstance(named, str):
            self.naming.add(segment[0].segment)
            self._add_made(named, lead)
        elif named:
            self._add(named, lead, is_unit=bool(cost_unit(compact(segment[0].text))))
        elif change:
            self._read_change(change, lead, measure_name(segment))
            change = ""
        else:
            self._lengthen(segment, lead)
        last = self._runs[-1]
        last.change = change or last.change
        colours = [one.meaning.word for one in segment if one.meaning.kind == "colour"]
        last.colour = colours[0] if colours else last.colour
        last.units += [one.text for one in segment if one.meaning.kind == "unit"]

    def _add(self, measures: Sequence[Measure], lead: str, *, is_unit: bool) -> None:
        """Add measures that have a declaration; a cost in brackets may be the unit of one."""
        last = self._runs[-1].measures
        named = {measure.metric for measure in measures}
        if lead == "(" and last and (last[-1].metric in GENERIC or is_unit or named == {"fps"}):
            last[-1:] = measures
        else:
            self._open().measures += measures

    def _add_made(self, name: str, lead: str) -> None:
        """Add a measure without one; what stands before brackets is part of its name."""
        last = self._runs[-1]
        if lead == "(" and last.made:
            self._prefix = f"{last.made}_"
            last.measures.pop()
        run = self._open()
        run.made = f"{self._prefix}{name}"
        run.measures.append(Measure(run.made))

    def _lengthen(self, segment: Sequence[Piece], lead: str) -> None:
        """Let a threshold in brackets be part of the name before them: ``mAP (0.5)``."""
        last, name = self._runs[-1], measure_name(segment)
        if lead == "(" and last.measures and {one.meaning.kind for one in segment} == {"qualifier"}:
            last.made = last.measures[-1].metric  # LPIPS (VGG), latency (max)
        elif not (lead in "(/" and last.made and _THRESHOLD.fullmatch(name)):
            return
        if last.made:
            last.made = f"{last.made}_{name}"
            last.measures[-1] = Measure(last.made)
            self.naming.add(segment[0].segment)

    def _read_change(self, change: str, lead: str, name: str) -> None:
        """Read a loss that stands alone: of the measures before, or of those to come."""
        last = self._runs[-1]
        if not last.measures:
            self._change = change
            self._alone = f"{name}_{change}" if name else change
        elif lead == ")":
            last.change = change
        else:
            self._runs.append(_Run(last.measures[-1:], list(last.units), last.colour, change))

    def _open(self) -> _Run:
        """Return the run that the next measure is of."""
        last = self._runs[-1]
        if last.measures and (last.units or last.colour):
            self._runs.append(_Run())
        return self._runs[-1]


def _named(segment: Sequence[Piece]) -> Sequence[Measure] | str:
    """Return the measures of a segment; or the name of one that has no declaration."""
    kinds = {piece.meaning.kind for piece in segment}
    known = [piece.meaning.measure for piece in segment if piece.meaning.measure]
    if (known and _is_other(segment)) or (not known and "metric word" in kinds):
        return measure_name(segment)
    if not known and "generic" in kinds:
        return [Measure(compact(one.text)) for one in segment if one.meaning.kind == "generic"]
    return known


def _is_other(segment: Sequence[Piece]) -> bool:
    """Tell whether a known metric is made another one: ``WS-PSNR``, ``Training time``."""
    return any(
        piece.meaning.kind == "qualifier"
        or (piece.hyphenated and {before.meaning.kind, piece.meaning.kind} == _TIED)
        for before, piece in pairwise((segment[0], *segment))
    )


def measure_name(segment: Sequence[Piece], *also: Kind) -> str:
    """Return the name of a metric that nothing declares: ``mAP@.5`` is ``map_50``."""
    words = (piece.text for piece in segment if piece.meaning.kind in (*_NAMING, *also))
    text = " ".join(ENGLISH.get(compact(word), word) for word in words)
    text = _FRACTION.sub(lambda match: f" {match[1]:0<2} ", folded(text))
    return re.sub(r"[\W_]+", "_", _ORDINAL.sub("", text)).strip("_")
