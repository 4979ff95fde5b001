"""Write an int8 plan into the text of a card.toml, leaving every other byte alone."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from sr_bench.errors import CardError
from sr_bench.text.toml import comment, pair, parsed

_MODEL = re.compile(r"""[ \t]*\[\[\s*["']?model["']?\s*\]\]""")
_INT8 = re.compile(r"""[ \t]*\[\s*["']?model["']?\s*\.\s*["']?int8["']?\s*\]""")
_OWN = re.compile(r"""[ \t]*\[+\s*["']?model["']?\s*\.""")
_HEADER = re.compile(r"[ \t]*\[")
_MARK = "#  Found by sr-bench plan"
_MOST_LINES = 400  # that the value of a key may take


def with_plan(
    text: str, model: str, values: Mapping[str, object], provenance: str, *, path: Path
) -> str:
    """Return `text` with `values` as keys of ``[model.int8]`` of the model called `model`.

    Where `text` is no card, but holds that table alone or nothing, `model` is empty.
    A key of an empty value is left out. `provenance`, which starts with "Found by sr-bench plan",
    becomes the comment before them; one that an earlier search left goes.

    Raises:
        CardError: The table is written in a way that can't be edited here.
    """
    if text.count("\n") == text.count("\r\n") > 0:
        unix = with_plan(text.replace("\r\n", "\n"), model, values, provenance, path=path)
        return unix.replace("\n", "\r\n")
    wanted = parsed(text)
    number, owner = _owner(wanted, model)
    plan = cast(dict[str, object], owner.setdefault("int8", {}))
    for key, value in values.items():
        plan.pop(key, None)
        if value:
            plan[key] = value
    lines = re.split(r"(?<=\n)", text)
    added = [*comment(provenance, first="#  "), *(pair(k, v) for k, v in values.items() if v)]
    try:
        first, last = _model_lines(lines, number) if model else (0, len(lines))
        edited = [*lines[:first], *_edited(lines[first:last], values, added), *lines[last:]]
        result = "".join(edited)
        if parsed(result) == wanted:
            return result
    except (IndexError, tomllib.TOMLDecodeError):
        pass
    told = "".join(f"\n    {line}" for line in added)
    msg = f"{path}: expected a table [model.int8] of its own; write the plan there by hand:{told}"
    raise CardError(msg)


def _owner(wanted: dict[str, object], model: str) -> tuple[int, dict[str, object]]:
    """Return the number and the table of a model."""
    if not model:
        return 0, cast(dict[str, object], wanted.setdefault("model", {}))
    models = cast(list[dict[str, object]], wanted["model"])
    return next((i, table) for i, table in enumerate(models) if table["name"] == model)


def _model_lines(lines: list[str], model: int) -> tuple[int, int]:
    """Return the first line of a model, and the line after its last."""
    starts = [number for number, line in enumerate(lines) if _MODEL.match(line)]
    first = starts[model]
    following = (
        number
        for number in range(first + 1, len(lines))
        if _HEADER.match(lines[number]) and not _OWN.match(lines[number])
    )
    return first, next(following, len(lines))


def _edited(lines: list[str], values: Mapping[str, object], added: list[str]) -> Iterator[str]:
    """Yield the lines of one model with `added` at the head of its int8 table."""
    new = [f"{line}\n" for line in added]
    head = next((number for number, line in enumerate(lines) if _INT8.match(line)), None)
    if head is None:
        # Before the first table of its own, or at the end.
        tables = [n for n, line in enumerate(lines) if n and _HEADER.match(line)]
        place = tables[0] if tables else len(lines)
        yield from lines[:place]
        blank = [] if not place or not lines[place - 1].strip() else ["\n"]
        yield from [*blank, "[model.int8]\n", *new, *(["\n"] if place < len(lines) else [])]
        yield from lines[place:]
        return
    end = next((n for n in range(head + 1, len(lines)) if _HEADER.match(lines[n])), len(lines))
    yield from [*lines[: head + 1], *new, *_without(lines[head + 1 : end], values), *lines[end:]]


def _without(lines: list[str], keys: Mapping[str, object]) -> Iterator[str]:
    """Yield the lines of a table without those `keys`, and without an earlier search's comment."""
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith(_MARK):
            number += 1
            while number < len(lines) and lines[number].startswith("#  "):
                number += 1
            continue
        key = re.match(r"""[ \t]*["']?([\w-]+)["']?\s*=""", line)
        if key and key[1] in keys:
            number += _length(lines[number:])
            continue
        yield line
        number += 1


def _length(lines: list[str]) -> int:
    """Return how many lines the key at the head of `lines` takes: what parses is whole."""
    for count in range(1, min(len(lines), _MOST_LINES) + 1):
        try:
            tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        return count
    raise IndexError
