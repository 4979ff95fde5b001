"""What rules compare: all that a document prints of one model in one precision on one dataset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sr_bench.core.claim import Claim, Source
from sr_bench.core.fields import narrowed
from sr_bench.core.precision import Precision
from sr_bench.document.rows import ModelInfoTable
from sr_bench.document.sizes import Size, read_size
from sr_bench.document.tables import Document
from sr_bench.engine.plan.binding import RowKey

_DIMENSIONS = (
    *("row", "row_source", "backend", "precision", "dataset", "scale", "device", "variant"),
)
_NONE = ("", "")  # device and backend of a row that names neither


@dataclass(frozen=True)
class Entry:
    """All that a document prints about one question, in any table."""

    row: str
    """Label of the model row, without markup."""
    row_source: str
    precision: Precision
    backend: str
    """The word of the row's label that names a backend; empty if there is none."""
    dataset: str
    scale: int
    """As printed; 0 if nothing but the label may say it."""
    device: str
    variant: str
    """What tells it from an entry that is equal in all else; usually empty."""
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
    def question(self) -> tuple[object, ...]:
        """Equal for the entries of one model whose numbers only precision and backend explain."""
        return (*self.key, self.dataset, self.scale, self.device, self.variant)

    @property
    def size(self) -> Size | None:
        """The Shape cell as numbers; None if it isn't one shape."""
        return read_size(self.shape)

    @property
    def name(self) -> str:
        """As messages call it: ``RCAN (BasicSR) vacc int8_max``."""
        source = f"({self.row_source})" if self.row_source else ""
        precision = "" if self.precision.is_full else self.precision
        scale = f"x{self.scale}" if self.scale else ""
        on = [f"on {word}" for word in (self.dataset, self.device) if word]
        return " ".join(filter(None, (self.row, source, scale, self.backend, precision, *on)))


def read_entries(document: Document, tables: Sequence[ModelInfoTable]) -> tuple[Entry, ...]:
    """Return what `tables` print, that about the same question in two tables as one."""
    entries: dict[tuple[object, ...], Entry] = {}
    for row in (row for table in tables for row in table.rows):
        claims: dict[tuple[object, ...], list[Claim]] = {}
        for claim in row.claims:  # a row may print several datasets
            key = tuple(getattr(claim, name) for name in _DIMENSIONS)
            claims.setdefault(key, []).append(claim)
        for key, group in claims.items():
            new = narrowed(
                Entry,
                group[0],
                shape_column=row.shape_column,
                claims={claim.metric: claim for claim in group},
                source=document.source(row.cell),
            )
            # Cost and accuracy may stand in two tables.
            entries[key] = _joined(entries[key], new) if key in entries else new
    return tuple(entries.values())


def pair_up(entries: Sequence[Entry]) -> tuple[tuple[Entry, Entry], ...]:
    """Return each low precision with the fp32 entry of its model on the same dataset.

    Of several: that of the same variant, else of the same shape; among those that of the same
    device and backend, else of none.
    """
    full: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        if entry.precision.is_full:
            for likeness in _likenesses(entry, (entry.device, entry.backend), None):
                full.setdefault(likeness, entry)
    pairs = []
    for low in entries:
        runners = (low.device, low.backend), _NONE, None
        likest = (full[one] for one in _likenesses(low, *runners) if one in full)
        if not low.precision.is_full and (best := next(likest, None)):
            pairs.append((best, low))
    return tuple(pairs)


def _likenesses(entry: Entry, *runners: tuple[str, str] | None) -> Iterator[tuple[object, ...]]:
    """Yield what entries to be compared with this one may share, the most telling first."""
    question = (*entry.key, entry.dataset, entry.scale)
    shape = entry.size or entry.shape.casefold()
    for condition in (("variant", entry.variant, shape), ("shape", shape), ()):
        yield from ((question, condition, runner) for runner in runners)


def _joined(old: Entry, new: Entry) -> Entry:
    return replace(
        old,
        shape=old.shape or new.shape,
        shape_column=old.shape_column or new.shape_column,
        claims={**old.claims, **new.claims},
    )
