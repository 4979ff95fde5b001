"""The first page: models by precisions, each with status, value, delta and past."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench import __version__
from sr_bench.core.case import COST_METRICS, GATE_METRIC, IMAGE_METRICS
from sr_bench.core.history import PastRun
from sr_bench.core.metric import image_metrics, metric_info
from sr_bench.core.record import Record, Status
from sr_bench.report.html.subjects import PageSubject
from sr_bench.report.html.values import Past, Value, value_of
from sr_bench.report.parts.marks import MARKS
from sr_bench.report.parts.order import rank
from sr_bench.report.parts.provenance import INTERVAL, device_lines, shared_lines


@dataclass(frozen=True)
class RunHead:
    """What each page says of the run."""

    run: str
    started: str
    commit: str
    python: str
    system: str
    cpu: str
    cores: int
    packages: tuple[tuple[str, str], ...]
    seeds: tuple[tuple[str, int], ...]
    version: str
    """Of this sr-bench."""


@dataclass(frozen=True)
class CellValue:
    """A value of a cell, and how many others of that kind the model's page has."""

    metric: str
    value: Value | None
    others: int


@dataclass(frozen=True)
class OverviewRow:
    """A model on a dataset."""

    family: str
    model: str
    page: str
    trend: str
    dataset: str
    protocol: str
    backend: str
    costs: tuple[CellValue, ...]
    cells: tuple[tuple[CellValue, ...], ...]
    """By precision; in each, by metric."""
    statuses: str
    """All of its statuses, for the filter."""


@dataclass(frozen=True)
class IndexPage:
    """All that the first page shows."""

    head: RunHead
    emulated: str
    """The backend that was emulated, if one was."""
    counts: tuple[tuple[str, str, int], ...]
    """Status, glyph, number."""
    metrics: tuple[tuple[str, str], ...]
    precisions: tuple[str, ...]
    costs: tuple[tuple[str, str], ...]
    rows: tuple[OverviewRow, ...]
    notes: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    """Why records were not run, and how many."""
    attention: tuple[tuple[str, str, Value], ...]
    """Model, page and value of what fails."""


_FAILS = (Status.DIFFERS, Status.LOSS, Status.ERROR, Status.BETTER, Status.GAP_CLOSED)


def run_head(run: PastRun) -> RunHead:
    """Return what pages say of `run`."""
    environment = run.info.environment
    return RunHead(
        run=run.info.run,
        started=run.info.started,
        commit=environment.commit,
        python=environment.python,
        system=environment.system,
        cpu=environment.cpu,
        cores=environment.cores,
        packages=tuple(sorted(environment.packages.items())),
        seeds=tuple(sorted(environment.seeds.items())),
        version=__version__,
    )


def index_page(
    run: PastRun, subjects: Sequence[PageSubject], past: Past, trends: dict[tuple[str, str], str]
) -> IndexPage:
    """Return the first page; `trends` names the trend pages that there are, by family and model."""
    precisions = tuple(sorted({p for s in subjects for p in s.precisions}, key=rank))
    metrics = _present(run.records, (*IMAGE_METRICS, *image_metrics(), GATE_METRIC))
    costs = _present(run.records, COST_METRICS)
    rows = tuple(_row(subject, precisions, metrics, costs, past, trends) for subject in subjects)
    reasons = Counter(
        record.verdict.sentence
        for record in run.records
        if record.verdict.status is Status.NOT_RUN and record.measurement is None
    )
    counted = Counter(record.verdict.status for record in run.records)
    notes = [*device_lines(run.records), *shared_lines(run.records)]
    if any(record.interval for record in run.records):
        notes.append(INTERVAL)
    return IndexPage(
        head=run_head(run),
        emulated=next((record.backend for record in run.records if record.emulated), ""),
        counts=tuple((s.value, MARKS[s], counted[s]) for s in Status if counted[s]),
        metrics=tuple((name, metric_name(name)) for name in metrics),
        precisions=precisions,
        costs=tuple((name, metric_name(name)) for name in costs),
        rows=rows,
        notes=tuple(notes),
        reasons=tuple(reasons.most_common()),
        attention=_attention(subjects, past),
    )


def metric_name(metric: str) -> str:
    """Return `metric` as people write it."""
    title = metric_info(metric).title
    return title[:1].upper() + title[1:]


def _present(records: Sequence[Record], metrics: Sequence[str]) -> tuple[str, ...]:
    found = {record.metric for record in records}
    return tuple(metric for metric in dict.fromkeys(metrics) if metric in found)


def _row(
    subject: PageSubject,
    precisions: Sequence[str],
    metrics: Sequence[str],
    costs: Sequence[str],
    past: Past,
    trends: dict[tuple[str, str], str],
) -> OverviewRow:
    return OverviewRow(
        family=subject.family,
        model=subject.model,
        page=subject.page,
        trend=trends.get((subject.family, subject.model), ""),
        dataset=subject.dataset,
        protocol=subject.protocol,
        backend=subject.backend,
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
    own = [record for record in records if record.metric == metric]

    def rank(record: Record) -> int:
        if record.verdict.status is not Status.NOT_RUN:
            return 0
        return 1 if record.measurement else 2

    own.sort(key=rank)
    return CellValue(metric, value_of(own[0], past) if own else None, max(0, len(own) - 1))


def _attention(subjects: Sequence[PageSubject], past: Past) -> tuple[tuple[str, str, Value], ...]:
    found: dict[str, tuple[str, str, Value]] = {}
    for subject in subjects:
        for record in subject.records:
            if record.verdict.status in _FAILS:
                key = f"{subject.family}\0{record.backend}\0{record.case_id}"
                found.setdefault(key, (subject.model, subject.page, value_of(record, past)))
    return tuple(found.values())
