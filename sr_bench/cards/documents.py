"""A document as the cards that bind it want it read."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sr_bench.cards.find import find_cards
from sr_bench.cards.load import load_card
from sr_bench.core.told import ToldTable
from sr_bench.document.tables import Document, read_document
from sr_bench.errors import CardError


def read_told(path: Path) -> Document:
    """Return the document at `path` with what the sound cards below its folder say of its tables.

    Raises:
        DocumentError: It can't be read.
    """
    document = read_document(path)
    told: list[ToldTable] = []
    for card_path in find_cards(path.absolute().parent):
        with suppress(CardError):
            card = load_card(card_path)
            if card.document.resolve() == path.resolve():
                told += card.told
    return replace(document, told=tuple(told))
