"""What a card tells not to read in its document, each with the reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sr_bench.core.fields import Words

Reasons = Mapping[str, Words]


@dataclass(frozen=True)
class Ignored:
    """Columns, rows and tables whose numbers nobody tests; names in any case and spacing."""

    columns: Reasons = field(default_factory=dict)
    """By header, in every table."""
    rows: Reasons = field(default_factory=dict)
    """By label of a model row, with its precision rows; by the whole label of one; or as
    ``line 12``."""
    tables: Reasons = field(default_factory=dict)
    """By header row (``Method | Set5 | Set14``), by the heading above, or as ``line 12``."""

    def column(self, header: str) -> str:
        """Return why a column is ignored; empty if it is not."""
        return _reason(self.columns, [header])

    def row(self, labels: Iterable[str]) -> str:
        """Return why a row that is called by any of `labels` is ignored; empty if it is not."""
        return _reason(self.rows, labels)

    def table(self, names: Iterable[str]) -> str:
        """Return why a table that is called by any of `names` is ignored; empty if it is not."""
        return _reason(self.tables, names)


def ignored_by_all(cards: Sequence[Ignored]) -> Ignored:
    """Return what each of `cards` leaves out, with the reasons of the first; nothing if none."""
    first, *others = cards or (Ignored(),)
    return Ignored(
        {name: why for name, why in first.columns.items() if all(o.column(name) for o in others)},
        {name: why for name, why in first.rows.items() if all(o.row([name]) for o in others)},
        {name: why for name, why in first.tables.items() if all(o.table([name]) for o in others)},
    )


def spelled_alike(first: str, second: str) -> bool:
    """Tell whether two texts differ in case and spacing alone."""
    return _folded(first) == _folded(second)


def _reason(reasons: Reasons, names: Iterable[str]) -> str:
    if not reasons:  # most cards have none, and a header row may be long
        return ""
    wanted = {_folded(name) for name in names if name}
    return next((why for name, why in reasons.items() if _folded(name) in wanted), "")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
