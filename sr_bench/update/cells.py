"""Work out the new text of cells, once it is sure that each is the one that was measured."""

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sr_bench.core.card import ModelCard
from sr_bench.core.cell import CellKey
from sr_bench.core.claim import Claim, Source, in_print, split_scale
from sr_bench.core.metric import metric_info
from sr_bench.core.modes import UpdateMode
from sr_bench.core.record import Record, Status
from sr_bench.core.update import Edit
from sr_bench.document.claims import MetricCell, Reading, metric_cells, nearest_number
from sr_bench.document.mirror import format_like
from sr_bench.document.numbers import measured
from sr_bench.errors import DocumentError
from sr_bench.files.validation import listed
from sr_bench.update.choose import why_not, why_not_in

ModelOf = Callable[[Record], ModelCard]
"""Finds the card's entry of a record's model."""


@dataclass(frozen=True)
class CellEdits:
    """What an update does to the cells of one document."""

    edits: tuple[Edit, ...]
    left_out: tuple[tuple[str, str], ...]
    """Why, and which place."""


def work_out(
    reading: Reading,
    records: Sequence[Record],
    mode: UpdateMode,
    model_of: ModelOf,
    run: Sequence[Record],
) -> CellEdits:
    """Return the edits that `records`, each fit to be printed, ask of a document as it is now.

    In the mode ``failed`` the number of a gap that closed stays as it is. A cell that spans rows
    changes only if the `run`, all that was recorded of the document, asks the same of each row.

    Raises:
        DocumentError: A cell moved, holds another number, or is gone: then nothing in the
            document is edited, as it is not what the run measured.
    """
    cells = metric_cells(reading)
    by_key = {cell.key: cell for cell in cells}
    asked: list[Edit] = []
    faults = []
    for record in records:
        keeps = mode == "failed" and record.verdict.status is Status.GAP_CLOSED
        try:
            edit = _edit(cells, by_key, record, model_of)
        except DocumentError as fault:
            faults.append(str(fault))
            continue
        if edit and edit.new != edit.old and not keeps:
            asked.append(edit)
    if faults:
        message = listed(faults, where=f"{reading.path}: changed since the run")
        message += "\n  nothing in it was updated; run the tests again, then update from that run"
        raise DocumentError(message)
    disputed = _disputed(cells, asked, run)
    whys = [(_why_left_out(edit, disputed), edit) for edit in asked]
    left_out = dict.fromkeys((why, str(edit.place)) for why, edit in whys if why)
    return CellEdits(tuple(edit for why, edit in whys if not why), tuple(left_out))


def _why_left_out(edit: Edit, disputed: Container[Source]) -> str:
    if edit.place in disputed:
        return "its cell spans rows that were not all measured with this value: give each its own"
    return why_not_in(edit.record, edit.key)


def _disputed(
    cells: Sequence[MetricCell], edits: Sequence[Edit], run: Sequence[Record]
) -> frozenset[Source]:
    """Return where a cell spans rows of which not all ask for the same number."""
    news = {edit.key: edit.new for edit in edits if not why_not_in(edit.record, edit.key)}
    for record in run:
        if record.claim and record.measurement and not why_not(record):
            key = CellKey.of(record.claim)
            if not why_not_in(record, key):
                new = _as_printed(record, record.claim, record.measurement.value)
                news.setdefault(key, new)
    asked: dict[Source, set[str | None]] = defaultdict(set)
    for cell in cells:
        asked[cell.source].add(news.get(cell.key))
    return frozenset(place for place, of_rows in asked.items() if len(of_rows) > 1)


def _as_printed(record: Record, claim: Claim, value: float) -> str:
    return format_like(claim.text, claim.as_printed(value), digits=record.verdict.digits)


def _edit(
    cells: Sequence[MetricCell],
    by_key: Mapping[CellKey, MetricCell],
    record: Record,
    model_of: ModelOf,
) -> Edit | None:
    """Return the edit of the cell of `record`; None if it holds the measured number already."""
    if record.source is None or record.measurement is None:
        return None
    if record.claim is None:
        return _of_blank(cells, record, record.source, model_of(record))
    new = _as_printed(record, record.claim, record.measurement.value)
    return _of_claim(by_key, record, record.claim, new)


def _of_claim(
    by_key: Mapping[CellKey, MetricCell], record: Record, claim: Claim, new: str
) -> Edit | None:
    key, place = CellKey.of(claim), claim.source
    if (cell := by_key.get(key)) is None:
        msg = f"{place}: expected {claim.text} of {key}; the document has no such row any more"
        raise DocumentError(msg)
    # Wherever the row is now: a second update must change nothing and refuse nothing.
    if cell.text == new:
        return None
    moved = "" if _at(cell, place) else f" in {cell.source}"
    if moved or cell.text != claim.text:
        stands = f"; it stands{moved} now"
        got = stands if cell.text == claim.text else f", got {cell.text!r}{moved}"
        msg = f"{place}: expected {claim.text} of {key}{got}"
        raise DocumentError(msg)
    return Edit(key, cell.source, cell.text, new, record)


def _of_blank(
    cells: Sequence[MetricCell], record: Record, place: Source, model: ModelCard
) -> Edit | None:
    answered = (cell for cell in cells if _at(cell, place) and _answers(record, cell.key, model))
    if (cell := next(answered, None)) is None:
        msg = (
            f"{place}: expected a cell for {metric_info(record.metric).title} of"
            f" {model.row or model.name} {record.precision}; it is not there any more"
        )
        raise DocumentError(msg)
    edit = Edit(cell.key, cell.source, cell.text, _new_number(cells, cell, record, model), record)
    if cell.is_number and cell.text != edit.new:
        msg = f"{place}: expected a cell without a number for {cell.key}, got {cell.text!r}"
        raise DocumentError(msg)
    return edit


def _new_number(
    cells: Sequence[MetricCell], cell: MetricCell, record: Record, model: ModelCard
) -> str:
    """Return the measured value with the decimals of the nearest number of its metric."""
    others = [other for other in cells if other is not cell]
    like = nearest_number(others, cell)
    if like is None or record.measurement is None:
        return measured(record)
    # A new number is judged by the card's rule next time, which may be to cut digits off.
    digits = model.tolerance_for(record.metric, cell.key.precision).digits
    value = in_print(record.measurement.value, cell.exponent)
    pattern = Decimal(like.text).scaleb(like.exponent - cell.exponent)  # of another unit, maybe
    return format_like(f"{pattern:f}", value, digits=digits)


def _answers(record: Record, key: CellKey, model: ModelCard) -> bool:
    slug, _ = split_scale(record.dataset)
    evaluation = model.claimed_evaluation(key.precision, key.dataset, key.variant)
    precision = model.measured_in(key.precision)
    return (
        (record.metric, record.precision, model.row) == (key.metric, precision, key.row)
        # A card names the source only where the label alone is not unique.
        and model.row_source.casefold() in ("", key.row_source.casefold())
        and (not record.dataset or (evaluation is not None and evaluation.dataset == slug))
    )


def _at(cell: MetricCell, place: Source) -> bool:
    return (cell.source.line, cell.source.column) == (place.line, place.column)
