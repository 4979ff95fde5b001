"""What rules look at: a document's printed rows, and the card behind them if there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sr_bench.core.card import Evaluation, ModelCard, SuiteCard
from sr_bench.core.claim import Source
from sr_bench.core.metric import metric_infos
from sr_bench.data.dataset import Dataset
from sr_bench.document.labels import scale_of
from sr_bench.document.printed import Printed
from sr_bench.document.rows import ModelInfoTable
from sr_bench.document.tables import Document
from sr_bench.engine.plan.binding import RowKey, of_scale
from sr_bench.history.ledger import Ledger
from sr_bench.lint.counting import CountedRow
from sr_bench.lint.entries import Entry, pair_up, read_entries
from sr_bench.lint.matching import Compared, Match, compare, compare_tables
from sr_bench.lint.pages import Page
from sr_bench.lint.results import Result, read_results


@dataclass(frozen=True)
class ReadFault:
    """Why a document, or its card, can't be read."""

    source: Source
    message: str


@dataclass(frozen=True)
class Subject:
    """One document as rules see it."""

    path: str
    """As the user would type it."""
    document: Document | None = None
    """None if it can't be read."""
    tables: tuple[ModelInfoTable, ...] = ()
    printed: tuple[Printed, ...] = ()
    """Every number of the document."""
    unread_tables: tuple[str, ...] = ()
    """Each table of which no row is read: its line, its header, and why."""
    drafts: tuple[str, ...] = ()
    """A ``[[table]]`` for each table whose numbers are neither read nor named as unread."""
    card: SuiteCard | None = None
    """The card that binds the document's rows."""
    named: bool = True
    """Whether the user named it; what a folder holds beside its documents is passed over."""
    waivable: bool = False
    """Whether the card names this document: only then do its waivers hold."""
    models: Mapping[RowKey, Sequence[ModelCard]] = field(default_factory=dict)
    """The card's models by the row that each binds; those of several scales may share one."""
    counted: tuple[CountedRow, ...] = ()
    """Each row with a cost number whose network the card declares."""
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    """Those that the models are evaluated on, by slug."""
    ledger: Ledger = field(default_factory=Ledger)
    """Of the numbers that updates wrote into it."""
    faults: tuple[ReadFault, ...] = ()
    pages: tuple["Subject", ...] = ()
    """The texts that may print results of its rows again."""
    before: tuple["Subject", ...] = ()
    """The subjects that were looked at before this one."""

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The printed rows, in the document's order."""
        return read_entries(self.document, self.tables) if self.document else ()

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The results of known metrics that its text prints outside of tables."""
        names = {name.replace("_", ""): name for name in metric_infos()}
        return read_results(self.document, names) if self.document else ()

    @cached_property
    def compared(self) -> Mapping[str, Compared]:
        """What became of the results that the texts of this document and its pages print."""
        own = [Page(self.document, own=True)] if self.document else []
        pages = [Page(page.document) for page in self.pages if page.document]
        return {page.path: compare(self.entries, page) for page in (*own, *pages)}

    @cached_property
    def matches(self) -> tuple[Match, ...]:
        """Each row beside what this document's text, or a page, prints of it again."""
        in_text = (match for compared in self.compared.values() for match in compared.matches)
        in_tables = (
            match
            for page in self.pages
            if page.document and page.entries
            for match in compare_tables(self.entries, Page(page.document), page.entries)
        )
        return (*in_text, *in_tables)

    def model(self, entry: Entry) -> ModelCard | None:
        """Return the card's model of an entry, if there is one."""
        sharing = self.models.get(entry.key, ())
        return next((model for model in sharing if of_scale(model, sharing, [entry])), None)

    def scale(self, entry: Entry) -> int | None:
        """Return the upscaling factor of the card, of the print or of a label, ``x2`` or ``2x``."""
        if model := self.model(entry):
            return model.scale
        return entry.scale or scale_of(entry.row) or None

    def protocol(self, entry: Entry) -> str:
        """Return the name of the protocol that the card gives for an entry's images, or nothing."""
        evaluation = self.evaluation(entry)
        return evaluation.protocol.name if evaluation else ""

    def evaluation(self, entry: Entry) -> Evaluation | None:
        """Return what the card says that an entry's images are, if it does."""
        model = self.model(entry)
        told = (entry.precision, entry.dataset, entry.variant)
        return model.claimed_evaluation(*told) if model else None

    @cached_property
    def pairs(self) -> tuple[tuple[Entry, Entry], ...]:
        """Each low precision entry behind the fp32 entry that it is compared with."""
        return pair_up(self.entries)
