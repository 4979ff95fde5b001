"""The first page: what needs a look, the models that ran by precisions, and what did not run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sr_bench.core.case import COST_METRICS, STATIC_METRICS
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Record, Status
from sr_bench.report.hooks import Additions, Section
from sr_bench.report.html.subjects import PageSubject, Topic
from sr_bench.report.html.values import Past, Value, all_emulated, ran, value_of
from sr_bench.report.parts.marks import titled
from sr_bench.report.parts.order import (
    NEEDS_YOU,
    by_need,
    not_run_reasons,
    rank,
    scored_metrics,
)
from sr_bench.report.parts.provenance import INTERVAL, device_lines, lr_lines, shared_lines


@dataclass(frozen=True)
class CellValue:
    """A value of a cell, and how many others of that kind ran."""

    metric: str
    value: Value | None
    others: int


@dataclass(frozen=True)
class Needing:
    """What somebody has to look at."""

    model: str
    page: str
    value: Value
    others: int
    """Values of that page with the same status and sentence, such as one broken file's."""


@dataclass(frozen=True)
class OverviewRow:
    """A model on a dataset."""

    topic: Topic
    trend: str
    costs: tuple[CellValue, ...]
    cells: tuple[tuple[CellValue, ...], ...]
    """By precision; in each, by metric. Empty if none of them was measured."""
    asked: str
    """The precisions that the document has numbers of."""
    statuses: str
    """All of its statuses, for the filter."""


@dataclass(frozen=True)
class IdleSuite:
    """A suite of which no model ran on images."""

    family: str
    rows: tuple[OverviewRow, ...]
    models: int
    not_run: int
    """Records without a value."""
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class IndexPage:
    """All that the first page shows."""

    head: SessionInfo
    emulated: str
    """The backend that was emulated, if one was."""
    all_emulated: bool
    """Whether no value came from a device."""
    counts: tuple[tuple[str, int], ...]
    """Status and number."""
    metrics: tuple[tuple[str, str], ...]
    precisions: tuple[tuple[str, bool], ...]
    """Those of `rows`, and whether all values of it, but not of all others, are emulated."""
    costs: tuple[tuple[str, str], ...]
    rows: tuple[OverviewRow, ...]
    """Of the suites with a model that ran."""
    idle: tuple[IdleSuite, ...]
    compared: str
    """How the run fared against earlier ones; empty if that was not asked."""
    notes: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    """Why records were not run, and how many."""
    attention: tuple[Needing, ...]
    """The worst first."""
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class _Columns:
    """What all rows have a cell for, and where their links lead."""

    precisions: Sequence[str]
    metrics: Sequence[str]
    costs: Sequence[str]
    past: Past
    trends: Mapping[tuple[str, str], str]


def index_page(
    session: PastSession,
    subjects: Sequence[PageSubject],
    past: Past,
    trends: Mapping[tuple[str, str], str],
    compared: str,
    additions: Additions,
) -> IndexPage:
    """Return the first page.

    `trends` names the trend pages that there are, by family and model; `compared` says how the run
    fared against earlier ones, and is empty if that was not asked.
    """
    records = session.records
    idle = _idle_families(subjects)
    shown = [subject for subject in subjects if subject.topic.family not in idle]
    precisions = sorted({p for subject in shown for p in subject.precisions}, key=rank)
    costs = _costs(records)
    columns = _Columns(precisions, scored_metrics(records), costs, past, trends)
    counted = Counter(record.verdict.status for record in records)
    everywhere = all_emulated(records)
    return IndexPage(
        head=session.info,
        emulated=next((record.backend for record in records if record.emulated), ""),
        all_emulated=everywhere,
        counts=tuple((s.value, counted[s]) for s in sorted(Status, key=by_need) if counted[s]),
        metrics=tuple((metric, titled(metric)) for metric in columns.metrics),
        precisions=tuple(
            (name, not everywhere and all_emulated(r for r in records if r.precision == name))
            for name in precisions
        ),
        costs=tuple((metric, metric_info(metric).title) for metric in costs),
        rows=tuple(_row(subject, columns) for subject in shown),
        idle=tuple(_idle(family, subjects, records, columns) for family in idle),
        compared=compared,
        notes=tuple(_notes(records)),
        reasons=tuple(not_run_reasons(records)),
        attention=_attention(subjects, past),
        sections=additions.sections(records, "index"),
    )


def _idle_families(subjects: Sequence[PageSubject]) -> tuple[str, ...]:
    """Return the suites of which nothing ran or failed on images, in document order."""
    scored: dict[str, list[Record]] = {}
    for subject in subjects:
        if subject.scored:
            scored.setdefault(subject.topic.family, []).extend(subject.scored)
    return tuple(family for family, records in scored.items() if not any(map(ran, records)))


def _costs(records: Sequence[Record]) -> list[str]:
    bare = (record for record in records if not record.dataset)
    # A time that no document prints stands beside the numbers of its network.
    present = {r.metric for r in bare if r.claim or r.metric in STATIC_METRICS}
    return sorted(present, key=lambda name: (name not in COST_METRICS, name))


def _notes(records: Sequence[Record]) -> Iterator[str]:
    for lines in (device_lines, lr_lines, shared_lines):
        yield from lines(records)
    if any(record.interval for record in records):
        yield INTERVAL


def _idle(
    family: str, subjects: Sequence[PageSubject], records: Sequence[Record], columns: _Columns
) -> IdleSuite:
    ours = [subject for subject in subjects if subject.topic.family == family]
    reasons = not_run_reasons(record for record in records if record.family == family)
    return IdleSuite(
        family=family,
        rows=tuple(_row(subject, replace(columns, precisions=())) for subject in ours),
        models=len({subject.topic.model for subject in ours}),
        not_run=sum(number for _, number in reasons),
        reasons=tuple(reasons),
    )


def _row(subject: PageSubject, columns: _Columns) -> OverviewRow:
    topic, past = subject.topic, columns.past
    return OverviewRow(
        topic=topic,
        trend=columns.trends.get((topic.family, topic.model), ""),
        costs=tuple(_entry(metric, subject.costs, past) for metric in columns.costs),
        cells=tuple(
            tuple(
                _entry(metric, [r for r in subject.scored if r.precision == precision], past)
                for metric in columns.metrics
            )
            for precision in columns.precisions
        ),
        asked=", ".join(subject.precisions),
        statuses=" ".join(dict.fromkeys(r.verdict.status.value for r in subject.records)),
    )


def _entry(metric: str, records: Sequence[Record], past: Past) -> CellValue:
    """Return the value of `metric` that says most: judged before measured before absent."""

    def absence(record: Record) -> tuple[bool, bool]:
        return record.verdict.status is Status.NOT_RUN, record.measurement is None

    ranked = sorted((record for record in records if record.metric == metric), key=absence)
    value = value_of(ranked[0], past) if ranked else None
    return CellValue(metric, value, sum(map(ran, ranked[1:])))


def _attention(subjects: Sequence[PageSubject], past: Past) -> tuple[Needing, ...]:
    needing: dict[tuple[str, str, str], tuple[Topic, Record]] = {}
    for subject in subjects:
        for record in subject.records:
            if record.verdict.status in NEEDS_YOU:
                # A cost stands on each page of its model; it needs a look once.
                key = record.family, record.backend, record.case_id
                needing.setdefault(key, (subject.topic, record))
    groups: dict[tuple[Topic, Status, str], list[Record]] = {}
    for topic, record in needing.values():
        same = topic, record.verdict.status, record.verdict.sentence
        groups.setdefault(same, []).append(record)
    worst_first = sorted(groups.items(), key=lambda group: by_need(group[0][1]))
    return tuple(
        Needing(topic.model, topic.page, value_of(records[0], past), len(records) - 1)
        for (topic, *_), records in worst_first
    )
