"""Which records of a run an update is about, and which of them hold a number fit to be printed."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, isnan

from sr_bench.core.case import GATE_METRIC, TIMED_METRICS
from sr_bench.core.cell import CellKey
from sr_bench.core.claim import Source
from sr_bench.core.modes import UpdateMode
from sr_bench.core.record import Record, Status

_FAILED = (Status.DIFFERS, Status.BETTER, Status.GAP_CLOSED)


@dataclass(frozen=True)
class Asked:
    """What a mode asks for."""

    records: tuple[Record, ...]
    """Of a cell each, or of a gate whose known gap closed; the newest where a cell has several."""
    left_out: tuple[tuple[str, str], ...]
    """Why, and which place, of what the mode is about and that can't be updated."""


_Asker = tuple[Source | str, CellKey | None]


def asked_for(records: Iterable[Record], mode: UpdateMode) -> Asked:
    """Return which of `records` an update in `mode` is about.

    ``failed`` is about claims that differ, are better than printed, or close a known gap;
    ``missing`` about cells without a number; ``all`` about both and every other judged claim, but
    for times that agree.
    """
    wanted: dict[_Asker, Record] = {}
    left_out: dict[_Asker, str] = {}
    for record in records:
        place = record.source
        if not _is_about(record, place, mode):
            continue
        why = why_not(record)
        if not why and mode == "failed" and record.verdict.status is Status.KNOWN_GAP:
            why = "a known gap, as the card declares: mode all writes it and removes the gap"
        # A cell that spans rows is a place of each.
        name = place or record.node_id, CellKey.of(record.claim) if record.claim else None
        # Taken out first, so that a place is listed where its newest record stands.
        wanted.pop(name, None)
        left_out.pop(name, None)
        if why:
            left_out[name] = why
        elif record.verdict.status in _FAILED or (
            not _stays(record) and (mode != "failed" or place is None)
        ):
            wanted[name] = record
    not_fit = dict.fromkeys((why, str(name)) for (name, _), why in left_out.items())
    return Asked(tuple(wanted.values()), tuple(not_fit))


def why_not(record: Record) -> str:
    """Return why the value of `record` can't stand in a document; empty if it can."""
    measurement, verdict = record.measurement, record.verdict
    if verdict.status is Status.ERROR:
        return "its measurement failed"
    if measurement is None:
        return "not measured in this run"
    if measurement.partial:
        return "measured on a part of the images (--sr-limit)"
    if isnan(measurement.value):
        return "measured NaN, which is a defect and never a result"
    if not isfinite(measurement.value):
        return "measured infinity, which no table can print: output and ground truth are equal"
    if record.metric == GATE_METRIC or (record.claim is None and verdict.status is Status.NEW):
        return ""
    if verdict.status is Status.UNDECIDED:
        return "undecided: timed while the machine was busy"
    if verdict.tolerance is None and record.emulated:
        return "emulated, and the row is about the device: nothing was judged"
    return "shown, but not judged" if verdict.tolerance is None else ""


def why_not_in(record: Record, key: CellKey) -> str:
    """Return why the value of `record` can't stand in the cell of `key`; empty if it can.

    An emulated value belongs in a row whose label says so. In fp32 nothing is emulated, so that
    a row which names no backend takes it too.
    """
    if not record.emulated or key.backend.endswith("-emulated"):
        return ""
    if key.backend:
        return f"emulated, and the row is about the {key.backend} device"
    if key.precision.is_full:
        return ""
    return (
        "emulated, and the row's label does not say so: name the emulation in the label"
        f" ({record.backend}-emulated), or measure with another backend"
    )


def _stays(record: Record) -> bool:
    """Tell whether a time agrees: written each time, its last digits would never come to rest."""
    return record.metric in TIMED_METRICS and record.verdict.status is Status.MATCH


def _is_about(record: Record, place: Source | None, mode: UpdateMode) -> bool:
    if record.claim:
        return mode != "missing"
    if place:
        return mode != "failed"
    return record.verdict.status is Status.GAP_CLOSED and mode != "missing"
