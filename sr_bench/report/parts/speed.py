"""Join how fast a network ran to the rows of what it scored."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr_bench.core.case import LATENCY_METRIC
from sr_bench.core.record import Measurement, Record


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
_TITLES = (("ms per image", "ms"), ("images/s", "img/s"), ("peak MB", "MB"))


def join_speed(records: Sequence[Record]) -> Joined:
    """Return `records` without the latencies that have become columns of other rows.

    A latency belongs to the measured rows of the same model, precision and backend. One that
    wasn't measured, that has no such row, or that a document prints, is a row of its own.
    """
    timed: dict[_Key, list[Record]] = defaultdict(list)
    for record in records:
        if _joins(record):
            timed[_key(record)].append(record)
    hosts = {_key(row) for row in records if row.measurement and row.metric != LATENCY_METRIC}
    rows = tuple(record for record in records if not _joins(record) or _key(record) not in hosts)
    shapes = {record.detail.shape for latencies in timed.values() for record in latencies}
    # Times of several input shapes stand in one cell, each with its shape.
    cells = [_cells(row, timed, name_shape=len(shapes) > 1) for row in rows]
    columns = (
        SpeedColumn(title, short, tuple(cell[index] for cell in cells))
        for index, (title, short) in enumerate(_TITLES)
    )
    return Joined(rows, tuple(column for column in columns if any(column.cells)))


def _joins(record: Record) -> bool:
    return bool(record.metric == LATENCY_METRIC and record.measurement and not record.claim)


def _key(record: Record) -> _Key:
    return (record.family, record.model, record.precision, record.backend)


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


def _texts(measurement: Measurement) -> tuple[str, str, str]:
    notes = measurement.notes
    values = (measurement.value, notes.get("images_per_s"), notes.get("peak_mb"))
    ms, rate, peak = ("" if value is None else _short(value) for value in values)
    return ms, rate, peak


def _short(value: float) -> str:
    """Return `value` to three digits, or to the unit: timings repeat no better."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
