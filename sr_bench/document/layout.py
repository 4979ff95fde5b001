"""Which way a table runs: models down or across, with datasets, metrics or scales the other way."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from sr_bench.core.ignored import Ignored
from sr_bench.core.told import ToldTable
from sr_bench.document.columns import IDENTITIES, IGNORED, Body, Column, body_of, read_columns
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.grids import Grid
from sr_bench.document.numbers_in_cells import prints_pair
from sr_bench.document.phrases import fallback_measure, misspelt, read_phrase
from sr_bench.document.results import looks_like_results
from sr_bench.document.spelling import compact, folded, has_digit, has_number
from sr_bench.document.told import told_columns, whole_table

_NO_MODELS: Final = "no column, row or heading of it names the models that its numbers are of"
_NO_METRICS: Final = "no header, row or caption of it names a metric, such as PSNR(dB) or Params(M)"
_NO_HEADER: Final = "it has no header"
# What lists of files, options and packages have too.
_WEAK: Final = frozenset({"name", "names", "net", "variant", "experiment", "名称"})
# Headings made of these alone name no model.
_GENERIC: Final = frozenset(
    {"", "results", "result", "performance", "accuracy", "specification", "specifications", "on"}
    | {"benchmark", "benchmarks", "evaluation", "metrics", "model", "models", "zoo", "info", "and"}
    | {"readme", "introduction", "overview", "summary", "table", "comparison", "of", "the", "test"}
    | {
        "quality",
        "quantitative",
        "experiments",
        "模型",
        "模型性能",
        "结果",
        "性能",
        "精度",
        "模型精度",
    }
)
_DECIMAL: Final = re.compile(r"\W*[0-9]*[.,][0-9]+\W*")
_NAME: Final = re.compile(r"(?=.*[A-Z0-9].*[A-Z0-9])\S+")


@dataclass(frozen=True, eq=False)
class Layout:
    """A table with what its columns are, and what is so of all of its numbers."""

    grid: Grid
    body: Body
    columns: tuple[Column, ...]
    says: Dimensions
    """Of numbers whose column and row don't say it: by the card, the caption, the heading."""
    told: ToldTable | None
    results: bool
    """Whether its headers, or most of its cells, show that it is about results of models."""

    @cached_property
    def roles(self) -> frozenset[str]:
        """What its columns are."""
        return frozenset(column.role for column in self.columns)

    @cached_property
    def model_column(self) -> int | None:
        """The column whose cells name models."""
        roles = [column.role for column in self.columns]
        return roles.index("model") if "model" in roles else None

    @cached_property
    def label_column(self) -> int:
        """The column whose cell a row is called by."""
        return self.model_column or 0

    @property
    def is_read(self) -> bool:
        """Whether its numbers can be read, as far as the table as a whole tells."""
        return self.results and not self.fault

    def is_about(self, models: frozenset[str]) -> bool:
        """Whether it is about results, perhaps of `models` that other tables have."""
        return self.results or looks_like_results(self.grid, models)

    @cached_property
    def names_precisions(self) -> bool:
        """Whether a column or a header names precisions: then no heading tells that of all."""
        return "precision" in self.roles or any(c.says.precision for c in self.columns)

    @cached_property
    def fault(self) -> str:
        """Why none of its numbers can be read."""
        if self.grid.shapeless:
            return self.grid.shapeless
        numbers = [column for column in self.columns if column.role == "number"]
        modelled = self.model_column is not None or any(column.says.model for column in numbers)
        if not modelled and (not self.says.model or not numbers):
            return _NO_MODELS
        return _NO_METRICS if self.lacks_metrics else ""

    @cached_property
    def lacks_metrics(self) -> bool:
        """Whether no header, row, caption or cell names the metric of any of its numbers."""
        measured = self.says.measures or "metric" in self.roles
        if measured or any(column.says.measures for column in self.columns):
            return False
        return not self._prints_pairs()

    def _prints_pairs(self) -> bool:
        """Tell whether a cell shows its metrics by itself, as 37.89/0.9602 does."""
        return any(
            column.role == "number" and prints_pair(cell)
            for row in self.body.rows
            for column, cell in zip(self.columns, row, strict=False)
        )


def without(layout: Layout, ignored: Ignored) -> Layout:
    """Return `layout` with columns that the card ignores as remarks; models stay what they are."""
    if not ignored.columns:
        return layout
    columns = (
        replace(column, role="remark", fault=IGNORED)
        if column.role != "model" and ignored.column(column.header)
        else column
        for column in layout.columns
    )
    return replace(layout, columns=tuple(columns))


def read_layout(grid: Grid, told: ToldTable | None, title: str) -> Layout:
    """Return how `grid` is to be read.

    Args:
        grid: Any table.
        told: What the card tells of it.
        title: Of the document.
    """
    body = body_of(grid)
    columns = read_columns(body.headers)
    texts = _below(body, len(columns))
    columns = tuple(_by_cells(*pair) for pair in zip(columns, texts, strict=True))
    if told:
        columns = told_columns(columns, told)
    columns = _oriented(columns, texts)
    results = bool(told) or _is_results(grid, columns)
    if results and any(c.role == "model" or c.says.measures or c.told for c in columns):
        columns = tuple(_unmeasured(*pair) for pair in zip(columns, texts, strict=True))
    says = _around(grid, title)
    says = whole_table(told).over(says) if told else says
    return Layout(grid, body, _without_doubles(columns), says, told, results)


def _below(body: Body, width: int) -> list[list[str]]:
    """Return the texts of each column that are not blank."""
    rows = [row for row in body.rows if len(row) == width]
    return [[row[n].plain for row in rows if row[n].plain] for n in range(width)]


def _by_cells(column: Column, texts: Sequence[str]) -> Column:
    """Return `column` with another role where its cells can't be what its header says."""
    numbers = [text for text in texts if has_digit(text)]
    if column.role in ("precision", "shape") and numbers:
        # Precision beside Recall, and Size of a file.
        if all(_DECIMAL.fullmatch(text) for text in numbers):
            says = replace(column.says, measures=(fallback_measure(column.header),))
            return replace(column, role="number", says=says)
    if column.role == "number" and column.says.measures and texts and not numbers:
        wordy = any(any(map(str.isalpha, text)) for text in texts)
        return Column(column.header, "unknown") if wordy else column
    return column


def _oriented(columns: tuple[Column, ...], texts: Sequence[Sequence[str]]) -> tuple[Column, ...]:
    """Return `columns` with those that name models, or are models, found by all the others."""
    roles = {column.role for column in columns}
    if "model" in roles or not columns:
        return columns
    measured = any(column.says.measures for column in columns)
    named = any(column.role == "number" for column in columns)
    first = columns[0]
    if first.role == "unknown" and texts[0] and not any(map(_is_result, texts[0])):
        role = _label_role(texts[0])
        if role != "model" or named:
            columns = (replace(first, role=role), *columns[1:])
    roles = {column.role for column in columns}
    measured = measured and "metric" not in roles
    if "model" in roles or measured or roles.isdisjoint({"metric", *IDENTITIES}):
        return columns
    return tuple(
        replace(column, role="number", says=replace(column.says, model=column.header))
        if column.role == "unknown" and column.header and any(map(has_digit, cells))
        else column
        for column, cells in zip(columns, texts, strict=True)
    )


def _is_result(text: str) -> bool:
    return has_number(text) and not read_phrase(text).scale


def _label_role(texts: Sequence[str]) -> str:
    """Return what the labels of rows name: metrics, datasets, scales, precisions; or models."""
    votes = dict.fromkeys(("metric", "dataset", "scale", "precision"), 0)
    for text in texts:
        says = read_phrase(text)
        votes["metric"] += bool(says.measures)
        for role in ("dataset", "scale", "precision"):
            votes[role] += bool(getattr(says, role)) and not (says.measures or says.rest)
    best = max(votes, key=lambda role: votes[role])
    return best if 2 * votes[best] > len(texts) else "model"


def _is_results(grid: Grid, columns: Sequence[Column]) -> bool:
    if any(c.role == "model" and compact(c.header) not in {"", *_WEAK} for c in columns):
        return True
    return any(c.says.measures for c in columns) or looks_like_results(grid)


def _unmeasured(column: Column, texts: Sequence[str]) -> Column:
    """Return a column of an unknown header over numbers as one of a metric of that name."""
    if column.role != "unknown" or column.told or not any(map(has_digit, texts)):
        return column
    if column.header and not any(map(has_number, texts)):
        return replace(column, role="remark")  # EDSR_x2.pt
    if not column.header:
        return replace(column, fault=_NO_HEADER)
    if title := misspelt(column.header):
        return replace(column, fault=f"no column of this name is read; did you mean {title!r}?")
    says = replace(column.says, measures=(fallback_measure(column.header),))
    return replace(column, role="number", says=says)


def _without_doubles(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return `columns` with a fault for each that means the same as one before it."""
    firsts: dict[object, Column] = {}
    return tuple(_checked(column, firsts) for column in columns)


def _checked(column: Column, firsts: dict[object, Column]) -> Column:
    if column.role in ("remark", "unknown") or column.fault:
        return column
    identity = column.role != "number"
    first = firsts.setdefault(column.role if identity else column.says, column)
    if first is column or (not identity and not column.says.measures):
        return column
    what = column.role if identity else "/".join(m.metric for m in column.says.measures)
    fault = f"{first.header!r} is a {what} column already; only one is read"
    return replace(column, role="unknown", fault=fault)


def _around(grid: Grid, title: str) -> Dimensions:
    """Return what caption, heading and the document's title say."""
    heading = read_phrase(grid.heading)
    says = read_phrase(grid.caption).over(heading)
    name = next(_names(grid.heading, title), "")
    return replace(says, model=name, rest="")


def _names(heading: str, title: str) -> Iterator[str]:
    """Yield what the heading and the title may call a model; a heading is one by its one word."""
    if _NAME.fullmatch(heading) and read_phrase(heading).rest:
        yield heading
    yield from (text for text in (title, heading) if not _GENERIC.issuperset(_words(text)))


def _words(text: str) -> set[str]:
    return {*re.split(r"[\W_]+", folded(read_phrase(text).rest)), ""}
