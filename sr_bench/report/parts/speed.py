"""Join how fast a network ran to the rows of what it scored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sr_bench.core.case import LATENCY_METRIC
from sr_bench.core.latency import BesideFp32
from sr_bench.core.record import Measurement, Record
from sr_bench.text.printable import some


@dataclass(frozen=True)
class SpeedColumn:
    """A column of a table that has a cell for each row."""

    title: str
    short: str
    """The title where room is scarce."""
    cells: tuple[str, ...]
    """Empty where nothing was measured."""


@dataclass(frozen=True)
class Joined:
    """Records as rows, with columns for what was timed."""

    rows: tuple[Record, ...]
    columns: tuple[SpeedColumn, ...]
    """Those with at least one value, each as long as `rows`."""


_Key = tuple[str, str, str, str]
_TITLES = (
    *(("ms per image", "ms"), ("images/s", "img/s"), ("peak MB", "MB")),
    ("times as long as fp32", "x fp32"),
)
_NAMED = 6


def join_speed(records: Sequence[Record]) -> Joined:
    """Return `records` without the latencies that have become columns of other rows.

    A latency belongs to the measured rows of the same model, precision and backend. One that
    wasn't measured, that has no such row, or that a document prints, is a row of its own; of the
    latter no second one is shown.
    """
    timed: dict[_Key, list[Record]] = defaultdict(list)
    for record in records:
        if _joins(record):
            timed[_key(record)].append(record)
    measured = [row for row in records if row.measurement]
    hosts = {_key(row) for row in measured if row.metric != LATENCY_METRIC}
    claimed = {_timed(row) for row in measured if row.metric == LATENCY_METRIC and row.source}
    rows = tuple(
        row
        for row in records
        if not (_joins(row) and (_key(row) in hosts or _timed(row) in claimed))
    )
    shapes = {record.detail.shape for latencies in timed.values() for record in latencies}
    # Times of several input shapes stand in one cell, each with its shape.
    cells = [_cells(row, timed, name_shape=len(shapes) > 1) for row in rows]
    columns = (
        SpeedColumn(title, short, tuple(cell[index] for cell in cells))
        for index, (title, short) in enumerate(_TITLES)
    )
    return Joined(rows, tuple(column for column in columns if any(column.cells)))


def _joins(record: Record) -> bool:
    return bool(record.metric == LATENCY_METRIC and record.measurement and not record.source)


def _key(record: Record) -> _Key:
    return (record.family, record.model, record.precision, record.backend)


def _timed(record: Record) -> tuple[str, ...]:
    return (*_key(record), record.detail.shape)


def _cells(
    row: Record, timed: Mapping[_Key, Sequence[Record]], *, name_shape: bool
) -> tuple[str, ...]:
    """Return the cells of `row`, one for each of `_TITLES`."""
    if row.measurement is None:
        return ("",) * len(_TITLES)
    latencies = [row] if row.metric == LATENCY_METRIC else timed.get(_key(row), ())
    times = [
        (_texts(record.measurement), record.detail.shape)
        for record in latencies
        if record.measurement
    ]
    return tuple(
        ", ".join(
            f"{texts[index]} ({shape})" if name_shape and shape else texts[index]
            for texts, shape in times
            if texts[index]
        )
        for index in range(len(_TITLES))
    )


def slower_lines(records: Iterable[Record]) -> list[str]:
    """Return a line that names the low precisions of `records` that take longer than fp32."""
    slower = {
        (record.model, record.precision, record.backend): f"{record.model} {record.precision}"
        f" {beside.ratio:.2f} times its time"
        for record in records
        if record.measurement
        and (beside := BesideFp32.of(record.measurement.notes))
        and beside.is_slower
    }
    if not slower:
        return []
    return [f"slower than fp32, timed in turn: {some(list(slower.values()), _NAMED)}"]


def _texts(measurement: Measurement) -> tuple[str, ...]:
    notes = measurement.notes
    names = ("images_per_s", "peak_mb", "of_fp32")
    rate, *others = map(notes.get, names)
    # Of a batch the value is of all its images.
    values = (1000 / rate if rate else measurement.value, rate, *others)
    return tuple("" if value is None else _short(value) for value in values)


def _short(value: float) -> str:
    """Return `value` to three digits, or to the unit: timings repeat no better."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
