"""Collect what a person must decide, each sentence once with what it is about."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sr_bench.draft.models import Row
from sr_bench.engine.plan.binding import RowKey
from sr_bench.text.printable import some

K = TypeVar("K")

_MOST_NAMED = 8


class Doubts:
    """What is open about the models of a document, whose rows are each of one scale."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._sources = _several((row.label, row.source) for row in rows)
        self._scales = _several((_key(row), row.scale) for row in rows)
        self._every = {self._called(row) for row in rows}
        self._about: dict[str, list[str]] = {}

    def note(self, sentence: str, about: Row | str) -> None:
        """Note that `sentence` is open about a model, or about a dataset."""
        name = self._called(about) if isinstance(about, Row) else about
        self._about.setdefault(sentence, []).append(name)

    def __iter__(self) -> Iterator[str]:
        """Yield each sentence, with what it is about unless that is every model."""
        for sentence, names in self._about.items():
            about = list(dict.fromkeys(names))
            named = "" if set(about) == self._every else f"{some(about, _MOST_NAMED)}: "
            yield named + sentence

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
