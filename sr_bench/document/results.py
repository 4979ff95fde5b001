"""Tell a table of results from any other: by what its header names, in any case and language."""

import re
from collections.abc import Iterable
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import column_role, read_phrase
from sr_bench.document.spelling import compact, folded, has_digit, has_number, words

# Roles of columns that tables of results have, and few others.
_ROLES: Final = frozenset({"model", "dataset", "metric", "precision", "runtime", "scale"})
# What lists of files, options and packages have too.
WEAK: Final = words(
    "name names net variant experiment data factor engine platform framework bits 名称"
)
# What a first column names in a table that has its models or datasets across.
_ROWS: Final = words(
    """psnr ssim msssim lpips fid niqe flops gflops macs gmacs params mparams latency fps set5 set14
    b100 bsd100 urban100 manga109 div2k fp32 fp16 int8 bf16 map miou top1 top5"""
)
_NETWORK: Final = re.compile(
    r"[A-Za-z0-9+-]{0,40}?(?:SR|CNN|Net|GAN|[Ff]ormer|YOLO|VGG|[A-Z]DN)[A-Za-z0-9+-]{0,40}"
)
# Decimals of these are no results.
_INNOCENT: Final = re.compile(
    "version|package|librar|software|depend|requirement|option|default|price|release|date|changelog"
    "|版本|依赖|日期"
)
_DECIMALS: Final = re.compile(r"\W*[0-9]*[.,][0-9]{2,}(\W+[0-9]*[.,][0-9]{2,})*\W*(dB)?\W*")
_DECIBEL: Final = re.compile(r"[0-9]\s?dB\b", re.IGNORECASE)
_FEW: Final = 2


def looks_like_results(grid: Grid, names: Iterable[str] = ()) -> bool:
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


def names_result(text: str) -> bool:
    """Tell whether a header says what results are of."""
    if any(map(names_network, re.split(r"[^\w+-]+", text))):
        return True
    said = read_phrase(text)
    named = column_role(text) in _ROLES and compact(text) not in WEAK
    about = said.measures or said.precision or said.dataset or said.scale
    return named or bool(about) or "bicubic" in compact(text)


def names_network(text: str) -> bool:
    """Tell whether `text` is built as names of networks are: ``EDSR``, ``SwinFormer-L``."""
    return bool(_NETWORK.fullmatch(text))


def _mostly_decimals(cells: Iterable[Cell]) -> bool:
    """Tell whether most cells with a digit are decimals: a header may be of any language."""
    texts = [cell.plain for cell in cells if has_digit(cell.plain)]
    decimals = list(filter(_DECIMALS.fullmatch, texts))
    return len(decimals) >= _FEW and 2 * len(decimals) >= len(texts)
