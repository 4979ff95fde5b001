"""What the text around a table says of its numbers: its caption, its heading, the title."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import read_phrase
from sr_bench.document.spelling import folded, words

# Headings made of these alone name no model.
_GENERIC: Final = words(
    """results result performance accuracy specification specifications benchmark benchmarks
    evaluation metrics model models zoo info readme introduction overview summary table comparison
    quality quantitative experiments on of the and test 模型 模型性能 结果 性能 精度 模型精度"""
)
_MOST_WORDS: Final = 8
"""A longer text is a sentence, which may speak of what is not meant."""
_NAME: Final = re.compile(r"(?=.*[A-Z0-9].*[A-Z0-9])\S+")


def around(grid: Grid, title: str, columns: Sequence[Column]) -> Dimensions:
    """Return what caption, heading and the document's title say of all numbers.

    What some of the columns tell apart, or are, is not the same for all.
    """
    texts = (grid.caption, grid.heading)
    short = (text for text in texts if len(text.split()) <= _MOST_WORDS)
    says = Dimensions()
    for text in short:
        says = says.over(read_phrase(text))
    roles = {column.role for column in columns}
    by_dataset = "dataset" in roles or any(column.says.dataset for column in columns)
    by_scale = "scale" in roles or any(column.says.scale for column in columns)
    name = next(_names(grid.heading, title), "")
    return Dimensions(
        says.measures,
        name,
        precision=says.precision,
        backend="" if name == grid.heading else says.backend,  # of the name: ESPCN-PyTorch
        device=says.device,
        dataset="" if by_dataset else says.dataset,
        # A sentence may name many things, but seldom a scale that is not the table's.
        scale=0 if by_scale else next(filter(None, (read_phrase(t).scale for t in texts)), 0),
    )


def _names(heading: str, title: str) -> Iterator[str]:
    """Yield what the heading and the title may call a model; a heading is one by its one word."""
    if _NAME.fullmatch(heading) and read_phrase(heading).rest:
        yield heading
    yield from (text for text in (title, heading) if not _GENERIC.issuperset(_words(text)))


def _words(text: str) -> set[str]:
    return set(filter(None, re.split(r"[\W_]+", folded(read_phrase(text).rest))))
