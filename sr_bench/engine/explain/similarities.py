"""The means of SSIM by each window and white level that libraries and scripts take."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import Scoring, WhiteOfImage
from sr_bench.core.protocol import SsimWindow
from sr_bench.engine.explain.borders import PEAKS, Plane, Planes, inside, means, whites
from sr_bench.imaging.similarity import LocalMoments, local_moments
from sr_bench.imaging.windows import WHITE, WINDOWS

_OF_FLOATS = 510.0
"""White level 2 of images of 0 to 1, which scikit-image assumes of floats."""
_TOLD: tuple[SsimWindow, ...] = ("gaussian", "gaussian_mirror", "uniform7")
"""Windows with which scripts take a white level that nobody told them."""
_USUAL = frozenset(("rgb", "y_float", "y_rounded", "gray", "y_bt709"))
"""Colours of which all windows are tried; of others the usual one."""

ByBorder = Iterator[tuple[Scoring, NDArray[np.float64]]]


def similarities(
    key: Scoring, x: Planes, y: Planes, borders: int, likely: Sequence[int]
) -> ByBorder:
    """Yield the mean similarity by each way: borders x channels, NaN where it is not tried.

    What takes a pass of its own for each border is tried for the `likely` ones. A wrong channel
    order, or a rare colour, excludes other windows and white levels.
    """
    alone = key.channels != "rgb" or key.colour not in _USUAL
    ranges = {} if alone else whites(x, y, borders)
    planes = [
        dict(_Pair(key, a, b, borders, likely).ways(alone, ranges))
        for a, b in zip(x, y, strict=True)
    ]
    for way in planes[0]:
        yield way, np.stack([plane[way] for plane in planes], axis=1)
    if key.colour == "rgb" and not alone:
        whole = _Pair(key, np.stack(x, axis=-1), np.stack(y, axis=-1), borders, likely)
        for name in (name for name, window in WINDOWS.items() if window.across):
            yield replace(key, window=name), whole.each_border(name)[:, np.newaxis]


@dataclass(frozen=True)
class _Pair:
    """Two planes, or images, of one shape."""

    key: Scoring
    x: Plane
    y: Plane
    borders: int
    likely: Sequence[int]

    def ways(self, alone: bool, ranges: Mapping[WhiteOfImage, NDArray[np.float64]]) -> ByBorder:
        """Yield the mean for each border by every window; if `alone`, by the usual one."""
        yield self.key, self.usual
        if alone:
            return
        for name, window in WINDOWS.items():
            if window.cut and window.rim is None:
                for peak in (*PEAKS, _OF_FLOATS) if name in _TOLD else (WHITE,):
                    yield replace(self.key, window=name, peak=peak), self.means(name, peak)
            elif not window.across:
                yield replace(self.key, window=name), self.each_border(name)
        for name in _TOLD:
            by_level: dict[float, NDArray[np.float64]] = {}  # most borders share one
            for taken, levels in ranges.items():
                values = self._by_range(name, levels.tolist(), by_level)
                yield replace(self.key, window=name, peak=taken), values

    @cached_property
    def usual(self) -> NDArray[np.float64]:
        """The means by the usual window."""
        return self.means("gaussian", WHITE)

    @cached_property
    def _moments(self) -> dict[Callable[[Plane], Plane], LocalMoments]:
        return {}

    def means(self, name: SsimWindow, peak: float) -> NDArray[np.float64]:
        """Return the means without the rim."""
        window = WINDOWS[name]
        if window.means not in self._moments:  # once for all white levels and corrections
            self._moments[window.means] = local_moments(self.x, self.y, window.means)
        return means(window.similarity(self._moments[window.means], peak), self.borders)

    def each_border(self, name: SsimWindow, peak: float = WHITE) -> NDArray[np.float64]:
        """Return the means by a window that takes a pass for each of the likely borders."""
        window, results = WINDOWS[name], np.full(self.borders, np.nan)
        inner = self.means(name, peak) if window.cut else results
        for border in self.likely:
            cut = inside(self.x, border), inside(self.y, border)
            if window.cut:
                results[border] = window.with_rim(float(inner[border]), *cut, peak)
            else:
                results[border] = window.mean(*cut, peak)
        return results

    def _by_range(
        self,
        name: SsimWindow,
        levels: Sequence[float],
        by_level: dict[float, NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        """Return the means for the white level of each border; `by_level` has known ones."""
        values = self.means if WINDOWS[name].rim is None else self.each_border
        for level in set(levels) - by_level.keys():
            flat = np.full(self.borders, np.nan)  # nothing to divide by
            by_level[level] = values(name, level) if level else flat
        return np.array([by_level[level][border] for border, level in enumerate(levels)])
