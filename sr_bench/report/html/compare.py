"""The page that sets a run against earlier ones: the worst first, image by image where kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sr_bench.core.compare import (
    CaseOutcome,
    Compared,
    ComparedRuns,
    case_key,
    environment_changes,
)
from sr_bench.core.gate import quantity
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.record import Record
from sr_bench.errors import ImageError
from sr_bench.files.atomic import write_text
from sr_bench.imaging.files import read_levels
from sr_bench.imaging.web import Levels, worst_window
from sr_bench.report.html.drawn import data_url, difference
from sr_bench.report.html.pictures import Shelf
from sr_bench.report.html.render import render
from sr_bench.report.html.survey import WINDOW
from sr_bench.report.html.values import all_emulated
from sr_bench.report.terminal.compare import (
    QUIET,
    case_cells,
    likely_cause,
    what_changed,
    worst_first,
)

_PICTURED = 24  # cases, so that a page stays small enough to be sent
_TITLES = {
    CaseOutcome.LOSS: "Worse",
    CaseOutcome.VANISHED: "Vanished",
    CaseOutcome.UNDECIDED: "Undecided",
    CaseOutcome.NOT_COMPARABLE: "Not comparable",
    CaseOutcome.NEW: "New",
    CaseOutcome.GAIN: "Better",
    CaseOutcome.WITHIN: "Within the limits",
    CaseOutcome.SAME: "The same",
}


@dataclass(frozen=True)
class ImageRow:
    """An image in both runs."""

    image: str
    before: str
    now: str
    drop: str


@dataclass(frozen=True)
class Tile:
    """A part of a kept picture."""

    label: str
    url: str


@dataclass(frozen=True)
class CaseView:
    """A case of both runs, as its row says it."""

    outcome: str
    emulated: bool
    model: str
    precision: str
    metric: str
    before: str
    now: str
    loss: str
    worst: str
    changed: str
    verdict: str
    """How the verdict changed, and the document; empty if they did not."""
    sentence: str
    images: tuple[ImageRow, ...]
    """The worst first."""
    tiles: tuple[Tile, ...]
    """Where the two runs are furthest apart in the worst image; empty if that was not kept."""
    place: str


@dataclass(frozen=True)
class PairView:
    """A run beside an earlier one."""

    before: SessionInfo
    now: SessionInfo
    changes: tuple[str, ...]
    """Of the environment."""
    counts: tuple[tuple[str, int], ...]
    """Outcome and number."""
    groups: tuple[tuple[str, bool, tuple[CaseView, ...]], ...]
    """Title, whether it may stay folded, and cases."""
    all_emulated: bool
    """Whether no value came from a device."""
    missing: int
    """Values of the earlier run that this one was not asked for."""


@dataclass(frozen=True)
class ComparePage:
    """All that the page shows."""

    head: SessionInfo
    pairs: tuple[PairView, ...]


def write_page(compared: Sequence[ComparedRuns], target: Path) -> None:
    """Write the page of `compared` to the file `target`, with all that it shows inside.

    Raises:
        SrBenchError: The file can't be written.
    """
    write_text(target, render("compare", compare_page(compared), alone=True))


def compare_page(compared: Sequence[ComparedRuns]) -> ComparePage:
    """Return the page of `compared`, at least one; they share the newer run."""
    return ComparePage(compared[0].now.info, tuple(map(_pair, compared)))


def _pair(runs: ComparedRuns) -> PairView:
    cases = worst_first(runs.cases)
    changes = environment_changes(runs.before.info.environment, runs.now.info.environment)
    sides = _Side(runs.before), _Side(runs.now)
    pictured = {id(case) for case in [c for c in cases if c.outcome not in QUIET][:_PICTURED]}
    views: dict[CaseOutcome, list[CaseView]] = {}
    for case in cases:
        view = _view(case, sides, likely_cause(changes), id(case) in pictured)
        views.setdefault(case.outcome, []).append(view)
    return PairView(
        before=runs.before.info,
        now=runs.now.info,
        changes=tuple(map(str, changes)),
        counts=tuple((outcome.value, len(found)) for outcome, found in views.items()),
        groups=tuple(
            (_TITLES[outcome], outcome in QUIET, tuple(found)) for outcome, found in views.items()
        ),
        all_emulated=all_emulated((*runs.before.records, *runs.now.records)),
        missing=runs.missing,
    )


class _Side:
    """One of the two runs: its records, and where their images are kept."""

    def __init__(self, run: PastSession) -> None:
        measured = [record for record in run.records if record.measurement]
        self._records = {case_key(record): record for record in reversed(measured)}
        self._shelf = Shelf(run.results.resolve(), run.results.resolve())

    def record(self, case: Compared) -> Record | None:
        return self._records.get(case_key(case))

    def levels(self, record: Record | None, image: str) -> Levels | None:
        """Return the kept output of `image`; None if there is none that can be read."""
        if record is None or record.kept is None or record.measurement is None:
            return None
        names = [score.image for score in record.measurement.images]
        picture = self._shelf.picture(record.kept.sr, f"{names.index(image):04d}.png")
        try:
            return read_levels(picture.path) if picture else None
        except ImageError:
            return None


def _view(case: Compared, sides: tuple[_Side, _Side], likely: str, pictured: bool) -> CaseView:
    model, precision, metric, before, now, loss, worst, _ = case_cells(case)
    records = sides[0].record(case), sides[1].record(case)
    images = tuple(_images(case, records))
    tiles: tuple[Tile, ...] = ()
    place = ""
    if pictured and images:
        levels = [s.levels(r, images[0].image) for s, r in zip(sides, records, strict=True)]
        tiles, place = _tiles(*levels)
    return CaseView(
        outcome=case.outcome.value,
        emulated=case.device.startswith("emulated"),
        model=model,
        precision=precision,
        metric=metric,
        before=before,
        now=now,
        loss=loss,
        worst=worst,
        changed=what_changed(case, likely),
        verdict=", ".join(map(str, case.verdict)),
        sentence=case.sentence,
        images=images,
        tiles=tiles,
        place=place,
    )


def _images(case: Compared, records: tuple[Record | None, Record | None]) -> Iterator[ImageRow]:
    comparison = case.comparison
    if comparison is None or comparison.drop is None or case.outcome is CaseOutcome.SAME:
        return
    before, now = map(_values, records)
    drops = zip(comparison.drop.values, comparison.images, strict=True)
    for drop, image in sorted(drops, key=lambda pair: (-pair[0], pair[1])):
        old, new, loss = (quantity(case.metric, v) for v in (before[image], now[image], drop))
        yield ImageRow(image, old, new, loss)


def _values(record: Record | None) -> Mapping[str, float]:
    measurement = record.measurement if record else None
    return {score.image: score.value for score in measurement.images} if measurement else {}


def _tiles(before: Levels | None, now: Levels | None) -> tuple[tuple[Tile, ...], str]:
    """Return the window in which two pictures are furthest apart, and where it is."""
    if before is None or now is None or before.shape != now.shape:
        return (), ""
    window = worst_window(before, now, WINDOW)
    rows = slice(window.top, window.top + window.height)
    columns = slice(window.left, window.left + window.width)
    a, b = before[rows, columns], now[rows, columns]
    apart, gain = difference(b, a)
    if not window.mse:
        return (), "both runs kept the same image"
    shown = {"A": a, "B": b, f"B - A, times {gain:.3g}": apart}
    tiles = tuple(Tile(label, data_url(levels)) for label, levels in shown.items())
    levels = float(np.abs(np.subtract(b, a, dtype=np.float32)).max())
    place = f"{window.width}x{window.height} at ({window.left}, {window.top})"
    return tiles, f"{place}, {levels:.3g} levels apart at most"
