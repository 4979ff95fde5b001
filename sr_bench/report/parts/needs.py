"""What of a run needs a person: what failed and what got worse, grouped by what has one cause."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sr_bench.core.compare import (
    Change,
    Compared,
    case_key,
    environment_changes,
)
from sr_bench.core.history import HistoryEntry, PastSession, SessionInfo
from sr_bench.core.record import Record
from sr_bench.core.trend import Series, series, started
from sr_bench.history.over_time import since
from sr_bench.report.parts.order import failures
from sr_bench.text.printable import counted, some

Worse = tuple[SessionInfo, Compared]
"""A case that is worse than in an earlier run, or has no value any more, and that run."""

_SHOWN = 3  # causes, or groups, in a line


@dataclass(frozen=True)
class Cause:
    """How numbers ended, since when, and what changed then."""

    ended: str
    """A status, or how they fare against the earlier run: ``loss``, ``vanished``."""
    judged: bool
    """Whether the verdict says so; if not, only the earlier run does."""
    first: SessionInfo
    """The first run that ended so."""
    before: SessionInfo | None
    """The last that ended otherwise; None as far back as history goes."""
    changed: tuple[Change, ...]
    """What differs between these two, but for what the document prints."""
    edited: bool
    """Whether the document prints another number since."""

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for numbers that have the same cause."""
        runs = (self.first.run, self.before.run if self.before else "")
        return (self.ended, self.judged, *runs, self.changed, self.edited)

    @property
    def day(self) -> str:
        """Since when, ISO 8601."""
        when = started(self.first)
        return f"{when:%Y-%m-%d}" if when else self.first.run

    @property
    def told(self) -> str:
        """What changed, in a few words."""
        words = ["the document"] * self.edited + [change.brief for change in self.changed]
        return some(words, _SHOWN)


@dataclass(frozen=True)
class Finding:
    """A number that needs a person."""

    record: Record
    before: float | None
    """The value in the last run that ended otherwise."""
    was: str
    """How it ended there; empty if there is no such run."""


@dataclass(frozen=True)
class Need:
    """Numbers that have one cause; at least one."""

    cause: Cause
    findings: tuple[Finding, ...]


def needs(
    session: PastSession, entries: Sequence[HistoryEntry], worse: Sequence[Worse] = ()
) -> tuple[Need, ...]:
    """Return what of `session` needs a person, the worst first; nothing if nothing does.

    Args:
        session: The run.
        entries: All runs that are known, this one among them, the oldest first.
        worse: What is worse than in the runs that it was compared with.
    """
    failed = failures(session.records)
    groups: dict[tuple[object, ...], list[tuple[Cause, Finding]]] = {}
    for cause, finding in (*_failed(failed, session, entries), *_worse(failed, session, worse)):
        groups.setdefault(cause.key, []).append((cause, finding))
    return tuple(
        Need(group[0][0], tuple(finding for _, finding in group)) for group in groups.values()
    )


def summary(found: Sequence[Need]) -> str:
    """Return `found` in a line: ``2 differs since 2026-11-03: edsr_x2 (weights)``."""
    together: dict[tuple[str, str], list[Need]] = {}
    for need in found:
        together.setdefault((need.cause.day, need.cause.told), []).append(need)
    return "; ".join(_line(*when, members) for when, members in [*together.items()][:_SHOWN]) + (
        f"; {counted(more, 'other cause')}" if (more := len(together) - _SHOWN) > 0 else ""
    )


def _line(day: str, told: str, members: Sequence[Need]) -> str:
    counts = ", ".join(f"{len(need.findings)} {need.cause.ended}" for need in members)
    models = dict.fromkeys(finding.record.model for need in members for finding in need.findings)
    return f"{counts} since {day}: {some([*models], _SHOWN)}{f' ({told})' if told else ''}"


def _failed(
    failed: Sequence[Record], session: PastSession, entries: Sequence[HistoryEntry]
) -> Iterator[tuple[Cause, Finding]]:
    keys = {case_key(record): record for record in failed}
    over_time = _series(entries, keys) if keys else {}
    for record in failed:
        case = over_time.get((record.family, record.case_id, record.backend))
        if case is None:  # its line of history can't be read
            cause = Cause(record.verdict.status, True, session.info, None, (), False)
            yield cause, Finding(record, None, "")
            continue
        found = since(case)
        before = found.before
        changed = tuple(change for change in found.changed if change.name != "claimed")
        edited = len(changed) < len(found.changed)
        info = before.info if before else None
        cause = Cause(record.verdict.status, True, found.first, info, changed, edited)
        value, was = (before.point.value, before.point.status) if before else (None, "")
        yield cause, Finding(record, value, was)


def _series(
    entries: Sequence[HistoryEntry], wanted: Mapping[tuple[str, ...], Record]
) -> Mapping[tuple[str, str, str], Series]:
    cases = series(entries, lambda point: case_key(point) in wanted)
    return {(c.newest.family, c.newest.case_id, c.newest.backend): c for c in cases}


def _worse(
    failed: Sequence[Record], session: PastSession, worse: Sequence[Worse]
) -> Iterator[tuple[Cause, Finding]]:
    """Yield what only the comparison shows."""
    told = {case_key(record) for record in failed}
    records = {case_key(record): record for record in session.records}
    for before, case in worse:
        if (key := case_key(case)) in told:
            continue
        environment = environment_changes(before.environment, session.info.environment)
        changed = (*case.inputs, *environment)
        cause = Cause(case.outcome, False, session.info, before, changed, False)
        yield cause, Finding(records[key], case.before, case.was)
