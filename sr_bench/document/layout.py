"""How a table is to be read: whether it is of results, and what its columns and its numbers are."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from sr_bench.core.ignored import Ignored
from sr_bench.core.metric import metric_infos
from sr_bench.core.told import ToldTable
from sr_bench.document.around import around
from sr_bench.document.cell import Cell
from sr_bench.document.changes import with_changes
from sr_bench.document.columns import IDENTITIES, Below, Column, body_of, read_columns
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.grids import Grid
from sr_bench.document.numbers_in_cells import prints_pair
from sr_bench.document.orientation import by_cells, oriented, unmeasured, without_doubles
from sr_bench.document.phrases import WEAK, names_result, read_phrase
from sr_bench.document.row_keys import beside_datasets, of_benchmarks, with_gap, with_levels
from sr_bench.document.spelling import compact, folded, has_digit, has_number, words
from sr_bench.document.told import read_meaning, told_columns, whole_table

_NO_MODELS: Final = "no column, row or heading of it names the models that its numbers are of"
_NO_METRICS: Final = "no header, row or caption of it names a metric, such as PSNR(dB) or Params(M)"
# What a first column names in a table that has its models or datasets across.
_ROWS: Final = words(
    """psnr ssim msssim lpips fid niqe flops gflops macs gmacs params mparams latency fps set5 set14
    b100 bsd100 urban100 manga109 div2k fp32 fp16 int8 bf16 map miou top1 top5"""
)
# Decimals of these are no results.
_INNOCENT: Final = re.compile(
    "version|package|librar|software|depend|requirement|option|default|price|release|date|changelog"
    "|版本|依赖|日期"
)
_DECIMALS: Final = re.compile(r"\W*[0-9]*[.,][0-9]{2,}(\W+[0-9]*[.,][0-9]{2,})*\W*(dB)?\W*")
_DECIBEL: Final = re.compile(r"[0-9]\s?dB\b", re.IGNORECASE)
_FEW: Final = 2


@dataclass(frozen=True, eq=False)
class Layout:
    """A table with what its columns are, and what is so of all of its numbers."""

    grid: Grid
    body: Grid
    """The same with all of its headers marked as such, of one table behind the other."""
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

    @property
    def is_read(self) -> bool:
        """Whether its numbers can be read, as far as the table as a whole tells."""
        return self.results and not self.fault

    def is_about(self, models: frozenset[str]) -> bool:
        """Whether it is about results, perhaps of `models` that other tables have."""
        return self.results or _looks_like_results(self.grid, models)

    @cached_property
    def names_precisions(self) -> bool:
        """Whether a column or a header names precisions: then no heading tells that of all."""
        return "precision" in self.roles or any(c.says.precision for c in self.columns)

    @cached_property
    def fault(self) -> str:
        """Why none of its numbers can be read."""
        if self.grid.shapeless:
            return self.grid.shapeless
        rows = [read_meaning(text).says for text in self.told.rows.values()] if self.told else []
        numbers = [column.says for column in self.columns if column.role == "number"]
        modelled = self.model_column is not None or any(one.model for one in (*numbers, *rows))
        about = self.roles & {"metric", *IDENTITIES} or any(one.measures for one in numbers)
        if not modelled and not (self.says.model and numbers and about):
            return _NO_MODELS
        says = (self.says, *(column.says for column in self.columns), *rows)
        measured = "metric" in self.roles or any(one.measures for one in says)
        return "" if measured or self._prints_pairs() or self._heads_rows() else _NO_METRICS

    def _heads_rows(self) -> bool:
        """Tell whether a row with nothing else names a metric for those below it."""
        texts = ({cell.plain for cell in row if cell.plain} for row in self.body.rows)
        return any(len(one) == 1 and read_phrase(*one).measures for one in texts)

    def _prints_pairs(self) -> bool:
        """Tell whether a cell shows its metrics by itself, as 37.89/0.9602 does."""
        return any(
            column.role == "number" and prints_pair(cell)
            for row in self.body.rows
            for column, cell in zip(self.columns, row, strict=False)
        )


def without(layout: Layout, ignored: Ignored) -> Layout:
    """Return `layout` with a reason for columns that the card ignores.

    They tell of rows what they told: the mirror and updates read the document without its card.
    """
    if not ignored.columns:
        return layout
    columns = (replace(one, ignored=ignored.column(one.header)) for one in layout.columns)
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
    if told and not columns:  # which it tells by their places
        columns = (Column("", "unknown"),) * max(map(len, body.rows), default=0)
    full = [row for row in body.rows if len(row) == len(columns)]
    texts = [Below([row[n] for row in full]) for n in range(len(columns))]
    columns = tuple(by_cells(*pair) for pair in zip(columns, texts, strict=True))
    if told:
        columns = told_columns(columns, told)
    columns = beside_datasets(with_changes(oriented(columns, texts), texts))
    results = bool(told) or _is_results(grid, columns)
    if results and any(c.role == "model" or c.says.measures or c.told for c in columns):
        named = tuple(unmeasured(*pair) for pair in zip(columns, texts, strict=True))
        named = with_gap(named, texts)
        pairs = enumerate(zip(columns, named, strict=True))
        unknown = [n for n, (old, new) in pairs if new.holds_numbers and old.role == "unknown"]
        columns = with_levels(named, unknown, full)
    says = around(grid, title, columns)
    says = whole_table(told).over(says) if told else says
    if not says.measures and all(column.role != "metric" for column in columns):
        columns = of_benchmarks(columns, texts)
    return Layout(grid, body, without_doubles(columns), says, told, results)


def _is_results(grid: Grid, columns: Sequence[Column]) -> bool:
    if any(c.role == "model" and compact(c.header) not in {"", *WEAK} for c in columns):
        return True
    measured = any(column.says.measures or column.role == "metric" for column in columns)
    above = read_phrase(grid.caption).measures
    measured = measured or any(measure.metric in metric_infos() for measure in above)
    return measured or _looks_like_results(grid)


def _looks_like_results(grid: Grid, names: Iterable[str] = ()) -> bool:
    """Tell whether `grid` prints numbers and names what results are about.

    Args:
        grid: Any table.
        names: Labels of models that the document has elsewhere.
    """
    cells = [cell for row in grid.rows for cell in row]
    if not any(has_number(cell.plain) for cell in cells):
        return False
    if any(_DECIBEL.search(cell.plain) for cell in cells):
        return True
    models = {name.casefold() for name in names}
    headers = [cell.plain for cell in grid.header]
    if any(names_result(text) or text.casefold() in models for text in headers):
        return True
    # A second row of headers, or metrics and datasets down the first column.
    second = [*grid.rows[0], *(row[0] for row in grid.rows if row)]
    if any(compact(cell.plain).removesuffix("db") in _ROWS for cell in second):
        return True
    return not any(_INNOCENT.search(folded(text)) for text in headers) and _mostly_decimals(cells)


def _mostly_decimals(cells: Iterable[Cell]) -> bool:
    """Tell whether most cells with a digit are decimals: a header may be of any language."""
    texts = [cell.plain for cell in cells if has_digit(cell.plain)]
    decimals = list(filter(_DECIMALS.fullmatch, texts))
    return len(decimals) >= _FEW and 2 * len(decimals) >= len(texts)
