"""Hold the numbers that a document prints now against what an earlier run measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard
from sr_bench.core.cell import CellKey
from sr_bench.core.claim import in_print, split_scale
from sr_bench.core.history import PastSession
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.document.claims import MetricCell, metric_cells, read
from sr_bench.document.mirror import format_like
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import Document
from sr_bench.errors import CardError, DocumentError
from sr_bench.update.choose import why_not
from sr_bench.update.record_files import about, card_path

_EDITED = "edited after the run, which says nothing about it"


@dataclass(frozen=True)
class StaleNumber:
    """A number to look at, and why."""

    cell: MetricCell
    record: Record
    why: str


@dataclass(frozen=True)
class Checked:
    """One document against one run."""

    document: str
    claims: int
    """Numbers that the document prints."""
    judged: int
    """Those of them that the run measured whole, and judged."""
    stale: tuple[StaleNumber, ...]
    known_gaps: tuple[StaleNumber, ...]
    """Numbers that are known not to be reproducible; they are not stale."""


def check(document: Document, session: PastSession) -> Checked:
    """Return what of `document` is stale against `session`.

    A number belongs to a record by what its row says, so it may have moved. One that was edited
    since is stale unless it prints what the run measured, as an update leaves it.

    Raises:
        DocumentError: The document's tables can't be read.
    """
    answers = _Answers(document, session)
    reading = read(document)
    # A number of a row that is read, and that can't be read itself nor is ignored.
    for one in unread_numbers(one for one in reading.printed if one.layout.is_read):
        msg = f"{one.source}: {one.message}"
        raise DocumentError(msg)
    cells = [cell for cell in metric_cells(reading) if cell.is_number]
    judged = [(cell, record) for cell in cells if (record := answers.to(cell))]
    stale, gaps = [], []
    for cell, record in judged:
        if why := _why_stale(cell, record, document):
            stale.append(StaleNumber(cell, record, why))
        elif record.verdict.status is Status.KNOWN_GAP and not _edited(cell, record):
            gaps.append(StaleNumber(cell, record, record.verdict.sentence))
    return Checked(document.path, len(cells), len(judged), tuple(stale), tuple(gaps))


class _Answers:
    """The judged records of a run that are about one document."""

    def __init__(self, document: Document, session: PastSession) -> None:
        self._records = records = about(Path(document.path), session.records)
        judged = [record for record in records if not why_not(record)]
        self._claims: Mapping[CellKey, Record] = {
            CellKey.of(record.claim): record for record in judged if record.claim
        }
        self._blanks = [record for record in judged if not record.claim]
        self._rows = {record.model: record.claim.row for record in records if record.claim}

    def to(self, cell: MetricCell) -> Record | None:
        """Return the record that answers `cell`, which may have had no number then."""
        if cell.key in self._claims:
            return self._claims[cell.key]
        for record in self._blanks:
            place = record.source
            same = record.metric == cell.key.metric and _same(record.precision, cell.key.precision)
            # Not by the column, which a number before it in the row may have moved.
            if same and place and place.line == cell.source.line:
                if self._rows.get(record.model, cell.key.row) == cell.key.row:
                    return record
        return None


def _same(measured: str, printed: Precision) -> bool:
    """Tell whether a row of `printed` is answered in the precision `measured`."""
    return measured == printed or (printed.is_bare_int8 and measured.startswith("int8_"))


def _edited(cell: MetricCell, record: Record) -> bool:
    return record.claim is None or record.claim.text != cell.text


def _why_stale(cell: MetricCell, record: Record, document: Document) -> str:
    if _edited(cell, record):
        return "" if _prints(cell, record) else _EDITED
    status = record.verdict.status
    if status in (Status.DIFFERS, Status.BETTER):
        return status.value
    if status is Status.GAP_CLOSED and _in_card(record, document):
        return f"{status.value}: {record.verdict.sentence}"
    return ""


def _prints(cell: MetricCell, record: Record) -> bool:
    """Whether `cell` prints the measured value, cut to its digits as the document does."""
    if record.measurement is None:
        return False
    text, value = cell.text, in_print(record.measurement.value, cell.exponent)
    if record.claim:
        return text == format_like(text, value, digits=record.verdict.digits)
    # Of a cell that had no number the record does not know how the document cuts digits.
    cut = format_like(text, value, digits="truncated")
    return text in (cut, format_like(text, value, digits="rounded"))


def _in_card(record: Record, document: Document) -> bool:
    """Whether the card still declares what closed: a gap, or a failure of the device."""
    try:
        models = load_card(card_path(record, beside=Path(document.path))).models
    except CardError:  # it may declare it still
        return True
    return any(_declares(model, record) for model in models if model.name == record.model)


def _declares(model: ModelCard, record: Record) -> bool:
    slug, _ = split_scale(record.dataset)
    failures = (known.precision for known in model.device.known_failures)
    variant = record.claim.variant if record.claim else ""
    gap = model.gap_for(record.metric, record.precision, slug, variant)
    return gap is not None or any(known in (None, record.precision) for known in failures)
