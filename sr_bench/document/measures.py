"""Put the metrics, units and changes that a header names together into its measures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Final

from sr_bench.document.beside import MEASURING
from sr_bench.document.dimensions import Measure
from sr_bench.document.lexicon import ENGLISH
from sr_bench.document.meanings import Kind
from sr_bench.document.pieces import Piece
from sr_bench.document.spelling import compact, folded
from sr_bench.document.units import GENERIC, cost_unit, unit_alone, with_printed_unit

_COLOURED: Final = frozenset({"psnr", "ssim"})
_NAMING: Final[frozenset[Kind]] = frozenset({*MEASURING, "unknown", "qualifier"})
_VAGUE: Final = frozenset({"accuracy", "quality", "score"})  # accuracy (PSNR)
_FRACTION: Final = re.compile(r"(?<![\d.])0?\.(\d{1,4})(?!\d)")
_THRESHOLD: Final = re.compile(r"(?:iou|oks|ap|val)?[\d_]{1,12}|[a-z]{1,2}\d{1,4}")
_ORDINAL: Final = re.compile(r"(?<=[^\W\d_])[-\s](?=\d)")
_TIED: Final[frozenset[Kind]] = frozenset({"measure", "unknown"})


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
            colour = self.colour if one.metric in _COLOURED else ""
            yield replace(one, metric="_".join(filter(None, (one.metric, colour, self.change))))


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
        change = _first_word(segment, "change")
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
        last.colour = _first_word(segment, "colour") or last.colour
        last.units += [one.text for one in segment if one.meaning.kind == "unit"]

    def _add(self, measures: Sequence[Measure], lead: str, *, is_unit: bool) -> None:
        """Add measures that have a declaration; a cost in brackets may be the unit of one."""
        last = self._runs[-1].measures
        named = {measure.metric for measure in measures}
        if lead == "(" and last and last[-1].metric in (*named, *_VAGUE):
            last.pop()
        if lead == "(" and last and (last[-1].metric in GENERIC or is_unit or named == {"fps"}):
            last[-1:] = measures
        else:
            self._open().measures += measures

    def _add_made(self, name: str, lead: str) -> None:
        """Add a measure without one; what stands before brackets is part of its name."""
        last = self._runs[-1]
        if lead == ")" and last.measures and name in _VAGUE:
            return  # (Top-1) accuracy
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


def _first_word(segment: Sequence[Piece], kind: Kind) -> str:
    return next((one.meaning.word for one in segment if one.meaning.kind == kind), "")


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
