"""The page of an agreement: the matrix, and of each pair that differs to the eye where it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.agreement import Agreement, PairApart
from sr_bench.files.atomic import write_text
from sr_bench.imaging.layout import from_nchw
from sr_bench.report.html.drawn import SMALLEST, data_url, difference
from sr_bench.report.html.render import render
from sr_bench.report.terminal.agreement import head_lines, parting_lines, table_lines

_WHITE = 255.0

Levels = NDArray[np.float32]
"""N x C x H x W on the 0-255 scale."""


@dataclass(frozen=True)
class _Shown:
    pair: PairApart
    gain: float
    """By how much the difference is multiplied."""
    picture: str
    """Of the first runtime, as a data URL."""
    difference: str
    """First minus second around grey, as a data URL."""


@dataclass(frozen=True)
class _Page:
    found: Agreement
    head: tuple[str, ...]
    tables: str
    partings: tuple[str, ...]
    shown: tuple[_Shown, ...]
    """The furthest apart first."""


def write_page(
    found: Agreement, target: Path, levels: Callable[[str], Mapping[str, Levels]]
) -> None:
    """Write the page of `found` to the file `target`, with all that it shows inside.

    Args:
        found: What to show.
        target: An HTML file.
        levels: Gives what each runtime makes of an image.
    """
    shown = []
    for pair in sorted(found.pairs, key=lambda pair: pair.db):
        if pair.worst.max_levels > SMALLEST:
            given = levels(pair.worst.image)
            shown.append(_shown(pair, given[pair.first], given[pair.second]))
    told = tuple(head_lines(found)), "\n".join(table_lines(found)), tuple(parting_lines(found))
    write_text(target, render("agreement", _Page(found, *told, tuple(shown)), alone=True))


def _shown(pair: PairApart, a: Levels, b: Levels) -> _Shown:
    first, second = _picture(a), _picture(b)
    apart, gain = difference(first, second)
    return _Shown(pair, gain, data_url(first), data_url(apart))


def _picture(levels: Levels) -> NDArray[np.float32]:
    image = from_nchw(levels, white=_WHITE, black=0.0)
    return np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
