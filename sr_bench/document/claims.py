"""Read a document's model-info tables into rows, and their numbers into claims."""

from dataclasses import dataclass

from sr_bench.core.claim import Claim
from sr_bench.core.ignored import Ignored
from sr_bench.document.grids import Grid
from sr_bench.document.printed import Printed
from sr_bench.document.read_table import TableReader
from sr_bench.document.rows import ModelInfoTable
from sr_bench.document.tables import Document


@dataclass(frozen=True)
class Reading:
    """All that is read of a document, and every number that it prints."""

    path: str
    """Of the document, as the user would type it."""
    tables: tuple[ModelInfoTable, ...]
    """Without the rows that can't be read or that the card ignores."""
    printed: tuple[Printed, ...]
    """In reading order."""
    grids: tuple[Grid, ...]
    """Every table, whatever it is about."""
    labels: frozenset[str]
    """What rows are called: by the model's name, and by the whole label; ignored ones too."""

    def unread_rows(self, label: str) -> tuple[str, ...]:
        """Return each row of this label that can't be read: its line, and why."""
        rows = (one for one in self.printed if one.scope == "row" and label in one.labels)
        return tuple(dict.fromkeys(f"{one.source.line}: {one.fault}" for one in rows))

    @property
    def unread_tables(self) -> tuple[str, ...]:
        """Each table of which no row is read: its line, its header, and why."""
        read = {table.table.line for table in self.tables if table.rows}
        unread = (grid for grid in self.grids if grid.fault or grid.line not in read)
        why = "none of its rows is read"
        return tuple(f"{g.line}: table {g.names[0]!r}: {g.fault or why}" for g in unread)


def read(document: Document, ignored: Ignored | None = None) -> Reading:
    """Return what `document` claims, and what it prints beside that.

    Args:
        document: The text with its tables.
        ignored: What the card leaves out.
    """
    reader = TableReader(document, ignored or Ignored())
    tables = tuple(reader.read(grid) for grid in document.grids if not grid.fault)
    models = {row.row for table in tables for row in table.rows}
    for grid in document.grids:
        if grid.fault:
            reader.name(grid, models)
    printed = sorted(reader.printed, key=lambda one: one.source)
    return Reading(document.path, tables, tuple(printed), document.grids, frozenset(reader.labels))


def read_model_tables(document: Document) -> tuple[ModelInfoTable, ...]:
    """Return the model-info tables of `document` with the rows that can be read."""
    return read(document).tables


def read_claims(document: Document) -> tuple[Claim, ...]:
    """Return every number of the tables that can be read, in reading order."""
    tables = read_model_tables(document)
    return tuple(claim for table in tables for row in table.rows for claim in row.claims)
