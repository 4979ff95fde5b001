"""A document as the cards that bind it want it read."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sr_bench.cards import CARD
from sr_bench.cards.load import load_card
from sr_bench.core.card import SuiteCard
from sr_bench.core.ignored import ignored_by_all
from sr_bench.document.tables import Document, read_document
from sr_bench.errors import CardError


def read_bound(path: Path) -> Document:
    """Return the document at `path` with what its cards tell of its tables, and leave out.

    What only some of several cards leave out is read, as the others may bind it.

    Raises:
        DocumentError: It can't be read.
    """
    document = read_document(path)
    cards = tuple(cards_of(path))
    told = tuple(table for card in cards for table in card.told)
    return replace(document, told=told, ignored=ignored_by_all([card.ignored for card in cards]))


def cards_of(document: Path) -> Iterator[SuiteCard]:
    """Yield the sound cards below the folder of `document` that bind it."""
    place = document.resolve()
    for path in sorted(document.absolute().parent.rglob(CARD)):
        with suppress(CardError):
            card = load_card(path)
            if card.document.resolve() == place:
                yield card
