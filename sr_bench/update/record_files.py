"""Find the document and the card that a record of an earlier run is about."""

from collections.abc import Iterable
from pathlib import Path

from sr_bench.cards import CARD
from sr_bench.core.record import Record
from sr_bench.errors import CardError


def card_path(record: Record, beside: Path | None = None) -> Path:
    """Return the path of the card that `record` names, relative to where pytest was started.

    Where there is none, as earlier versions named it from pytest's root, the card beside the
    document `beside` is taken.

    Raises:
        CardError: There is no such file.
    """
    named = from_home(record.node_id.partition("::")[0])
    folders = [beside.parent] if beside else []
    for path in (named, *(folder / named.name for folder in folders)):
        if path.is_file() and path.name == CARD:
            return path
    msg = (
        f"{named}: expected the card of {record.model}, got no file; run this in the folder that"
        " the tests were started in"
    )
    raise CardError(msg)


def about(document: Path, records: Iterable[Record]) -> list[Record]:
    """Return those of `records` that are about a place in `document`."""
    home, places = document.resolve(), ((one, one.source) for one in records)
    return [one for one, place in places if place and from_home(place.path).resolve() == home]


def from_home(text: str) -> Path:
    """Return the path `text`, whose home folder was spelled ``~`` to keep it out of records."""
    return Path.home() / text[2:] if text.startswith("~/") else Path(text)
