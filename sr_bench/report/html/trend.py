"""A model's trend page: values, margins and latency over the runs, with what changed between."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench.core.claim import UNITS
from sr_bench.core.history import Environment, HistoryEntry, Point
from sr_bench.report.html.overview import RunHead
from sr_bench.report.html.values import GLYPHS

_RUNS_SHOWN = 200


@dataclass(frozen=True)
class TrendRun:
    """A run, as the axis of a trend knows it."""

    run: str
    started: str
    commit: str
    environment: str
    changed: str
    """What of the environment differs from the run before; empty if nothing does."""


@dataclass(frozen=True)
class TrendPoint:
    """A value of a series."""

    run: int
    """Number in the page's runs."""
    value: float
    claimed: float | None
    margin: float | None
    tolerance: float | None
    status: str
    glyph: str
    images: int
    planned: int
    changed: str
    """Inputs of the number that differ from the point before; empty if none do."""


@dataclass(frozen=True)
class Series:
    """The values of one case on one device."""

    label: str
    metric: str
    unit: str
    emulated: bool
    points: tuple[TrendPoint, ...]


@dataclass(frozen=True)
class TrendPage:
    """All that a trend page shows."""

    head: RunHead
    family: str
    model: str
    pages: tuple[tuple[str, str], ...]
    """Data set and page of the model."""
    runs: tuple[TrendRun, ...]
    series: tuple[Series, ...]
    left_out: int
    """Runs before those shown."""


def trend_page(
    head: RunHead,
    family: str,
    model: str,
    pages: tuple[tuple[str, str], ...],
    history: Sequence[HistoryEntry],
) -> TrendPage | None:
    """Return the trends of a model; None if history has no value of it."""
    own = [
        (entry, points)
        for entry in sorted(history, key=lambda entry: entry.info.run)
        if (points := [p for p in entry.points if (p.family, p.model) == (family, model)])
    ]
    shown = own[-_RUNS_SHOWN:]
    series = _series([points for _, points in shown])
    if not series:
        return None
    runs = _runs([entry for entry, _ in shown])
    return TrendPage(head, family, model, pages, runs, series, len(own) - len(shown))


def _runs(entries: Sequence[HistoryEntry]) -> tuple[TrendRun, ...]:
    found: list[TrendRun] = []
    before: Environment | None = None
    for entry in entries:
        now = entry.info.environment
        changed = ", ".join(_differences(before, now)) if before else ""
        what = f"Python {now.python}, {now.system}, {now.cpu} with {now.cores} cores"
        found.append(TrendRun(entry.info.run, entry.info.started, now.commit, what, changed))
        before = now
    return tuple(found)


def _differences(before: Environment, now: Environment) -> list[str]:
    told = [
        f"{name} {before.packages.get(name, 'absent')} → {now.packages.get(name, 'absent')}"
        for name in sorted(before.packages.keys() | now.packages.keys())
        if before.packages.get(name) != now.packages.get(name)
    ]
    for name in ("python", "system", "cpu", "cores"):
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            told.append(f"{name} {old} → {new}")
    return told


def _series(runs: Sequence[Sequence[Point]]) -> tuple[Series, ...]:
    found: dict[tuple[str, str, str], list[tuple[int, Point]]] = defaultdict(list)
    for number, points in enumerate(runs):
        for point in points:
            if point.value is not None:
                found[point.case_id, point.backend, point.device].append((number, point))
    # What images say comes first: costs hardly move.
    ordered = sorted(found.values(), key=lambda points: not points[0][1].dataset)
    return tuple(_one(points) for points in ordered)


def _one(points: Sequence[tuple[int, Point]]) -> Series:
    last = points[-1][1]
    where = f" on {last.dataset}" if last.dataset else ""
    device = ", ".join(name for name in (last.backend, last.device) if name)
    label = f"{last.metric} {last.precision}{where} ({device}): {last.case_id}"
    made, before = [], None
    for number, point in points:
        made.append(_point(number, point, before))
        before = point
    emulated = last.device.startswith("emulated")
    return Series(label, last.metric, UNITS.get(last.metric, ""), emulated, tuple(made))


def _point(number: int, point: Point, before: Point | None) -> TrendPoint:
    old = before.inputs if before else point.inputs
    changed = [
        name for name in sorted(old.keys() | point.inputs.keys())
        if old.get(name) != point.inputs.get(name)
    ]  # fmt: skip
    assert point.value is not None
    return TrendPoint(
        run=number,
        value=point.value,
        claimed=point.claimed,
        margin=point.margin,
        tolerance=point.tolerance,
        status=point.status.value,
        glyph=GLYPHS[point.status],
        images=point.images,
        planned=point.planned,
        changed=", ".join(changed),
    )
