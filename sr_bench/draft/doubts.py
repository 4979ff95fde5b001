"""Collect what a person must decide, each sentence once with the models that it is about."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sr_bench.draft.models import Row
from sr_bench.engine.plan.binding import RowKey

K = TypeVar("K")

_MOST_NAMED = 8


class Doubts:
    """What is open about the models of a document, whose rows are each of one scale."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._sources = _several((row.label, row.source) for row in rows)
        self._scales = _several((_key(row), row.scale) for row in rows)
        self._every = {self._called(row) for row in rows}
        self._about: dict[str, list[str]] = {}

    def note(self, sentence: str, row: Row | None = None) -> None:
        """Note that `sentence` is open about `row`, or says itself what it is about."""
        self._about.setdefault(sentence, []).append(self._called(row) if row else "")

    def __iter__(self) -> Iterator[str]:
        """Yield each sentence, with the models that it is about unless they are all."""
        for sentence, names in self._about.items():
            about = list(dict.fromkeys(filter(None, names)))
            is_general = not about or set(about) == self._every
            more = f" and {len(about) - _MOST_NAMED} more" if len(about) > _MOST_NAMED else ""
            named = ", ".join(about[:_MOST_NAMED]) + more
            yield sentence if is_general else f"{named}: {sentence}"

    def _called(self, row: Row) -> str:
        source = f" ({row.source})" if row.label in self._sources and row.source else ""
        scale = f" x{row.scale}" if _key(row) in self._scales else ""
        return f"{row.label}{source}{scale}"


def _key(row: Row) -> RowKey:
    return row.label, row.source


def _several(pairs: Iterable[tuple[K, object]]) -> set[K]:
    """Return what stands in pairs with several others."""
    counts = Counter(first for first, _ in set(pairs))
    return {first for first, count in counts.items() if count > 1}
