"""Find the card.toml files that are ours; a file of someone else's may have the same name."""

import re
from collections.abc import Mapping
from pathlib import Path

from sr_bench.cards import CARD
from sr_bench.errors import CardError
from sr_bench.files.toml import read_toml

_OWN_KEYS = ("ignore_rows", "ignore_columns", "ignore_tables", "waive")
"""Nobody else's; `schema` and `model` may be another format's words for other things."""

_MODEL_KEYS = frozenset(
    ("row", "scale", "architecture", "onnx", "cost", "evaluation", "checkpoint")
)

_OWN_LINE = re.compile(rb"""^\s*(schema\s*=\s*["']?\d|\[\[?\s*model\s*[].])""", re.MULTILINE)


def find_cards(folder: Path) -> list[Path]:
    """Return the sorted paths of the cards below `folder`, at any depth."""
    return [path for path in sorted(folder.rglob(CARD)) if is_ours(path)]


def is_ours(path: Path) -> bool:
    """Tell whether the file at `path` is meant to be a card, with or without faults.

    One slip must not make a card vanish. So it is ours if it has a number as its `schema`, or a
    table `model`, or a key that only cards have, or under any name tables that read like models;
    a file that is not TOML, or UTF-16, if one of its lines looks like the first two. One that can't
    be opened counts as ours: its collection says why.
    """
    try:
        table = read_toml(path, CardError)
    except CardError:
        return _looks_ours(path)
    return (
        _is_number(table.get("schema"))
        or bool(_tables(table.get("model")))
        or any(key in table for key in _OWN_KEYS)
        or any(len(_MODEL_KEYS & each.keys()) > 1 for v in table.values() for each in _tables(v))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdecimal())


def _tables(value: object) -> list[Mapping[str, object]]:
    """Return `value` if it is a table, or those in it if it is an array."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, dict)]


def _looks_ours(path: Path) -> bool:
    try:
        text = path.read_bytes() if path.is_file() else b""
        return bool(_OWN_LINE.search(text.replace(b"\0", b"")))  # UTF-16 then reads as ASCII
    except OSError:
        return True
