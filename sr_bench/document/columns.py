"""Know a model-info table by its header, and what a cell of each column holds."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from sr_bench.core.metric import metric_headers
from sr_bench.document.cell import Cell
from sr_bench.document.inline import plain
from sr_bench.document.spelling import compact, has_digit, has_number, words
from sr_bench.files.validation import nearest

_OTHERS: Final = MappingProxyType(
    {
        "models": "model",
        "model": "model",
        "source": "source",
        "codesource": "source",
        "dataset": "dataset",
        "shape": "shape",
        "shapes": "shape",
        "shape(chw)": "shape",
        "size": "shape",
    }
)
# Columns that tell what a row is or where to get it: digits there are no results.
_REMARKS: Final = words(
    """no index id scale upscale factor precision dtype datatype quant quantization bits note
    notes remark remarks comment comments description link links url download downloads
    weight weights checkpoint ckpt config configs code file files filename modelfile
    pretrained pretrainedmodel md5 sha256 sha256sum hash commit version date year venue
    paper publication license licence author authors task device backend runtime resolution
    inputsize inputresolution inputshape imagesize framework hardware gpu protocol opset
    script branch 备注 说明 链接 下载 下载链接 版本 日期 配置 配置文件 设备 权重 序号
    放大倍数 论文 代码 来源"""
)
_FULL_WIDTH: Final = str.maketrans("（）", "()")  # noqa: RUF001 - what Chinese input methods type
UNKNOWN: Final = "no column of this name is read"
_DECIMALS: Final = frozenset({"scale", "upscale", "factor", "version", "opset"})
_DECIMAL: Final = re.compile(r"\W*[0-9]+[.,][0-9]+\W*")
_NOT_PLAIN: Final = (
    "expected a plain number such as 32.785, or '-' for none; units belong in the header and"
    " remarks below the table"
)
_NUMBER: Final = re.compile(
    r"[*_`\[]*(?P<number>-?[0-9]+(?:\.[0-9]+)?)[*_`]*(?:\]\([^()]*\)[*_`]*)?"
)


@dataclass(frozen=True)
class Column:
    """What one column of a model-info table holds."""

    name: str
    """``model``, a metric, ``source``, ``dataset``, ``shape``; or the header, for any other."""
    header: str
    """As a reader sees it."""
    kind: Literal["metric", "identity", "remark", "unknown"]
    """``identity`` and ``remark``: they tell rows apart; digits there are no results."""
    fault: str = ""
    """Why no number of the column can be claimed."""


def read_columns(header: Sequence[Cell]) -> tuple[Column, ...]:
    """Return the columns below `header`; of two with the same meaning the second is not read."""
    columns = []
    firsts: dict[str, Column] = {}
    for column in (_column(cell.plain) for cell in header):
        first = firsts.setdefault(column.name, column)
        if first is not column and column.kind in ("metric", "identity"):
            fault = f"{first.header!r} is a {column.name} column already; only one is read"
            columns.append(Column(column.header, column.header, "unknown", fault))
        else:
            columns.append(column)
    return tuple(columns)


def ignored_column(column: Column) -> Column:
    """Return a column that the card ignores; rows can't do without one of models."""
    if column.name == "model":
        return column
    return replace(column, name=column.header, kind="unknown", fault="the card ignores it")


def is_model_info(columns: Sequence[Column]) -> bool:
    """Whether `columns` are a model column and at least one metric column."""
    return has_models(columns) and any(column.kind == "metric" for column in columns)


def has_models(columns: Iterable[Column]) -> bool:
    """Whether one of `columns` names the models."""
    return any(column.name == "model" for column in columns)


def _column(header: str) -> Column:
    key = "".join(header.split()).lower().translate(_FULL_WIDTH)
    if metric := metric_headers().get(key):
        return Column(metric, header, "metric")
    if name := _OTHERS.get(key):
        return Column(name, header, "identity")
    if compact(header) in _REMARKS:
        return Column(header, header, "remark")
    return Column(header, header, "unknown", UNKNOWN)


def known_header(header: str) -> str:
    """Return advice on what header was meant by one that is not known."""
    return nearest("".join(header.split()).lower(), (*metric_headers(), *_OTHERS))


def read_number(cell: Cell) -> Cell | None:
    """Return the part of a metric cell that is its number; None if it is not one plain number.

    Emphasis, code marks and a link around the number are left out.
    """
    match = _NUMBER.fullmatch(cell.text)
    # The pattern takes marks without a partner too, as in **32.1: a reader sees those.
    if match and plain(cell.text) == match["number"]:
        return cell.part(*match.span("number"))
    return None


def prints_number(column: Column | None, cell: Cell) -> bool:
    """Tell whether `cell` has digits that say more than what its row is about.

    Notes, names and shapes may have digits, but none is a decimal alone.
    """
    if column is None:
        return has_number(cell.plain)
    if column.kind == "metric":
        return has_digit(cell.text)
    if column.kind == "unknown":
        return has_digit(cell.text if "badge" in cell.text else cell.plain)
    return bool(_DECIMAL.fullmatch(cell.plain)) and column.name.lower() not in _DECIMALS


def claim_fault(column: Column | None, cell: Cell) -> str:
    """Return why no claim can hold the number that `cell` prints; empty if one can."""
    if column is None:
        return "it has no header"
    if column.kind == "metric":
        return "" if read_number(cell) else _NOT_PLAIN
    return column.fault or f"expected no result in the column {column.header!r}"
