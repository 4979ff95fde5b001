"""Find the documents that a command names, and the card behind each."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

from sr_bench.cards import CARD
from sr_bench.cards.find import find_cards
from sr_bench.cards.load import load_card
from sr_bench.core.card import ModelCard, SuiteCard
from sr_bench.core.claim import Source
from sr_bench.core.fields import narrowed
from sr_bench.data.dataset import Dataset
from sr_bench.document.claims import read
from sr_bench.document.rows import ModelInfoTable
from sr_bench.document.tables import Document, read_document
from sr_bench.engine.plan.binding import RowKey, by_label, keys_of
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import CardError, DatasetError, DocumentError, OptionError, SrBenchError
from sr_bench.history.ledger import ledger_of, read_ledger
from sr_bench.lint.attach import attach_pages, page_notices
from sr_bench.lint.counting import CountedRow, count_row
from sr_bench.lint.subject import ReadFault, Subject

_ENDINGS = (".md", ".rst")

LoadDataset = Callable[[str, tuple[Path, ...]], Dataset]
"""Returns the dataset of a slug, searched in the given folders first."""


@dataclass(frozen=True)
class Request:
    """What to look at, and with which cards."""

    paths: tuple[Path, ...]
    """Folders with suites or documents, cards, and documents."""
    load_dataset: LoadDataset
    """Given by the caller: finding manifests takes libraries with it that decode images."""
    suites: Path | None = None
    """The folder whose cards may bind a document that has none beside it."""
    card: Path | None = None
    """Binds the one document that is named."""
    cards: bool = True
    """Whether documents that are named get a card; those found in folders always do."""
    trust_code: bool = False
    """Whether networks that are code of cards are counted too, for which that is run."""


@dataclass(frozen=True)
class Gathered:
    """The documents, and which card was used for those that have none of their own."""

    subjects: tuple[Subject, ...]
    notices: tuple[str, ...]


def gather(request: Request) -> Gathered:
    """Return every document that is asked for, once, in the order of the request.

    Raises:
        OptionError: A folder holds neither card nor document, or the card named does not fit.
    """
    shelf = _Shelf(request.suites)
    by_path: dict[Path, tuple[Subject, str]] = {}
    for path in request.paths:
        for subject, notice in _subjects(path, request, shelf):
            by_path.setdefault(Path(subject.path).resolve(), (subject, notice))
    subjects: list[Subject] = []
    for subject in attach_pages([subject for subject, _ in by_path.values()], _alone):
        counted = _counted(subject, trusted=request.trust_code)
        datasets = _datasets(subject, request.load_dataset)
        before = tuple(subjects)  # only these: a pair of documents is compared once
        found = replace(subject, counted=counted, datasets=datasets, before=before)
        subjects.append(replace(found, ledger=read_ledger(ledger_of(Path(subject.path)))))
    notices = [notice for _, notice in by_path.values() if notice]
    notices += [notice for subject in subjects for notice in page_notices(subject)]
    if not request.trust_code:
        notices += [notice for subject in subjects for notice in _uncounted(subject)]
    return Gathered(tuple(subjects), tuple(notices))


def _subjects(path: Path, request: Request, shelf: "_Shelf") -> Iterator[tuple[Subject, str]]:
    """Yield each document that `path` names, with a notice about its card, or nothing."""
    if path.is_dir():
        cards = find_cards(path)
        yield from ((_suite(card), "") for card in cards) if cards else _cardless(path)
    elif path.name == CARD:
        yield _suite(path), ""
    elif request.card is not None:
        yield _with_card(path, request.card), ""
    else:
        yield _document(path, shelf if request.cards else None)


def _cardless(folder: Path) -> Iterator[tuple[Subject, str]]:
    """Yield the documents below a folder without a card that print results."""
    found = (path for ending in _ENDINGS for path in folder.rglob(f"*{ending}"))
    shown = (p for p in found if not any(n.startswith(".") for n in p.relative_to(folder).parts))
    subjects = [_alone(path) for path in sorted(shown)]
    if not any(one.entries or one.printed or one.faults for one in subjects):
        kinds = " or ".join(_ENDINGS)
        msg = (
            f"{folder}: expected a {CARD}, or a {kinds} with a table of results, below it, got"
            " none; name other documents themselves"
        )
        raise OptionError(msg)
    yield from ((replace(subject, named=False), "") for subject in subjects)


def _suite(path: Path) -> Subject:
    """Return the document of the card at `path`, with whatever is wrong with either."""
    try:
        suite = load_suite(path)
    except DocumentError:
        # The card is sound; reading its document alone makes a finding of the fault.
        return replace(_alone(load_card(path).document), card=load_card(path), waivable=True)
    except CardError as error:
        alone = _alone(_document_of(path), _card_of(path))
        return replace(alone, faults=(_fault(error, path), *alone.faults))
    subject = replace(_read(suite.document), printed=suite.printed, card=suite.card, waivable=True)
    return _bound(subject, suite.card)


def _document_of(path: Path) -> Path:
    card = _card_of(path)
    return card.document if card else path.with_name("README.md")  # the default of cards


def _card_of(path: Path) -> SuiteCard | None:
    try:
        return load_card(path)
    except SrBenchError:
        return None


def _with_card(path: Path, card_path: Path) -> Subject:
    if not card_path.is_file():
        msg = f"--card {card_path}: expected a {CARD}, got no file"
        raise OptionError(msg)
    card = load_card(card_path)
    subject = _bound(_alone(path, card), card)
    if subject.tables and not subject.models:
        rows = ", ".join(model.row for model in card.models if model.row)
        msg = f"--card {card_path}: binds no row of {path}; its rows are: {rows}"
        raise OptionError(msg)
    return replace(subject, card=card, waivable=_same(card.document, path))


def _document(path: Path, shelf: "_Shelf | None") -> tuple[Subject, str]:
    """Return the document at `path` with the card beside it, or one that has the same rows."""
    beside = path.with_name(CARD)
    # A card may bind another file of its folder.
    if shelf is not None and beside.is_file() and _same(_document_of(beside), path):
        return _suite(beside), ""
    subject = _alone(path)
    card = shelf.card_for(subject.tables) if shelf is not None else None
    if card is None:
        return subject, ""
    notice = f"{subject.path}: bound by {card.path}, whose table has the same rows"
    return replace(_bound(subject, card), card=card), f"{notice} (--no-card: by none)"


@dataclass(frozen=True)
class _Shelf:
    """The cards that may bind a document elsewhere; read when the first one is looked for."""

    folder: Path | None

    @cached_property
    def _suites(self) -> tuple[tuple[SuiteCard, frozenset[tuple[str, ...]]], ...]:
        cards = find_cards(self.folder) if self.folder else []
        subjects = (_suite(card) for card in cards)
        return tuple((s.card, _rows(s.tables)) for s in subjects if s.card and s.models)

    def card_for(self, tables: Sequence[ModelInfoTable]) -> SuiteCard | None:
        """Return the one card whose document has the same rows, precisions included."""
        rows = _rows(tables)
        fitting = [card for card, theirs in self._suites if theirs == rows] if rows else []
        return fitting[0] if len(fitting) == 1 else None  # of several none is sure


def _rows(tables: Sequence[ModelInfoTable]) -> frozenset[tuple[str, ...]]:
    rows = (row for table in tables for row in table.rows)
    return frozenset((row.row, row.row_source, row.backend, row.precision) for row in rows)


def _alone(path: Path, card: SuiteCard | None = None) -> Subject:
    """Return the document at `path`, bound by no card; if it can't be read, that is a fault of it.

    Of `card` counts what it says of reading.
    """
    try:
        document = read_document(path)
        said = replace(document, told=card.told, ignored=card.ignored) if card else document
        return _read(said)
    except DocumentError as error:
        return Subject(str(path), faults=(_fault(error, path),))


def _read(document: Document) -> Subject:
    return narrowed(Subject, read(document), document=document)


def _bound(subject: Subject, card: SuiteCard) -> Subject:
    """Return the subject with each model of `card` that binds exactly one of its rows."""
    keys = by_label((row.row, row.row_source) for table in subject.tables for row in table.rows)
    models: dict[RowKey, tuple[ModelCard, ...]] = {}
    for model in (model for model in card.models if model.row):
        # A model that names no source fits rows of every source: of several none is sure.
        if len(bound := keys_of(model, keys)) == 1:
            models[bound[0]] = (*models.get(bound[0], ()), model)
    return replace(subject, models=models)


def _datasets(subject: Subject, load: LoadDataset) -> dict[str, Dataset]:
    extra = subject.card.manifest_folders if subject.card else ()
    models = chain.from_iterable(subject.models.values())
    slugs = {evaluation.dataset for model in models for evaluation in model.evaluations}
    datasets = {}
    for slug in sorted(slugs):
        with suppress(DatasetError):  # a run on it says what is wrong with the manifest
            datasets[slug] = load(slug, extra)
    return datasets


def _counted(subject: Subject, *, trusted: bool) -> tuple[CountedRow, ...]:
    models = ((entry, subject.model(entry)) for entry in subject.entries)
    rows = (count_row(entry, replace(model, trusted=trusted)) for entry, model in models if model)
    return tuple(filter(None, rows))


def _uncounted(subject: Subject) -> Iterator[str]:
    """Yield a notice if counting the networks of a document would run code of its user."""
    models = chain.from_iterable(subject.models.values())
    if own := ", ".join(sorted({model.architecture for model in models if model.own_class})):
        told = f"Flops and Params are not counted, as this would run {own}"
        yield f"{subject.path}: {told}: allow it with --trust-code"


def _fault(error: SrBenchError, path: Path) -> ReadFault:
    """Return what `error` says of the file at `path`, with the place that it begins with."""
    text = str(error)
    # Ours begin with path:line:column, tomllib's end with the place.
    start = re.match(rf".*?{re.escape(path.name)}(?::(\d+))?(?::(\d+))?: ", text)
    place = re.search(r"\(at line (\d+), column (\d+)\)", text) or start
    line, column = (int(part or 1) for part in place.groups()) if place else (1, 1)
    return ReadFault(Source(str(path), line, column), text[start.end() :] if start else text)


def _same(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve()
