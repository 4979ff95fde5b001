"""Which way a table runs: models down or across, with datasets, metrics or scales the other way."""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.columns import IDENTITIES, Below, Column
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.meanings import precision_label
from sr_bench.document.phrases import fallback_measure, is_remark, misspelt, read_phrase
from sr_bench.document.printed_numbers import Number, read_numbers
from sr_bench.document.row_keys import are_decibels, labelled
from sr_bench.document.spelling import compact, has_digit, has_fraction, has_number, words
from sr_bench.document.units import PERCENT

_CHANGED: Final = words("change changes 变化 变化量")
_INTERPOLATIONS: Final = words("bicubic bilinear nearest lanczos bicubicinterpolation 双三次")
"""What networks are compared with."""
_NO_HEADER: Final = "it has no header"
_LEADS: Final = re.compile(r"[\W_]*[0-9]")
_LINES: Final = re.compile(r"\W*[1-9][0-9]{2,3}[pi]\W*")
_BYTES: Final = re.compile(r"\W*[0-9]+(?:[.,][0-9]+)?\s?[KMG]i?B\b", re.IGNORECASE)


def by_cells(column: Column, texts: Below) -> Column:
    """Return `column` with another role where its cells can't be what its header says."""
    if column.role in ("precision", "shape", "runtime", "device"):
        numbers = [cell for cell in texts.cells if has_digit(cell.plain)]
        if numbers and (says := _says_of(column, numbers)):
            return replace(column, role="number", says=says)
    if column.role == "number" and column.says.measures and not any(map(has_digit, texts)):
        if any(any(map(str.isalpha, text)) for text in texts):
            return Column(column.header, "unknown")
    return column


def _says_of(column: Column, cells: Sequence[Cell]) -> Dimensions | None:
    """Return what a column of mere numbers holds; None if its cells name what rows are about."""
    if column.role == "shape" and all(_BYTES.match(cell.plain) for cell in cells):
        return column.says._replace(measures=(Measure("model_size"),))
    numbers: list[Number] = []
    for cell in cells:  # most columns end it at their first cell
        values = [one for one in read_numbers(cell) if one.kind == "value"]
        if len(values) != 1:
            return None
        numbers += values
    if column.role in ("runtime", "device") or column.says.precision:
        # A time, what the hardware computes, and what is quantized; an NPU may be called 310.
        is_name = column.role == "device" and not any(map(_is_more_than_a_name, numbers))
        return None if is_name else column.says
    if all("." in one.text for one in numbers):  # Precision beside Recall
        return column.says._replace(measures=(fallback_measure(column.header),))
    return None


def _is_more_than_a_name(number: Number) -> bool:
    return "." in number.text or number.unit.upper() not in ("", *"KMGBT")


def oriented(columns: tuple[Column, ...], texts: Sequence[Below]) -> tuple[Column, ...]:
    """Return `columns` with those that name models, or are models, found by all the others."""
    columns = tuple(labelled(columns, texts))
    if not columns:
        return columns
    first, *others = columns
    if _is_sheet(columns) and _names_metrics(texts[0]):
        columns = (replace(first, role="metric"), *others)
    elif any(column.role == "model" for column in columns):
        return columns
    elif first.says.measures and first.role != "precision" and _are_names(texts[0]):
        return (replace(first, role="model"), *_of_corner(columns, texts))
    else:
        columns = (replace(first, role=_label_role(columns, texts[0])), *others)
    return _across(columns, texts)


def _is_sheet(columns: Sequence[Column]) -> bool:
    """Tell whether a table may be of labels and values, or of labels and models."""
    first = columns[0].role
    told = first == "model" or any(column.role == "number" for column in columns)
    return told and first in ("model", "unknown") and all(map(_says_nothing, columns[1:]))


def _across(columns: tuple[Column, ...], texts: Sequence[Below]) -> tuple[Column, ...]:
    """Return `columns`, those of numbers as of models if rows name all else."""
    roles = {column.role for column in columns}
    measured = "metric" not in roles and any(column.says.measures for column in columns)
    if "model" in roles or measured or roles.isdisjoint({"metric", *IDENTITIES}):
        return columns
    return tuple(
        replace(column, role="number", says=_of_a_model(column, roles))
        if column.header and _is_of_a_model(column, cells, by_metric="metric" in roles)
        else column
        for column, cells in zip(columns, texts, strict=True)
    )


def _of_a_model(column: Column, roles: Container[str]) -> Dimensions:
    """Return what a header says that is a model's name; ``INT8 (ours)`` is a precision.

    ``Change`` is one of what the rows measure.
    """
    if compact(column.header) in _CHANGED:
        return column.says._replace(measures=(Measure("loss"),), rest="")
    if precision_label(column.header):
        return column.says
    dataset = "" if "dataset" in roles else column.says.dataset  # Full DIV2K
    return column.says._replace(measures=(), model=column.header, dataset=dataset)


def _is_of_a_model(column: Column, texts: Below, *, by_metric: bool) -> bool:
    """Tell whether a column holds numbers, even below a word for remarks, such as ``Paper``.

    Where rows name the metric, ``Pruned (10%)`` is none.
    """
    if column.role == "unknown":
        return any(map(has_digit, texts))
    if by_metric and PERCENT in column.header:
        return not read_phrase(column.header.replace(PERCENT, "")).measures
    return column.role == "remark" and are_decibels(texts.cells)


def _are_names(texts: Iterable[str]) -> bool:
    """Tell whether `texts` are words, none of them with a number of a result."""
    found = list(texts)
    return bool(found) and all(any(map(str.isalpha, a)) and not has_number(a) for a in found)


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
    """Tell whether `text` has a number that is no mere part of words, as in ``night (n=9)``.

    ``720p`` is the size of images.
    """
    if _LINES.fullmatch(text):
        return False
    return has_number(text) and (bool(_LEADS.match(text)) or has_fraction(text))


def _says_nothing(column: Column) -> bool:
    empty = column.says == Dimensions(rest=column.says.rest)
    return column.role in ("number", "unknown") and empty


def _names_metrics(texts: Iterable[str]) -> bool:
    """Tell whether half of the labels, or more, name metrics; not counting sizes and the like."""
    named = [bool(read_phrase(text).measures) for text in texts if not is_remark(text)]
    return 2 * sum(named) >= len(named) > 0


def _label_role(columns: Sequence[Column], texts: Below) -> str:
    """Return what the labels of rows name: metrics, datasets, scales, precisions; or models."""
    called = any(any(map(str.isalnum, text)) for text in texts)  # by more than check marks
    if columns[0].role != "unknown" or not called or any(map(_is_result, texts)):
        return columns[0].role
    found = list(texts)
    labels = [read_phrase(text) for text in found]
    alone = [says for says in labels if not (says.measures or says.rest)]
    votes = {"metric": sum(bool(says.measures) for says in labels)}
    for role in ("dataset", "scale", "precision"):
        votes[role] = sum(bool(getattr(says, role)) for says in alone)
    votes["precision"] = max(votes["precision"], len([*filter(precision_label, found)]))
    best = max(votes, key=lambda role: votes[role])
    if 2 * votes[best] > len(labels):
        return best
    named = any(column.role == "number" and not _says_nothing(column) for column in columns)
    return "model" if named else "unknown"


def unmeasured(column: Column, texts: Iterable[str]) -> Column:
    """Return a column of an unknown header over numbers as one of a metric of that name."""
    if column.role != "unknown" or column.told or not any(map(has_digit, texts)):
        return column
    if _counts(texts) if not column.header else not any(map(_may_be_result, texts)):
        return replace(column, role="remark")  # EDSR_x2.pt, 800 of them in a sentence
    if not column.header:
        return replace(column, fault=_NO_HEADER)
    if title := misspelt(column.header):
        return replace(column, fault=f"no column of this name is read; did you mean {title!r}?")
    if compact(column.header) in _INTERPOLATIONS:
        return replace(column, role="number", says=column.says._replace(model=column.header))
    says = column.says._replace(measures=(fallback_measure(column.header),))
    return replace(column, role="number", says=says)


def _counts(texts: Iterable[str]) -> bool:
    """Tell whether `texts` are the numbers of rows, in any order, from 0 or 1."""
    found = sorted(int(text) for text in texts if text.isdecimal() and text.isascii())
    return bool(found) and found[0] in (0, 1) and found == list(range(found[0], found[-1] + 1))


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
