"""Write the numbers of a run into the documents that claim them, and take out closed gaps."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from sr_bench.cards.documents import read_bound
from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard
from sr_bench.core.claim import Source
from sr_bench.core.history import PastSession
from sr_bench.core.modes import UpdateMode
from sr_bench.core.record import Record, Status
from sr_bench.core.update import Edit, GapRemoval, Update, group
from sr_bench.document.claims import read
from sr_bench.document.diff import unified_diff
from sr_bench.document.mirror import replace_numbers
from sr_bench.engine.plan.suite import Suite, load_suite
from sr_bench.errors import CardError, DocumentError, OptionError, SrBenchError
from sr_bench.files.lock import locked
from sr_bench.files.together import write_together
from sr_bench.history.ledger import extended, ledger_of
from sr_bench.update.cells import work_out
from sr_bench.update.choose import asked_for
from sr_bench.update.gaps import ClosedGap, closing
from sr_bench.update.ledger_lines import ledger_lines
from sr_bench.update.record_files import about, card_path, from_home
from sr_bench.update.remove_gap import remove_gap

LOCK_WAIT_S = 10.0
"""How long to wait for another update of the same folder; one takes less than a second."""

_GAPS = (Status.GAP_CLOSED, Status.KNOWN_GAP)


@dataclass(frozen=True)
class _Changes:
    """What an update does to one document and to the cards that bind it."""

    edits: tuple[Edit, ...] = ()
    gaps: tuple[GapRemoval, ...] = ()
    # Each file that changes, with its text before and after.
    texts: tuple[tuple[Path, str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def update_documents(session: PastSession, mode: UpdateMode, *, reason: str, write: bool) -> Update:
    """Write what `session` measured into the cells of its documents, as far as `mode` asks for it.

    Guarantees for each document: nothing but the numbers changes; the document, its cards and the
    ledger beside it are all written or all left as they were; nothing is written if a cell is not
    as it was when it was measured. A document that is refused does not keep the others from being
    updated. Paths in `session` are relative to the working directory. Unless `write`, for which the
    ledger needs a reason, the changes are only worked out.

    Raises:
        OptionError: There is no reason.
    """
    reason = " ".join(reason.split())
    if write and not reason:
        msg = "an update needs a reason, for the ledger: say why the numbers change"
        raise OptionError(msg)
    asked = asked_for(session.records, mode)
    documents, refused = _by_document(asked.records)
    done: list[_Changes] = []
    for path, records in documents.items():
        try:
            # The folder, not the document: those beside it share the ledger.
            with locked(path.parent, wait_s=LOCK_WAIT_S) if write else nullcontext():
                changes = _changes(path, records, session, mode)
                if write and changes.texts:
                    _write(path, changes, session, reason)
            done.append(changes)
        except SrBenchError as cause:
            refused.append(str(cause))
    left_out = (*asked.left_out, *(pair for changes in done for pair in changes.left_out))
    return Update(
        edits=tuple(edit for changes in done for edit in changes.edits),
        gaps=tuple(gap for changes in done for gap in changes.gaps),
        diff="".join(unified_diff(*text) for changes in done for text in changes.texts),
        left_out=group(left_out),
        refused=tuple(dict.fromkeys(refused)),  # one card may refuse many records
        written=write,
    )


def _by_document(records: Sequence[Record]) -> tuple[dict[Path, list[Record]], list[str]]:
    """Return the records of each document, and why some have none.

    The gate that closed a gap answers no cell: its card says which document it belongs to.
    """
    documents: dict[Path, list[Record]] = {}
    names: dict[Path, Path] = {}
    refused = []
    for record in records:
        place = record.source
        try:
            path = from_home(place.path) if place else load_card(card_path(record)).document
        except SrBenchError as cause:
            refused.append(str(cause))
            continue
        # Two paths of one file are one document, called as it was first.
        name = names.setdefault(path.resolve(), path)
        documents.setdefault(name, []).append(record)
    return documents, refused


def _changes(
    path: Path, records: Sequence[Record], session: PastSession, mode: UpdateMode
) -> _Changes:
    """Work out what to do to the document at `path` as it is now.

    Raises:
        SrBenchError: The document or its card is not what the run measured.
    """
    if not path.is_file():
        msg = f"{path}: the run's document is not here; run this where the tests were started"
        raise DocumentError(msg)
    reading = read(read_bound(path))
    suites = _Suites(path)
    run = about(path, session.records)
    cells = work_out(reading, records, mode, suites.model, run)
    written = {edit.key for edit in cells.edits}
    closings = {}
    for card in {suites.card(record) for record in records if record.verdict.status in _GAPS}:
        of_card = [record for record in session.records if suites.is_of(record, card)]
        closings[card] = closing(suites.suite(card), of_card, written)
    stuck = {key for closing in closings.values() for key in closing.kept}
    # A known gap is strict: where it stays, a number that agrees would fail the next run.
    kept = {
        edit.place
        for edit in cells.edits
        if edit.key in stuck and edit.record.verdict.status is Status.KNOWN_GAP
    }
    edits = tuple(edit for edit in cells.edits if edit.place not in kept)
    texts, gaps, left_out = [], [], list(cells.left_out)
    # The document before its cards, as the diff shows them.
    if edits:
        text = replace_numbers(reading, {edit.place: edit.new for edit in edits})
        texts.append((path, reading.document.text, text))
    for card, closed in sorted(closings.items()):
        left_out += closed.left_out
        if closed.closed:
            before = card.read_bytes().decode("utf-8")  # as it is: BOM and line ends have to stay
            after, removals = _without_gaps(card, before, closed.closed)
            texts.append((card, before, after))
            gaps += removals
    return _Changes(edits, tuple(gaps), tuple(texts), tuple(left_out))


def _without_gaps(card: Path, text: str, gaps: Sequence[ClosedGap]) -> tuple[str, list[GapRemoval]]:
    removals = []
    # From the last one up, so that the positions of the others stay.
    for gap in sorted(gaps, key=lambda gap: (gap.model, gap.entry), reverse=True):
        removal = remove_gap(text, gap.model, gap.entry, path=card)
        text = removal.text
        removals.append(GapRemoval(Source(str(card), removal.line, 1), gap.gap, gap.record))
    return text, removals[::-1]


class _Suites:
    """The suites whose cards bind one document, each loaded when it is first asked for."""

    def __init__(self, document: Path) -> None:
        self._document = document
        self._loaded: dict[Path, Suite] = {}

    def card(self, record: Record) -> Path:
        return card_path(record, beside=self._document)

    def is_of(self, record: Record, card: Path) -> bool:
        """Whether `record` is of the suite at `card`; one whose card is gone is of none."""
        try:
            return self.card(record) == card
        except CardError:
            return False

    def suite(self, card: Path) -> Suite:
        """Return the suite at `card`, which binds this document."""
        if card not in self._loaded:
            suite = load_suite(card)
            if suite.card.document.resolve() != self._document.resolve():
                other = suite.card.document
                msg = f"{card}: expected the card of {self._document}, got that of {other}"
                raise CardError(msg)
            self._loaded[card] = suite
        return self._loaded[card]

    def model(self, record: Record) -> ModelCard:
        """Return the card's entry of the model of `record`."""
        card = self.card(record)
        for model in self.suite(card).card.models:
            if model.name == record.model:
                return model
        msg = f"{card}: the model {record.model!r} of the run is gone; run the tests again"
        raise CardError(msg)


def _write(path: Path, changes: _Changes, session: PastSession, reason: str) -> None:
    ledger = ledger_of(path)
    old = ledger.read_bytes() if ledger.exists() else b""
    files = {file: after.encode() for file, _, after in changes.texts}
    lines = ledger_lines(
        changes.edits, changes.gaps, ledger=ledger, reason=reason, info=session.info
    )
    write_together(files | {ledger: extended(old, lines)})
