"""What a card tells of a table, held against the table: roles and meanings by header and row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final

from sr_bench.core.ignored import spelled_alike
from sr_bench.core.told import Meanings, ToldTable
from sr_bench.document.columns import IDENTITIES, Column
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import fallback_measure, read_phrase

ROLES: Final = ("model", *IDENTITIES, "metric", "value", "remark")
_IGNORE: Final = "ignore"
_FIELDS: Final = ("model", "dataset", "scale", "precision", "device")
_KEY: Final = re.compile(r"(?P<key>[a-z]+)\s*:\s*(?P<value>.*\S)\s*", re.DOTALL)
_EXPECTED: Final = (
    f"expected one of {', '.join(ROLES)}; 'ignore: why'; 'model: NAME'; or a metric such as 'psnr',"
    " 'psnr/ssim @ Set5 x2', 'params [K]'; '@ Set5' where rows name the metric"
)


@dataclass(frozen=True)
class ToldMeaning:
    """What a card says that a column or a row is."""

    role: str = "number"
    says: Dimensions = field(default_factory=Dimensions)
    ignored: str = ""
    """Why its numbers are left out; empty if they are not."""


def read_meaning(text: str) -> ToldMeaning:
    """Return what `text` of a card means.

    Raises:
        ValueError: It means nothing; the message says what was expected.

    >>> read_meaning("psnr @ Set5 x2").says.dataset, read_meaning("psnr; model: A").says.model
    ('Set5', 'A')
    """
    word = text.strip()
    if ";" in word and not word.startswith(_IGNORE):
        first, *more = map(read_meaning, word.split(";"))
        return replace(first, says=reduce(lambda says, one: one.says.over(says), more, first.says))
    if word in ROLES:
        return ToldMeaning("number" if word == "value" else word)
    if match := _KEY.fullmatch(word):
        key, value = match["key"], match["value"]
        if key == _IGNORE:
            return ToldMeaning("remark", ignored=value)
        if key in _FIELDS:
            return ToldMeaning("number", _field(key, value))
    measures, _, others = word.partition("@")
    if not word.strip("@ ") or "?" in word:
        raise ValueError(_EXPECTED)
    return ToldMeaning("number", _others(others)._replace(measures=_measures(measures)))


def _measures(text: str) -> tuple[Measure, ...]:
    """Return the metrics that ``psnr/ssim`` or ``params [K]`` name, one for each part."""
    said = read_phrase(text).measures
    return said or tuple(fallback_measure(part) for part in text.split("/") if part.strip())


def _others(text: str) -> Dimensions:
    says = read_phrase(text)
    # A dataset may be called anything.
    return says._replace(dataset=says.dataset or says.rest, rest="", measures=())


def _field(key: str, value: str) -> Dimensions:
    said: object = value
    if key in ("scale", "precision"):
        said = getattr(read_phrase(f"x{value.strip('x')}" if key == "scale" else value), key)
    if not said:
        raise ValueError(_EXPECTED)
    return Dimensions(**{key: said})  # type: ignore[arg-type] # the type of that field


def whole_table(told: ToldTable) -> Dimensions:
    """Return what `told` says of all numbers of its table; raises ValueError for a bad spelling."""
    precision = _field("precision", told.precision).precision if told.precision else None
    measures = _measures(told.metric) if told.metric else ()
    return Dimensions(
        measures, told.model, precision=precision, dataset=told.dataset, scale=told.scale
    )


def told_of(tables: Sequence[ToldTable], grid: Grid) -> ToldTable | None:
    """Return the first of `tables` that means `grid`, by all that it names its table by."""
    return next((told for told in tables if _fits(told, grid)), None)


def _fits(told: ToldTable, grid: Grid) -> bool:
    named = (
        (told.heading, spelled_alike(told.heading, grid.heading)),
        (told.line, told.line == grid.line),
        (told.header, spelled_alike(told.header, grid.title)),
    )
    return any(value for value, _ in named) and all(fit for value, fit in named if value)


def meaning_of(meanings: Meanings, text: str) -> ToldMeaning | None:
    """Return what `meanings` says of a header or a label; None if nothing."""
    found = (means for name, means in meanings.items() if spelled_alike(name, text))
    return next(map(read_meaning, found), None)


def told_columns(columns: Sequence[Column], told: ToldTable) -> tuple[Column, ...]:
    """Return `columns` as the card tells them, by place or header; of others the header counts."""
    meanings = (
        meaning_of(told.columns, place(number)) or meaning_of(told.columns, column.header)
        for number, column in enumerate(columns, 1)
    )
    return tuple(map(_told, columns, meanings))


def place(number: int) -> str:
    """Return what a card calls the 1-based column `number` that no header of its own names."""
    return f"column {number}"


def _told(column: Column, means: ToldMeaning | None) -> Column:
    if means is None:
        return column
    says = means.says.over(column.says) if means.role == "number" else means.says
    return Column(column.header, means.role, says, ignored=means.ignored, told=True)


def spelling_faults(told: ToldTable) -> Iterator[str]:
    """Yield what is wrong with the spellings of a card's table."""
    if not told.name:
        yield "expected heading, line or header, to say which table is meant"
    for key, meanings in (("columns", told.columns), ("rows", told.rows)):
        for name, text in meanings.items():
            try:
                read_meaning(text)
            except ValueError as cause:
                yield f"{key}.{name!r}: {cause}, got {text!r}"
    for key in ("model", "metric", "dataset"):
        if "?" in (text := getattr(told, key)):
            yield f"{key}: expected what the ? stands for, got {text!r}"
    try:
        whole_table(told)
    except ValueError:
        yield f"precision: expected one such as fp32 or int8_max, got {told.precision!r}"
