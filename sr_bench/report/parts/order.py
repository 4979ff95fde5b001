"""The order of records in every view: the document's, however the items were run."""

from collections import Counter
from collections.abc import Iterable
from math import inf

from sr_bench.core.case import GATE_METRIC, IMAGE_METRICS
from sr_bench.core.precision import DTYPES
from sr_bench.core.record import Record, Status

FAILURES = (Status.ERROR, Status.DIFFERS, Status.LOSS, Status.GAP_CLOSED, Status.BETTER)
"""How a case ends that fails its session, the worst first."""

NEEDS_YOU = (*FAILURES, Status.UNDECIDED)
"""What somebody has to look at, the worst first."""


def rank(precision: str) -> tuple[int, str]:
    """Return what precisions are sorted by: fp32, fp16, then int8 by the observer's name."""
    dtype, _, _ = precision.partition("_")
    return (DTYPES.index(dtype) if dtype in DTYPES else len(DTYPES), precision)


def scored_metrics(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the metrics of images in `records`: those of every run first, the gates' last."""
    present = {record.metric for record in records if record.dataset}
    return tuple(
        sorted(present, key=lambda name: (name == GATE_METRIC, name not in IMAGE_METRICS, name))
    )


def failures(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return the records that failed, the worst first and then in the document's order."""
    failed = [record for record in in_document_order(records) if record.verdict.status in FAILURES]
    return tuple(sorted(failed, key=lambda record: FAILURES.index(record.verdict.status)))


def by_need(status: Status) -> int:
    """Return what statuses are sorted by: what somebody has to look at first, the worst of it."""
    return NEEDS_YOU.index(status) if status in NEEDS_YOU else len(NEEDS_YOU)


def worst_failure(records: Iterable[Record]) -> Status | None:
    """Return how the worst of `records` ended that failed; None if none did."""
    ended = {record.verdict.status for record in records}
    return next((status for status in FAILURES if status in ended), None)


def first_words(sentence: str) -> str:
    """Return what a reason begins with: why, without what to do about it."""
    return sentence.partition("\n")[0].partition(";")[0]


def not_run_reasons(records: Iterable[Record]) -> list[tuple[str, int]]:
    """Return why records have no value, the most frequent reason first, and how often."""
    absent = (record.verdict for record in records if record.measurement is None)
    counts = Counter(verdict.sentence for verdict in absent if verdict.status is Status.NOT_RUN)
    return counts.most_common()


def in_document_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return `records` by family, then by the place of their claims in the document.

    Those without a place follow the others of their model, by precision, dataset and metric:
    workers that run side by side bring them in any order.
    """
    given = tuple(records)
    # A model stands where its first row does, also if it has rows in two tables.
    first_line: dict[tuple[str, str], float] = {}
    for record in given:
        if source := record.source:
            model = (record.family, record.model)
            first_line[model] = min(source.line, first_line.get(model, inf))

    def position(record: Record) -> tuple[object, ...]:
        source = record.source
        top = first_line.get((record.family, record.model), inf)
        # The flag keeps those with a place from being compared with those without.
        if source:
            return (record.family, top, False, source.line, source.column)
        asked = (record.model, *rank(record.precision), record.dataset, record.metric)
        return (record.family, top, True, *asked)

    return tuple(sorted(given, key=position))
