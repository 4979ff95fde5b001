"""A model's trend page: values, margins and latency over the runs, with what changed between."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sr_bench.core.compare import environment_changes, input_changes
from sr_bench.core.history import Environment, HistoryEntry, Point, SessionInfo
from sr_bench.core.metric import metric_info
from sr_bench.core.trend import Moment, Series, trend
from sr_bench.core.trend import series as series_of
from sr_bench.report.terminal.history import trend_line

_RUNS_SHOWN = 200
_OF_A_POINT = ("value", "claimed", "margin", "tolerance", "images", "planned")
"""What a trend shows as history has it."""


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

    head: SessionInfo
    family: str
    model: str
    pages: tuple[tuple[str, str], ...]
    """Data set and page of the model."""
    runs: tuple[TrendRun, ...]
    series: tuple[Curve, ...]
    left_out: int
    """Runs before those shown."""


def trend_page(
    head: SessionInfo,
    family: str,
    model: str,
    pages: tuple[tuple[str, str], ...],
    history: Sequence[HistoryEntry],
) -> TrendPage | None:
    """Return the trends of a model; None if history, oldest first, has no value of it."""

    def is_ours(point: Point) -> bool:
        return (point.family, point.model) == (family, model)

    entries = [entry for entry in history if any(map(is_ours, entry.points))]
    shown = entries[-_RUNS_SHOWN:]
    numbers = {entry.info.run: number for number, entry in enumerate(shown)}
    cases = series_of(shown, lambda point: is_ours(point) and point.value is not None)
    # What images say comes first: costs hardly move.
    series = sorted(chain(*map(_by_device, cases)), key=lambda case: not case.newest.dataset)
    if not series:
        return None
    curves = tuple(_curve(case, numbers) for case in series)
    return TrendPage(head, family, model, pages, _runs(shown), curves, len(entries) - len(shown))


def _by_device(case: Series) -> Iterator[Series]:
    """Yield the values of each device by themselves: what one gives says nothing of another."""
    by_device: dict[str, list[Moment]] = defaultdict(list)
    for moment in case.moments:
        by_device[moment.point.device].append(moment)
    yield from (Series(tuple(moments)) for moments in by_device.values())


def _runs(entries: Sequence[HistoryEntry]) -> tuple[TrendRun, ...]:
    runs: list[TrendRun] = []
    before: Environment | None = None
    for entry in entries:
        now = entry.info.environment
        changed = ", ".join(map(str, environment_changes(before, now))) if before else ""
        what = f"Python {now.python}, {now.system}, {now.cpu} with {now.cores} cores"
        runs.append(TrendRun(entry.info.run, entry.info.started, now.commit, what, changed))
        before = now
    return tuple(runs)


def _curve(case: Series, numbers: Mapping[str, int]) -> Curve:
    last, unit = case.newest, metric_info(case.newest.metric).unit
    where = f" on {last.dataset}" if last.dataset else ""
    device = ", ".join(name for name in (last.backend, last.device) if name)
    label = f"{last.metric} {last.precision}{where} ({device}): {last.case_id}"
    befores = (None, *(moment.point for moment in case.moments))
    points = tuple(
        _point(numbers[moment.info.run], moment.point, before)
        for moment, before in zip(case.moments, befores, strict=False)
    )
    emulated = last.device.startswith("emulated")
    sentence = trend_line(trend(case), last.metric, unit)
    return Curve(label, last.metric, unit, emulated, sentence, points)


def _point(number: int, point: Point, before: Point | None) -> TrendPoint:
    changed = input_changes(before.inputs, point.inputs) if before else ()
    return TrendPoint(
        run=number,
        **{name: getattr(point, name) for name in _OF_A_POINT},
        status=point.status.value,
        changed=", ".join(sorted(change.name for change in changed)),
    )
