"""What rules look at: a document's printed rows, and the card behind them if there is one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sr_bench.core.card import ModelCard, SuiteCard
from sr_bench.core.claim import Claim, Source
from sr_bench.core.fields import narrowed
from sr_bench.core.precision import Precision
from sr_bench.data.dataset import Dataset
from sr_bench.document.printed import Printed
from sr_bench.document.rows import ModelInfoTable, ModelRow
from sr_bench.document.sizes import Size, read_size
from sr_bench.document.tables import Document
from sr_bench.lint.counting import CountedRow

RowKey = tuple[str, str]
"""A model row's label and the text of its Source column."""


@dataclass(frozen=True)
class Entry:
    """All that a document prints of one model in one precision on one dataset, in any table."""

    row: str
    """Label of the model row, without markup."""
    row_source: str
    precision: Precision
    backend: str
    """The word of the row's label that names a backend; empty if there is none."""
    dataset: str
    shape: str
    """The Shape cell; empty if blank, or if no table has such a column."""
    shape_column: bool
    """Whether a table with this row's numbers has a Shape column."""
    claims: Mapping[str, Claim]
    source: Source
    """Of the label."""

    @property
    def key(self) -> RowKey:
        """Of the model row."""
        return self.row, self.row_source

    @property
    def size(self) -> Size | None:
        """The Shape cell as numbers; None if it isn't one shape."""
        return read_size(self.shape)

    @property
    def name(self) -> str:
        """As messages call it: ``RCAN (BasicSR) vacc int8_max``."""
        source = f"({self.row_source})" if self.row_source else ""
        precision = "" if self.precision.is_full else self.precision
        parts = (self.row, source, self.backend, precision, self.dataset and f"on {self.dataset}")
        return " ".join(filter(None, parts))


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
    card: SuiteCard | None = None
    """The card that binds the document's rows."""
    waivable: bool = False
    """Whether the card names this document: only then do its waivers hold."""
    models: Mapping[RowKey, ModelCard] = field(default_factory=dict)
    """The card's models by the row that each binds."""
    counted: tuple[CountedRow, ...] = ()
    """Each row with a cost number whose network the card declares."""
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    """Those that the models are evaluated on, by slug."""
    faults: tuple[ReadFault, ...] = ()
    before: tuple["Subject", ...] = ()
    """The subjects that were looked at before this one."""

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The printed rows, in the document's order."""
        return read_entries(self.document, self.tables) if self.document else ()

    def model(self, entry: Entry) -> ModelCard | None:
        """Return the card's model of an entry, if there is one."""
        return self.models.get(entry.key)

    def scale(self, entry: Entry) -> int | None:
        """Return the upscaling factor: the card's, or that of a label such as ``EDSR_x2``."""
        if model := self.model(entry):
            return model.scale
        # Three digits are a side, not a scale: x256.
        match = re.search(r"x([1-9][0-9]?)(?![0-9])", entry.row, re.IGNORECASE)
        return int(match[1]) if match else None

    def protocol(self, entry: Entry) -> str:
        """Return the name of the protocol that the card gives for an entry's images, or nothing."""
        model = self.model(entry)
        evaluation = model and model.claimed_evaluation(entry.precision, entry.dataset)
        return evaluation.protocol.name if evaluation else ""

    @cached_property
    def pairs(self) -> tuple[tuple[Entry, Entry], ...]:
        """Each fp32 entry with each low precision of its model on the same dataset."""
        full: dict[tuple[RowKey, str], list[Entry]] = {}
        for entry in self.entries:
            if entry.precision.is_full:
                full.setdefault((entry.key, entry.dataset), []).append(entry)
        return tuple(
            # The row of the same backend, if there is one, else the model's own.
            (min(rows, key=lambda row: (row.backend != low.backend, bool(row.backend))), low)
            for low in self.entries
            if not low.precision.is_full and (rows := full.get((low.key, low.dataset)))
        )


def read_entries(document: Document, tables: Sequence[ModelInfoTable]) -> tuple[Entry, ...]:
    """Return the rows of `tables`, those about the same question in two tables as one."""
    entries: dict[tuple[str, ...], Entry] = {}
    for table in tables:
        for row in table.rows:
            key = (row.row, row.row_source, row.backend, row.precision, row.dataset)
            new = _entry(document, row)
            # Cost and accuracy may stand in two tables.
            if old := entries.get(key):
                new = replace(
                    old,
                    shape=old.shape or new.shape,
                    shape_column=old.shape_column or new.shape_column,
                    claims={**old.claims, **new.claims},
                )
            entries[key] = new
    return tuple(entries.values())


def _entry(document: Document, row: ModelRow) -> Entry:
    # A Shape cell of mere dashes is blank.
    return narrowed(
        Entry,
        row,
        shape=row.shape if any(character.isalnum() for character in row.shape) else "",
        shape_column="shape" in row.cells,
        claims={claim.metric: claim for claim in row.claims},
        source=document.source(row.cells["model"]),
    )
