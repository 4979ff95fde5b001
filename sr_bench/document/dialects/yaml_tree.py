"""Read YAML into nodes that know where they stand; no tag is obeyed, and no alias followed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from sr_bench.document.cell import BOM, Cell, Places
from sr_bench.errors import DocumentError

# The one in C is ten times as fast; either only parts the text here, and builds no object.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 50
_BLOCK: Final = re.compile(r"[|>][^\n]*\s*")
_PROPERTIES: Final = re.compile(r"(?:[!&]\S*\s+)*")


@dataclass(frozen=True)
class Items:
    """A sequence, or the documents of a text."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Pairs:
    """A mapping, without the pairs whose key is no scalar."""

    pairs: tuple[tuple[Cell, "Node"], ...]


Node = Cell | Items | Pairs
"""A scalar is the cell of its text, without quotes; that of an alias is empty."""


def read_tree(places: Places) -> Items:
    """Return the documents of a YAML text.

    Raises:
        DocumentError: It is not YAML, or nested deeper than 50 levels.
    """
    shift = int(places.text.startswith(BOM))  # which libyaml does not count
    try:
        return _documents(places, yaml.parse(places.text[shift:], Loader=_LOADER), shift)
    except (yaml.YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        offset = _offset(mark, shift) if mark else shift + getattr(error, "position", 0)
        cell = places.cell(offset, offset)
        problem = getattr(error, "problem", None) or getattr(error, "reason", "") or "no YAML"
        msg = f"{places.path}:{cell.line}:{cell.column}: expected YAML: {problem}"
        raise DocumentError(msg) from None


def _documents(places: Places, events: Iterator[yaml.Event], shift: int) -> Items:
    levels: list[list[Node]] = [[]]
    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            levels[-1].append(_scalar(places, event, shift))
        elif isinstance(event, yaml.AliasEvent):
            levels[-1].append(_empty(places, _offset(event.start_mark, shift)))
        elif isinstance(event, yaml.CollectionStartEvent):
            levels.append([])
            if len(levels) > _DEEPEST:
                cell = _empty(places, _offset(event.start_mark, shift))
                most = f"YAML of at most {_DEEPEST} levels, got a deeper one"
                msg = f"{places.path}:{cell.line}:{cell.column}: expected {most}"
                raise DocumentError(msg)
        elif isinstance(event, yaml.CollectionEndEvent):
            nodes = tuple(levels.pop())
            is_mapping = isinstance(event, yaml.MappingEndEvent)
            levels[-1].append(_pairs(nodes) if is_mapping else Items(nodes))
    return Items(tuple(levels[0]))


def _offset(mark: Any, shift: int) -> int:
    return int(mark.index) + shift


def _pairs(nodes: tuple[Node, ...]) -> Pairs:
    pairs = zip(nodes[::2], nodes[1::2], strict=True)
    return Pairs(tuple((key, value) for key, value in pairs if isinstance(key, Cell)))


def _empty(places: Places, offset: int) -> Cell:
    return places.cell(offset, offset, "verbatim")


def _scalar(places: Places, event: yaml.ScalarEvent, shift: int) -> Cell:
    """Return the stretch of a scalar inside its quotes, or below its sign; of lines as one."""
    start, end = _offset(event.start_mark, shift), _offset(event.end_mark, shift)
    if match := _PROPERTIES.match(places.text, start, end):
        start = match.end()
    if event.style in ("|", ">"):
        inside = _BLOCK.match(places.text, start, end)
        start = inside.end() if inside else end
        end = start + len(places.text[start:end].rstrip())
    quotes = int(event.style in ("'", '"'))
    if start + quotes > end - quotes:
        return _empty(places, end)
    return places.cell(start + quotes, end - quotes, "verbatim")
