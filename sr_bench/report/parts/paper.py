"""A run as a paper prints it: a row for each model and precision, a column for each metric."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sr_bench.core.case import STATIC_METRICS
from sr_bench.core.claim import split_scale
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Record, Status
from sr_bench.document import numbers
from sr_bench.document.mirror import format_like
from sr_bench.errors import NotRunError
from sr_bench.report.parts.marks import heading
from sr_bench.report.parts.order import in_document_order, scored_metrics
from sr_bench.report.parts.provenance import INTERVAL
from sr_bench.text.home import without_home
from sr_bench.text.printable import printable, some

EMULATED, DEVIATES, PARTIAL, LOST = "†", "*", "‡", "§"
"""Behind a value that the notes say more of."""

_DEVIATING = (Status.DIFFERS, Status.BETTER, Status.KNOWN_GAP)
_SHOWN = 10  # values and settings that a note names; the others are counted

_Column = tuple[str, str, str]
"""Dataset, protocol and metric; the first two are empty for what no images are needed for."""


@dataclass(frozen=True)
class PaperTable:
    """Measured values as texts; ``-`` stands for what was not measured."""

    groups: tuple[str, ...]
    """For each column, the dataset that it is about; empty if it is about none."""
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    """What must be known of the values: how they were measured, and what the marks mean."""


def paper_table(session: PastSession, source: str = "") -> PaperTable:
    """Return the table of all that `session` measured, in the metrics' own units.

    Args:
        session: The run.
        source: The address of its report, for the last note; empty: there is none.

    Raises:
        NotRunError: Nothing was measured.
    """
    records = measured_once(session.records)
    if not records:
        msg = f"run {session.info.run} measured nothing of this: there is no table to write"
        raise NotRunError(msg)
    cells: dict[tuple[str, str, str], dict[_Column, list[str]]] = {}
    all_emulated = all(record.emulated for record in records if record.device)
    for record in records:
        row = cells.setdefault((record.family, record.model, record.precision), {})
        row.setdefault(_column(record), []).append(_cell(record, mark_emulated=not all_emulated))
    columns = _columns(records)
    models = _labels(cells)
    return PaperTable(
        ("", "", *_groups(columns)),
        ("Model", "Precision", *(heading(metric) for _, _, metric in columns)),
        tuple(
            # Rows of several tables may print one metric on several shapes.
            (models[key[:2]], key[2], *(" / ".join(row.get(column, "-")) for column in columns))
            for key, row in cells.items()
        ),
        tuple(plain(note) for note in _notes(session.info, records, all_emulated, source)),
    )


def measured_once(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return the records with a value in the document's order, each value once.

    Of several rows that print one value, as of a device and of its emulation, the one counts that
    was judged, and then the one with the most decimals.
    """
    best: dict[tuple[str, ...], Record] = {}
    for record in in_document_order(records):
        if record.measurement is None:
            continue
        variant = record.claim.variant if record.claim else ""
        key = (record.family, record.model, record.precision, *_column(record), variant)
        if key not in best or _weight(record) > _weight(best[key]):
            best[key] = record
    return tuple(best.values())


def value_text(record: Record) -> str:
    """Return the measured value in the metric's unit, with the decimals of the claim."""
    return _texts(record, (record.measurement.value,) if record.measurement else ())


def readings_text(record: Record) -> str:
    """Return the value by each reading of an emulated device, ``32.29 .. 32.34``; else empty."""
    return _texts(record, record.interval or ())


def _texts(record: Record, values: Iterable[float]) -> str:
    claim, digits = record.claim, record.verdict.digits
    pattern = claim.text_in_unit if claim else numbers.plain_pattern(record.metric)
    return " .. ".join(format_like(pattern, value, digits=digits) for value in values)


def measured_by(info: SessionInfo) -> str:
    """Return the program, run and commit that values come from."""
    version = info.environment.packages.get("sr-bench", "")
    commit = f"commit {info.environment.commit}" if info.environment.commit else ""
    return ", ".join(filter(None, (f"sr-bench {version}".rstrip(), f"run {info.run}", commit)))


def _weight(record: Record) -> tuple[bool, int]:
    text = record.claim.text_in_unit if record.claim else ""
    return record.verdict.tolerance is not None, len(text.partition(".")[2])


def _column(record: Record) -> _Column:
    return (record.dataset, record.protocol if record.dataset else "", record.metric)


def _columns(records: Sequence[Record]) -> list[_Column]:
    """Return counts first, then each dataset with its metrics, then what was timed."""
    present = dict.fromkeys(map(_column, records))
    scored = scored_metrics(records)
    images = [
        (*group, metric)
        for group in dict.fromkeys(column[:2] for column in present if column[0])
        for metric in scored
        if (*group, metric) in present
    ]
    others = [column for column in present if not column[0]]
    counts = [column for column in others if column[2] in STATIC_METRICS]
    return [*counts, *images, *(column for column in others if column not in counts)]


def _groups(columns: Sequence[_Column]) -> Iterator[str]:
    """Yield each column's dataset, with the protocol if another one has scored it, too."""
    protocols = {column[:2] for column in columns}
    datasets = [dataset for dataset, _ in protocols]
    for dataset, protocol, _ in columns:
        also = f" ({protocol})" if datasets.count(dataset) > 1 else ""
        yield plain(_dataset(dataset) + also)


def _dataset(name: str) -> str:
    slug, scale = split_scale(name)
    return f"{slug} ×{scale}" if scale else slug  # noqa: RUF001 - as papers write a scale


def _labels(rows: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    """Return what each model of a family is called: with the family where a name is not enough."""
    models = list(dict.fromkeys((family, model) for family, model, _ in rows))
    names = [model for _, model in models]
    return {
        (family, model): plain(model if names.count(model) == 1 else f"{family}/{model}")
        for family, model in models
    }


def _cell(record: Record, *, mark_emulated: bool) -> str:
    marks = {
        EMULATED: record.emulated and mark_emulated,
        DEVIATES: _deviates(record),
        PARTIAL: bool(numbers.part(record)),
        LOST: record.verdict.status is Status.LOSS,
    }
    text = readings_text(record) or value_text(record)
    return text + "".join(mark for mark, holds in marks.items() if holds)


def _deviates(record: Record) -> bool:
    return record.verdict.status in _DEVIATING and record.claim is not None


def _notes(
    info: SessionInfo, records: Sequence[Record], all_emulated: bool, source: str
) -> Iterator[str]:
    yield from _settings(records)
    if emulated := sorted({record.backend for record in records if record.emulated}):
        names = ", ".join(emulated)
        which = "Every value on images" if all_emulated else EMULATED
        yield f"{which}: emulated, no {names} device took part"
    if any(record.interval for record in records):
        yield INTERVAL
    deviating = [_deviation(record) for record in records if _deviates(record)]
    partial = [_about(record, part) for record in records if (part := numbers.part(record))]
    lost = [_about(r, "loss") for r in records if r.verdict.status is Status.LOSS]
    yield from _listed(f"{DEVIATES} not what the document prints", deviating)
    yield from _listed(f"{PARTIAL} of a part of the images", partial)
    yield from _listed(f"{LOST} worse than its gate allows", lost)
    yield "Measured by " + ", ".join(filter(None, (measured_by(info), source)))


def _listed(what: str, values: Sequence[str]) -> Iterator[str]:
    if values:
        yield f"{what}: {some(values, _SHOWN)}"


def _settings(records: Sequence[Record]) -> Iterator[str]:
    """Yield how each dataset was scored and each metric counted, by model where they differ."""
    subjects: dict[str, dict[str, list[str]]] = {}
    for record in records:
        subject = _dataset(record.dataset) or metric_info(record.metric).title
        if how := _setting(record):
            subjects.setdefault(subject, {}).setdefault(how, []).append(record.model)
    for subject, models in subjects.items():
        told = [
            f"{how} ({some([*dict.fromkeys(names)], _SHOWN)})" if len(models) > 1 else how
            for how, names in models.items()
        ]
        yield f"{subject}: {'; '.join(told)}"


def _setting(record: Record) -> str:
    """Return how a value was measured; empty where there is only one way."""
    if record.dataset and record.measurement:
        images, lr_rule = record.measurement.planned, record.detail.lr_made_by
        made = f"LR made from HR by {lr_rule}" if lr_rule else ""
        return ", ".join(filter(None, (f"protocol {record.protocol}", f"{images} images", made)))
    rule, shape = (record.inputs.get(name) for name in ("rule", "shape"))
    return f"by the rule {rule} on {shape}" if rule else ""


def _deviation(record: Record) -> str:
    claimed = record.claim.text_in_unit if record.claim else "-"
    return _about(record, f"{claimed} printed, {numbers.delta(record)}")


def _about(record: Record, what: str) -> str:
    where = f" on {_dataset(record.dataset)}" if record.dataset else ""
    return f"{record.model} {record.precision} {metric_info(record.metric).title}{where}: {what}"


def plain(text: str) -> str:
    """Return `text` in one line without control characters and without the user's home."""
    return " ".join(printable(without_home(text)).split())
