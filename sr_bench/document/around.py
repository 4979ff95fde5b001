"""What the text around a table says of its numbers: its caption, its heading, the title."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import read_phrase
from sr_bench.document.spelling import compact, folded, words

# Headings made of these alone name no model.
_GENERIC: Final = words(
    """results result performance accuracy specification specifications benchmark benchmarks
    evaluation metrics model models zoo info readme introduction overview summary table comparison
    quality quantitative experiments method methods on of the and for in
    test 模型 模型性能 结果 性能 精度 模型精度"""
)
_FIELD: Final = words(
    "super resolution superresolution image images single video sr sisr 超分 超分辨率 超分辨"
)
"""A heading comes before a title made of these."""
MOST_WORDS: Final = 8
"""A longer text is a sentence, which may speak of what is not meant."""
_NAME: Final = re.compile(r"(?=.*[A-Z0-9].*[A-Z0-9])\S+")


def around(grid: Grid, title: str, columns: Sequence[Column]) -> Dimensions:
    """Return what caption, heading and the document's title say of all numbers.

    What some of the columns tell apart, or are, is not the same for all.
    """
    texts = (grid.caption, grid.heading)
    says = Dimensions()
    for text in filter(_is_short, texts):
        says = says.over(read_phrase(text))
    for text in grid.sections:
        # The title may hold the name of a dataset: RealSR.
        outer = read_phrase(text if text != title and _is_short(text) else "")
        says = says.over(Dimensions(dataset=outer.dataset, scale=outer.scale))
    roles = {column.role for column in columns}
    by_dataset = "dataset" in roles or any(column.says.dataset for column in columns)
    by_scale = "scale" in roles or any(c.says.scale for c in columns if c.role == "number")
    of_labels = (c.says.scale for c in columns if c.role in ("model", "dataset"))
    # A sentence may name many things, but seldom a scale that is not the table's.
    scales = (read_phrase(text).scale for text in texts)
    name = next(_names(grid.heading, title), "")
    return Dimensions(
        says.measures,
        name,
        precision=says.precision,
        backend="" if read_phrase(name).backend else says.backend,  # of the name: ESPCN-PyTorch
        device=says.device,
        dataset="" if by_dataset else says.dataset,
        scale=0 if by_scale else next(filter(None, (*of_labels, *scales)), says.scale),
    )


def _is_short(text: str) -> bool:
    """Tell whether a text has few words; a dash or a picture alone is none."""
    return sum(any(map(str.isalnum, word)) for word in text.split()) <= MOST_WORDS


def _names(heading: str, title: str) -> Iterator[str]:
    """Yield what the heading and the title may call a model; a heading is one by its one word."""
    unknown = (word for word in heading.split() if read_phrase(word).rest)
    special = [word for word in unknown if compact(word) not in _GENERIC]
    if len(special) == 1 and _NAME.fullmatch(special[0]):
        yield special[0]
    for text in (title, heading):
        if not (_GENERIC | _FIELD).issuperset(_words(text)):
            yield text
    if not _GENERIC.issuperset(_words(title)):
        yield title


def _words(text: str) -> set[str]:
    return set(filter(None, re.split(r"[\W_]+", folded(read_phrase(text).rest))))
