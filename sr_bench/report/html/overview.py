"""The first page: models by precisions, each with status, value, delta and past."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench.core.case import COST_METRICS, STATIC_METRICS
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Record, Status
from sr_bench.report.html.subjects import PageSubject, Topic
from sr_bench.report.html.values import Past, Value, value_of
from sr_bench.report.parts.marks import titled
from sr_bench.report.parts.order import FAILURES, not_run_reasons, rank, scored_metrics
from sr_bench.report.parts.provenance import INTERVAL, device_lines, lr_lines, shared_lines


@dataclass(frozen=True)
class CellValue:
    """A value of a cell, and how many others of that kind the model's page has."""

    metric: str
    value: Value | None
    others: int


@dataclass(frozen=True)
class OverviewRow:
    """A model on a dataset."""

    topic: Topic
    trend: str
    costs: tuple[CellValue, ...]
    cells: tuple[tuple[CellValue, ...], ...]
    """By precision; in each, by metric."""
    statuses: str
    """All of its statuses, for the filter."""


@dataclass(frozen=True)
class IndexPage:
    """All that the first page shows."""

    head: SessionInfo
    emulated: str
    """The backend that was emulated, if one was."""
    counts: tuple[tuple[str, int], ...]
    """Status and number."""
    metrics: tuple[tuple[str, str], ...]
    precisions: tuple[str, ...]
    costs: tuple[tuple[str, str], ...]
    rows: tuple[OverviewRow, ...]
    notes: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    """Why records were not run, and how many."""
    attention: tuple[tuple[str, str, Value], ...]
    """Model, page and value of what fails."""


def index_page(
    session: PastSession,
    subjects: Sequence[PageSubject],
    past: Past,
    trends: dict[tuple[str, str], str],
) -> IndexPage:
    """Return the first page; `trends` names the trend pages that there are, by family and model."""
    precisions = tuple(sorted({p for s in subjects for p in s.precisions}, key=rank))
    metrics = scored_metrics(session.records)
    bare = (record for record in session.records if not record.dataset)
    # A time that no document prints stands beside the numbers of its network.
    present = {r.metric for r in bare if r.claim or r.metric in STATIC_METRICS}
    costs = sorted(present, key=lambda name: (name not in COST_METRICS, name))
    rows = tuple(_row(subject, precisions, metrics, costs, past, trends) for subject in subjects)
    counted = Counter(record.verdict.status for record in session.records)
    parts = (device_lines, lr_lines, shared_lines)
    notes = [line for part in parts for line in part(session.records)]
    if any(record.interval for record in session.records):
        notes.append(INTERVAL)
    return IndexPage(
        head=session.info,
        emulated=next((record.backend for record in session.records if record.emulated), ""),
        counts=tuple((s.value, counted[s]) for s in Status if counted[s]),
        metrics=tuple((metric, titled(metric)) for metric in metrics),
        precisions=precisions,
        costs=tuple((metric, metric_info(metric).title) for metric in costs),
        rows=rows,
        notes=tuple(notes),
        reasons=tuple(not_run_reasons(session.records)),
        attention=_attention(subjects, past),
    )


def _row(
    subject: PageSubject,
    precisions: Sequence[str],
    metrics: Sequence[str],
    costs: Sequence[str],
    past: Past,
    trends: dict[tuple[str, str], str],
) -> OverviewRow:
    topic = subject.topic
    return OverviewRow(
        topic=topic,
        trend=trends.get((topic.family, topic.model), ""),
        costs=tuple(_entry(metric, subject.costs, past) for metric in costs),
        cells=tuple(
            tuple(
                _entry(metric, [r for r in subject.scored if r.precision == precision], past)
                for metric in metrics
            )
            for precision in precisions
        ),
        statuses=" ".join(dict.fromkeys(r.verdict.status.value for r in subject.records)),
    )


def _entry(metric: str, records: Sequence[Record], past: Past) -> CellValue:
    """Return the value of `metric` that says most: judged before measured before absent."""

    def absence(record: Record) -> tuple[bool, bool]:
        return record.verdict.status is Status.NOT_RUN, record.measurement is None

    ranked = sorted((record for record in records if record.metric == metric), key=absence)
    value = value_of(ranked[0], past) if ranked else None
    return CellValue(metric, value, max(0, len(ranked) - 1))


def _attention(subjects: Sequence[PageSubject], past: Past) -> tuple[tuple[str, str, Value], ...]:
    failing: dict[tuple[str, str, str], tuple[str, str, Value]] = {}
    for topic, records in ((subject.topic, subject.records) for subject in subjects):
        for record in records:
            if record.verdict.status in FAILURES:
                # A cost stands on each page of its model; it needs a look once.
                key = record.family, record.backend, record.case_id
                failing.setdefault(key, (topic.model, topic.page, value_of(record, past)))
    return tuple(failing.values())
