"""Node ids: which of them are of a card."""

from sr_bench.cards import CARD


def is_ours(nodeid: str) -> bool:
    """Return whether the item `nodeid` is of a card."""
    return card_of(nodeid).rpartition("/")[2] == CARD


def card_of(nodeid: str) -> str:
    """Return the path in `nodeid`, which is that of a card if it `is_ours`."""
    return nodeid.partition("::")[0]
