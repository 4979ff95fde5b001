"""Runs that were: what made them, what they found, and the line that history keeps of a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sr_bench.core.fields import narrowed
from sr_bench.core.record import Record, Status

_DIGEST_LENGTH = 64  # hex digits of SHA-256


@dataclass(frozen=True)
class Environment:
    """Where and with what a run was made. Holds no user name and no home path."""

    packages: Mapping[str, str]
    python: str
    system: str
    cpu: str
    cores: int
    commit: str
    """Commit of the suite's repository, with ``+dirty`` if files differ; empty outside of git."""
    seeds: Mapping[str, int] = field(default_factory=dict)
    """Every seed in use; evaluation itself draws no random numbers."""


@dataclass(frozen=True)
class SessionInfo:
    """What is known of a run besides its records."""

    run: str
    """Unique, and sorts by time: ``20261121T091430-b65233``."""
    started: str
    """UTC, ISO 8601 to the second: ``2026-11-21T09:14:30+00:00``."""
    environment: Environment


@dataclass(frozen=True)
class PastSession:
    """A run that was read from the disk."""

    info: SessionInfo
    records: tuple[Record, ...]
    path: Path
    """The file it was read from; what its records keep lies relative to the results folder."""
    results: Path
    """The results folder: ``latest.json`` lies in it, run files in its ``history/``."""


@dataclass(frozen=True)
class Point:
    """One value of one run: what history keeps of a record, without the images."""

    case_id: str
    family: str
    model: str
    metric: str
    precision: str
    dataset: str
    backend: str
    device: str
    protocol: str
    status: Status
    value: float | None
    """In the metric's unit; None if nothing was measured."""
    claimed: float | None
    tolerance: float | None
    """None where nothing was judged."""
    images: int
    planned: int
    fingerprint: str
    """As `Record.fingerprint`, cut to 16 digits."""
    inputs: Mapping[str, str]
    """As `Record.inputs`, digests cut to 16 digits."""

    @property
    def margin(self) -> float | None:
        """How much further the value may move before its claim fails; below 0 if it fails."""
        if self.value is None or self.claimed is None or self.tolerance is None:
            return None
        return self.tolerance - abs(self.value - self.claimed)


@dataclass(frozen=True)
class HistoryEntry:
    """What history keeps of one run."""

    info: SessionInfo
    points: tuple[Point, ...]


def point(record: Record) -> Point:
    """Return what history keeps of `record`."""
    verdict, measurement = record.verdict, record.measurement
    return narrowed(
        Point,
        record,
        status=verdict.status,
        value=measurement.value if measurement else None,
        claimed=verdict.claimed,
        tolerance=verdict.tolerance,
        images=len(measurement.images) if measurement else 0,
        planned=measurement.planned if measurement else 0,
        fingerprint=shortened(record.fingerprint),
        inputs={name: shortened(text) for name, text in record.inputs.items()},
    )


def shortened(text: str) -> str:
    """Return `text`, a digest cut to what no other shares: history grows every night."""
    return text[:16] if len(text) == _DIGEST_LENGTH else text
