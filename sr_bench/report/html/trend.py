"""A model's trend page: values, margins and latency over the runs, with what changed between."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sr_bench.core.compare import environment_changes, input_changes
from sr_bench.core.history import Environment, HistoryEntry, Point
from sr_bench.core.metric import metric_info
from sr_bench.core.trend import Moment, Series, trend
from sr_bench.core.trend import series as series_of
from sr_bench.report.html.overview import RunHead
from sr_bench.report.parts.marks import MARKS
from sr_bench.report.terminal.history import trend_line

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
class Curve:
    """The values of one case on one device."""

    label: str
    metric: str
    unit: str
    emulated: bool
    trend: str
    """Where it is going, in a sentence."""
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
    series: tuple[Curve, ...]
    left_out: int
    """Runs before those shown."""


def trend_page(
    head: RunHead,
    family: str,
    model: str,
    pages: tuple[tuple[str, str], ...],
    history: Sequence[HistoryEntry],
) -> TrendPage | None:
    """Return the trends of a model; None if history, oldest first, has no value of it."""
    own = [
        entry
        for entry in history
        if any((point.family, point.model) == (family, model) for point in entry.points)
    ]
    shown = own[-_RUNS_SHOWN:]
    numbers = {entry.info.run: number for number, entry in enumerate(shown)}
    found = [one for case in _cases(shown, family, model) for one in _by_device(case)]
    # What images say comes first: costs hardly move.
    found.sort(key=lambda case: not case.newest.dataset)
    if not found:
        return None
    series = tuple(_one(case, numbers) for case in found)
    return TrendPage(head, family, model, pages, _runs(shown), series, len(own) - len(shown))


def _cases(entries: Sequence[HistoryEntry], family: str, model: str) -> tuple[Series, ...]:
    def wanted(point: Point) -> bool:
        return (point.family, point.model) == (family, model) and point.value is not None

    return series_of(entries, wanted)


def _by_device(case: Series) -> Iterator[Series]:
    """Yield the values of each device by themselves: what one gives says nothing of another."""
    found: dict[str, list[Moment]] = defaultdict(list)
    for moment in case.moments:
        found[moment.point.device].append(moment)
    yield from (Series(tuple(moments)) for moments in found.values())


def _runs(entries: Sequence[HistoryEntry]) -> tuple[TrendRun, ...]:
    found: list[TrendRun] = []
    before: Environment | None = None
    for entry in entries:
        now = entry.info.environment
        changed = ", ".join(map(str, environment_changes(before, now))) if before else ""
        what = f"Python {now.python}, {now.system}, {now.cpu} with {now.cores} cores"
        found.append(TrendRun(entry.info.run, entry.info.started, now.commit, what, changed))
        before = now
    return tuple(found)


def _one(case: Series, numbers: Mapping[str, int]) -> Curve:
    last, unit = case.newest, metric_info(case.newest.metric).unit
    where = f" on {last.dataset}" if last.dataset else ""
    device = ", ".join(name for name in (last.backend, last.device) if name)
    label = f"{last.metric} {last.precision}{where} ({device}): {last.case_id}"
    made, before = [], None
    for moment in case.moments:
        made.append(_point(numbers[moment.info.run], moment.point, before))
        before = moment.point
    emulated = last.device.startswith("emulated")
    told = trend_line(trend(case), last.metric, unit)
    return Curve(label, last.metric, unit, emulated, told, tuple(made))


def _point(number: int, point: Point, before: Point | None) -> TrendPoint:
    changed = input_changes(before.inputs, point.inputs) if before else ()
    assert point.value is not None
    return TrendPoint(
        run=number,
        value=point.value,
        claimed=point.claimed,
        margin=point.margin,
        tolerance=point.tolerance,
        status=point.status.value,
        glyph=MARKS[point.status],
        images=point.images,
        planned=point.planned,
        changed=", ".join(sorted(change.name for change in changed)),
    )
