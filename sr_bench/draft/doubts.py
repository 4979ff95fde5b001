"""Collect what a person must decide, each sentence once with the rows that it is about."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sr_bench.draft.models import Row

_MOST_NAMED = 8


class Doubts:
    """What is open about the rows of a document."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._labels = Counter(row.label for row in rows)
        self._every = {self._called(row) for row in rows}
        self._about: dict[str, list[str]] = {}

    def note(self, sentence: str, row: Row | None = None) -> None:
        """Note that `sentence` is open about `row`, or says itself what it is about."""
        self._about.setdefault(sentence, []).append(self._called(row) if row else "")

    def __iter__(self) -> Iterator[str]:
        """Yield each sentence, with the rows that it is about unless they are all."""
        for sentence, labels in self._about.items():
            about = list(dict.fromkeys(filter(None, labels)))
            is_general = not about or set(about) == self._every
            more = f" and {len(about) - _MOST_NAMED} more" if len(about) > _MOST_NAMED else ""
            named = ", ".join(about[:_MOST_NAMED]) + more
            yield sentence if is_general else f"{named}: {sentence}"

    def _called(self, row: Row) -> str:
        shared = self._labels[row.label] > 1 and row.source
        return f"{row.label} ({row.source})" if shared else row.label
