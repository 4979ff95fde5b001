"""Which numbers of a YAML mapping are results, and what the keys above them are."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.dialects.yaml_tree import Items, Node, Pairs
from sr_bench.document.dialects.yaml_words import LABELS, STRUCTURE, header, is_setting, kind_of
from sr_bench.document.phrases import names_result
from sr_bench.document.spelling import compact, has_digit, has_number

_DECIMAL: Final = re.compile(r"[-+]?\d*\.\d+")
_NUMBER: Final = re.compile(r"[-+~<>]?\s*\.?\d(?!\d{3}-\d\d)")
_LONGEST: Final = 60
"""Characters of what is taken for a number, with its unit and spread."""


def mappings(node: Node) -> Iterator[Pairs]:
    """Yield the mapping that `node` is, or those that it lists."""
    nodes = node.nodes if isinstance(node, Items) else (node,)
    return (one for one in nodes if isinstance(one, Pairs))


def has_value(node: Node) -> bool:
    """Tell whether `node` gives a value of what its key names: ``latency: [{value: 3.1}]``."""
    return any(header(key.text) == "Value" for one in mappings(node) for key, _ in one.pairs)


def has_metrics(node: Node) -> bool:
    """Tell whether `node` has metrics of its own, as of a teacher beside those of its student."""
    return any(
        header(key.text) == "Metric" and not isinstance(value, Cell)
        for one in mappings(node)
        for key, value in one.pairs
    )


def is_zoo(node: Node) -> bool:
    """Tell whether several keys of `node`, perhaps below a scale or the like, are models."""
    pairs = node.pairs if isinstance(node, Pairs) else ()
    models = [
        key
        for key, value in pairs
        if isinstance(value, Pairs)
        and header(key.text) == key.text
        and not (kind_of(key.text) or compact(key.text) in STRUCTURE)
        and any(kind_of(part.text) == "Metric" for part, _ in value.pairs)
    ]
    return len(models) > 1 or any(
        is_zoo(value) for key, value in pairs if kind_of(key.text) not in ("", "Metric")
    )


def names_models(node: Node) -> bool:
    """Tell whether the keys of a metric are models: ``psnr: {EDSR: 30.51, RCAN: 30.62}``."""
    pairs = node.pairs if isinstance(node, Pairs) else ()
    return bool(pairs) and all(
        isinstance(value, Cell)
        and prints(value)
        and header(key.text) == key.text
        and not (kind_of(key.text) or is_setting(key.text))
        for key, value in pairs
    )


def parts_of(key: Cell, value: Node) -> Sequence[tuple[Cell, Cell]]:
    """Return the numbers of a result of several parts, such as ``{min: 0, max: 9}``."""
    title = header(key.text)
    if not isinstance(value, Pairs) or title == key.text or title in LABELS:
        return ()
    parts = [(part, number) for part, number in value.pairs if isinstance(number, Cell)]
    if any(kind_of(part.text) for part, _ in parts):
        return ()
    return [(part, number) for part, number in parts if prints(number)]


def prints(cell: Cell) -> bool:
    """Tell whether `cell` begins with a number, perhaps with a unit."""
    text = cell.text
    return len(text) <= _LONGEST and bool(_NUMBER.match(text)) and has_number(text)


def may_print(cell: Cell) -> bool:
    """Tell whether a result has a number; a cell that says more is named as unread."""
    return has_digit(cell.text) and len(cell.text) <= _LONGEST


def is_result(key: Cell, value: Cell, labels: Collection[str]) -> bool:
    """Tell whether `value` is a result, or may be one, of what `key` and `labels` above name."""
    title, kind = header(key.text), kind_of(key.text)
    if kind == "Metric":
        return may_print(value)
    if not prints(value) or (title in LABELS and title != "Metric"):
        return False
    if title != key.text or ("Metric" in labels and kind == "Dataset"):
        return True
    return not is_setting(key.text) and (
        names_result(key.text) or bool(_DECIMAL.fullmatch(value.text))
    )
