"""A record as a page shows it: its number, its claim, its status, and how it ran before."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sr_bench.core.fields import narrowed
from sr_bench.core.history import HistoryEntry, Point
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Record, Status
from sr_bench.document import numbers
from sr_bench.errors import SrBenchError
from sr_bench.report.parts.floor import beyond_floor, floor_of
from sr_bench.report.parts.rerun import rerun

_SPARK_RUNS = 24
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 60.0, 16.0, 2.0  # of the SVG in macros.html.j2


@dataclass(frozen=True)
class Spark:
    """The small picture of a value over the last runs."""

    points: str
    """Of an SVG polyline."""
    last: tuple[float, float]
    label: str


@dataclass(frozen=True)
class Value:
    """One number on a page."""

    metric: str
    what: str
    """The metric with its data set."""
    precision: str
    """With the backend word of its row."""
    status: str
    measured: str
    unit: str
    claimed: str
    delta: str
    interval: str
    device: str
    emulated: bool
    partial: str
    """How many of the planned images were scored, if not all; else empty."""
    sentence: str
    source: str
    """The claim's place in the document."""
    rerun: str
    notes: tuple[str, ...]
    spark: Spark | None
    inputs: tuple[tuple[str, str], ...]
    """Short digests of what the number depends on, by name."""
    fingerprint: str


def all_emulated(records: Iterable[Record]) -> bool:
    """Return whether all values that a device gave are emulated; False if there is none."""
    ran = [record.emulated for record in records if record.measurement and record.device]
    return bool(ran) and all(ran)


def ran(record: Record) -> bool:
    """Return whether `record` has a value, or failed to have one."""
    return bool(record.measurement) or record.verdict.status is not Status.NOT_RUN


class Past:
    """The values that history has of each case."""

    def __init__(self, history: Sequence[HistoryEntry]) -> None:
        self._points: dict[tuple[str, ...], list[Point]] = defaultdict(list)
        # A run's name starts with its time.
        for entry in sorted(history, key=lambda entry: entry.info.run):
            for point in entry.points:
                if point.value is not None:
                    key = (point.family, point.case_id, point.backend, point.device)
                    self._points[key].append(point)

    def spark(self, record: Record) -> Spark | None:
        """Return the picture of the last values of `record`'s case; None below two."""
        key = (record.family, record.case_id, record.backend, record.device)
        values = [point.value for point in self._points.get(key, ())][-_SPARK_RUNS:]
        finite = [value for value in values if value is not None and abs(value) != float("inf")]
        return _spark(finite, record) if len(finite) > 1 else None


def value_of(record: Record, past: Past) -> Value:
    """Return `record` as pages show it.

    Raises:
        SrBenchError: Its claim is no number: the record is damaged.
    """
    try:
        shown = numbers.measured(record, extra=0 if record.claim is None else 1)
        claimed, delta = numbers.claimed(record), numbers.delta(record)
        interval = numbers.interval(record)
    except (ArithmeticError, ValueError) as cause:  # Decimal raises the first
        msg = (
            f"{record.case_id}: the record can't be shown ({type(cause).__name__}: {cause});"
            " make the run again"
        )
        raise SrBenchError(msg) from cause
    return narrowed(
        Value,
        record,
        what=numbers.metric(record),
        precision=numbers.precision(record),
        status=record.verdict.status.value,
        measured=shown,
        unit=numbers.unit(record),
        claimed=claimed,
        delta=delta,
        interval=interval,
        partial=numbers.part(record),
        sentence=record.verdict.sentence,
        source=str(record.claim.source if record.claim else record.place or ""),
        rerun=rerun([record]),
        notes=_notes(record),
        spark=past.spark(record),
        inputs=tuple((name, digest[:12]) for name, digest in sorted(record.inputs.items())),
        fingerprint=record.fingerprint[:12],
    )


def _notes(record: Record) -> tuple[str, ...]:
    measurement = record.measurement
    if measurement is None:
        return ()
    lines, notes = [], measurement.notes
    if measurement.exact is not None:
        lines.append(f"exactly {measurement.exact:,}")
    if "standard_g" in notes:
        lines.append(f"{notes['standard_g']:.3f} G by the standard count, 2 x MAC")
    if floor := floor_of(record):
        gain = measurement.beside_floor - floor.value
        gain = gain if metric_info(record.metric).drops else -gain
        digits = metric_info(record.metric).sentence_decimals
        lines.append(f"{floor.what} {floor.value:.{digits}f}, gain {gain:+.{digits}f}")
        lines.extend(filter(None, [beyond_floor(record)]))
    return tuple(lines)


def _spark(values: Sequence[float], record: Record) -> Spark:
    low, high = min(values), max(values)
    step = (_SPARK_WIDTH - 2 * _SPARK_EDGE) / (len(values) - 1)
    tall = _SPARK_HEIGHT - 2 * _SPARK_EDGE

    def at(index: int, value: float) -> tuple[float, float]:  # in SVG y points down
        share = (value - low) / (high - low) if high > low else 0.5
        return _SPARK_EDGE + index * step, _SPARK_HEIGHT - _SPARK_EDGE - share * tall

    points = [at(index, value) for index, value in enumerate(values)]
    unit = metric_info(record.metric).unit
    label = f"{len(values)} runs: {low:.6g} to {high:.6g} {unit}".rstrip()
    return Spark(" ".join(f"{x:.1f},{y:.1f}" for x, y in points), points[-1], label)
