"""Which way a table runs: models down or across, with datasets, metrics or scales the other way."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.columns import IDENTITIES, Column
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.lexicon import SR_DATASETS
from sr_bench.document.phrases import fallback_measure, misspelt, read_phrase
from sr_bench.document.spelling import compact, has_digit, has_number

_NO_HEADER: Final = "it has no header"
_PLAIN: Final = re.compile(
    r"[~\u2248]?\s?[0-9]+(?:[.,][0-9]+)?\s?(?:[mu\u03bcn]?s|%|dB)?[*\u2020]?"
)
_DECIMAL: Final = re.compile(r"\W*[0-9]*[.,][0-9]+\W*")
_LEADS: Final = re.compile(r"[\W_]*[0-9]")
_FRACTION: Final = re.compile(r"[0-9][.,][0-9]")
_FEW: Final = 2
_DECIBELS: Final = re.compile(r"(?:1[5-9]|[2-5][0-9])\.[0-9]{1,4}(?:\s?/\s?0?\.[0-9]{1,6})?")
"""Alone, or beside an SSIM."""
_BYTES: Final = re.compile(r"\W*[0-9]+(?:[.,][0-9]+)?\s?[KMG]i?B\W*", re.IGNORECASE)


@dataclass(frozen=True)
class Below:
    """The texts of one column that are not blank; read as far as they are asked for."""

    rows: Sequence[Sequence[Cell]]
    index: int
    width: int

    def __iter__(self) -> Iterator[str]:
        cells = (row[self.index] for row in self.rows if len(row) == self.width)
        return (cell.plain for cell in cells if cell.plain)


def by_cells(column: Column, texts: Iterable[str]) -> Column:
    """Return `column` with another role where its cells can't be what its header says."""
    if column.role in ("precision", "shape", "runtime", "device"):
        numbers = [text for text in texts if has_digit(text)]
        if numbers and (says := _says_of(column, numbers)):
            return replace(column, role="number", says=says)
    if column.role == "number" and column.says.measures and not any(map(has_digit, texts)):
        if any(any(map(str.isalpha, text)) for text in texts):
            return Column(column.header, "unknown")
    return column


def _says_of(column: Column, texts: Sequence[str]) -> Dimensions | None:
    """Return what a column of mere numbers holds; None if its cells name what rows are about."""
    if column.role in ("runtime", "device") or column.says.precision:
        # A time, what the hardware computes, and what is quantized.
        # An NPU may be called 310.
        named = column.role == "device" and not any(map(_DECIMAL.fullmatch, texts))
        return None if named or not all(map(_PLAIN.fullmatch, texts)) else column.says
    if all(map(_DECIMAL.fullmatch, texts)):  # Precision beside Recall
        return column.says._replace(measures=(fallback_measure(column.header),))
    if all(map(_BYTES.fullmatch, texts)):
        return column.says._replace(measures=(Measure("model_size"),))
    return None


def of_benchmarks(
    columns: tuple[Column, ...], texts: Sequence[Iterable[str]]
) -> tuple[Column, ...]:
    """Return `columns` with those on benchmarks, of which nothing names the metric, as of PSNR.

    That is so where two benchmarks and more are across or down, and all their numbers can be
    decibels: no other metric of these data sets is near 30.
    """
    unsaid = [
        n
        for n, column in enumerate(columns)
        if column.role == "number" and not column.says.measures
    ]
    found = [n for n in unsaid if _is_benchmark(columns[n].says.dataset)]
    if not found and any(map(_are_benchmarks, columns, texts)):
        found = unsaid
    elif len(found) < _FEW:
        return columns
    if not all(_are_decibels(texts[n]) for n in found):
        return columns
    psnr = (Measure("psnr"),)
    return tuple(
        replace(column, says=column.says._replace(measures=psnr)) if n in found else column
        for n, column in enumerate(columns)
    )


def _is_benchmark(dataset: str) -> bool:
    return compact(dataset).startswith(SR_DATASETS)


def _are_benchmarks(column: Column, texts: Iterable[str]) -> bool:
    """Tell whether the rows of a column are called by two benchmarks and more, and nothing else."""
    names = list(texts) if column.role == "dataset" else []
    return len(set(names)) >= _FEW and all(map(_is_benchmark, names))


def _are_decibels(texts: Iterable[str]) -> bool:
    numbers = [text.strip("*~ ") for text in texts if has_digit(text)]
    return bool(numbers) and all(map(_DECIBELS.fullmatch, numbers))


def oriented(columns: tuple[Column, ...], texts: Sequence[Iterable[str]]) -> tuple[Column, ...]:
    """Return `columns` with those that name models, or are models, found by all the others."""
    roles = {column.role for column in columns}
    unsaid = columns and all(map(_says_nothing, columns[1:]))
    # Values, or models of which the first column's header says that they are.
    told = columns and ("number" in roles or columns[0].role == "model")
    if unsaid and told and columns[0].role in ("model", "unknown"):
        if _names_metrics(texts[0]):
            columns, roles = (replace(columns[0], role="metric"), *columns[1:]), {"metric"}
    if "model" in roles or not columns:
        return columns
    if columns[0].says.measures and _are_names(texts[0]):
        return (replace(columns[0], role="model"), *_of_corner(columns, texts))
    measured = any(column.says.measures for column in columns)
    named = any(column.role == "number" and not _says_nothing(column) for column in columns)
    first = columns[0]
    if first.role == "unknown" and any(texts[0]) and not any(map(_is_result, texts[0])):
        role = _label_role(texts[0])
        if role != "model" or named:
            columns = (replace(first, role=role), *columns[1:])
    roles = {column.role for column in columns}
    measured = measured and "metric" not in roles
    if "model" in roles or measured or roles.isdisjoint({"metric", *IDENTITIES}):
        return columns
    return tuple(
        replace(column, role="number", says=column.says._replace(model=column.header))
        if column.role == "unknown" and column.header and any(map(has_digit, cells))
        else column
        for column, cells in zip(columns, texts, strict=True)
    )


def _are_names(texts: Iterable[str]) -> bool:
    """Tell whether `texts` are words, none of them with a number of a result."""
    found = list(texts)
    return bool(found) and all(
        any(map(str.isalpha, text)) and not has_number(text) for text in found
    )


def _of_corner(columns: tuple[Column, ...], texts: Sequence[Iterable[str]]) -> Iterator[Column]:
    """Yield all but the first column; the header above the labels names the metric of the others.

    So ``NME | common | challenge``, over labels and numbers: parts of a data set.
    """
    for column, cells in zip(columns[1:], texts[1:], strict=True):
        if column.role == "unknown" and any(map(has_digit, cells)):
            measure = fallback_measure(f"{columns[0].header} {column.header}")
            says = column.says._replace(measures=(measure,))
            yield replace(column, role="number", says=says)
        else:
            yield column


def _is_result(text: str) -> bool:
    return _may_be_result(text) and not read_phrase(text).scale


def _may_be_result(text: str) -> bool:
    """Tell whether `text` has a number that is no mere part of words, as in ``night (n=9)``."""
    return has_number(text) and bool(_LEADS.match(text) or _FRACTION.search(text))


def _says_nothing(column: Column) -> bool:
    empty = column.says == Dimensions(rest=column.says.rest)
    return column.role in ("number", "unknown") and empty


def _names_metrics(texts: Iterable[str]) -> bool:
    """Tell whether half of the labels, or more, name metrics."""
    named = [bool(read_phrase(text).measures) for text in texts]
    return 2 * sum(named) >= len(named) > 0


def _label_role(texts: Iterable[str]) -> str:
    """Return what the labels of rows name: metrics, datasets, scales, precisions; or models."""
    votes = dict.fromkeys(("metric", "dataset", "scale", "precision"), 0)
    count = 0
    for count, text in enumerate(texts, 1):  # noqa: B007 - their number
        says = read_phrase(text)
        votes["metric"] += bool(says.measures)
        for role in ("dataset", "scale", "precision"):
            votes[role] += bool(getattr(says, role)) and not (says.measures or says.rest)
    best = max(votes, key=lambda role: votes[role])
    return best if 2 * votes[best] > count else "model"


def unmeasured(column: Column, texts: Iterable[str]) -> Column:
    """Return a column of an unknown header over numbers as one of a metric of that name."""
    if column.role != "unknown" or column.told or not any(map(has_digit, texts)):
        return column
    if column.header and not any(map(_may_be_result, texts)):
        return replace(column, role="remark")  # EDSR_x2.pt, 800 of them in a sentence
    if not column.header:
        return replace(column, fault=_NO_HEADER)
    if title := misspelt(column.header):
        return replace(column, fault=f"no column of this name is read; did you mean {title!r}?")
    says = column.says._replace(measures=(fallback_measure(column.header),))
    return replace(column, role="number", says=says)


def without_doubles(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return `columns` with a fault for each of numbers that means the same as one before it.

    A second one of models, shapes or the like may tell rows apart.
    """
    firsts: dict[object, Column] = {}
    return tuple(_checked(column, firsts) for column in columns)


def _checked(column: Column, firsts: dict[object, Column]) -> Column:
    if column.role in ("remark", "unknown") or column.fault:
        return column
    if column.role != "number":
        first = firsts.setdefault(column.role, column)
        return column if first is column else replace(column, role="remark")
    first = firsts.setdefault(column.says, column)
    if first is column or not column.says.measures:
        return column
    names = "/".join(measure.metric for measure in column.says.measures)
    fault = f"{first.header!r} is a {names} column already; only one is read"
    return replace(column, role="unknown", fault=fault)
