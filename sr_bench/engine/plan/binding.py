"""Which rows of a document a model of a card binds, and which numbers of one are its own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from sr_bench.core.card import ModelCard

RowKey = tuple[str, str]
"""A model row's label and the text of its Source column."""
Keys = Mapping[str, Sequence[RowKey]]
"""The model rows by their label, as a search of all of them for each model would take long."""


class Scaled(Protocol):
    """A claim, or anything else that is printed with an upscaling factor."""

    @property
    def scale(self) -> int:
        """0: none is printed with it."""


Number = TypeVar("Number", bound=Scaled)


def by_label(rows: Iterable[RowKey]) -> Keys:
    """Return `rows`, each once, by label, in their order."""
    keys: dict[str, list[RowKey]] = defaultdict(list)
    for key in dict.fromkeys(rows):
        keys[key[0]].append(key)
    return keys


def keys_of(model: ModelCard, keys: Keys) -> list[RowKey]:
    """Return those of the rows that `model` binds; a card in order binds exactly one."""
    wanted = model.row_source.casefold()  # capitals in sources vary
    labelled = keys.get(model.row, ())
    return [key for key in labelled if not wanted or wanted == key[1].casefold()]


def of_scale(
    model: ModelCard, sharing: Sequence[ModelCard], numbers: Sequence[Number]
) -> tuple[Number, ...]:
    """Return those of a row's `numbers` that are about `model`, one of those `sharing` the row.

    Each goes to the model of the scale that the document prints with it; without a scale to the
    first model of the row.
    """
    scales = {0, model.scale} if model is sharing[0] else {model.scale}
    return tuple(number for number in numbers if number.scale in scales)
