"""Structural similarity: 11x11 Gaussian, sigma 1.5, K 0.01 / 0.03, valid region, channel mean.

`score` works tile by tile in float32 and stays within 1e-6 of `ssim_float64`, which is the
definition written down: a tile whose estimated error is too large is computed again in float64.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from sr_bench.imaging.filters import MARGIN, WINDOW, gaussian_valid
from sr_bench.imaging.similarity import K1, K2, Workspace, tile_similarity
from sr_bench.metrics._pair import Pixels, check_pair

# Rows and columns of a tile, the fastest measured: margins and calls cost little beside it, and
# its six buffers (5 MB in RGB) stay in the last cache.
_TILE = (128, 512)
_LARGEST_ERROR = 8e-7  # of a tile's mean; the rest of 1e-6 is for the rounding of the formula

_Tile = tuple[slice, slice]


def score(sr: Pixels, hr: Pixels, *, data_range: float = 255.0, threads: int = 1) -> float:
    """Return the mean structural similarity within 1e-6 of `ssim_float64`.

    At most 1.0, which identical images give; the images are at least 11x11. `threads` tiles are
    computed at once; OpenCV's own threads should be off (`sr_bench.imaging.threads`).

    Raises:
        MetricError: The shapes differ, an image is smaller than the window, or a value is NaN,
            infinite or absurdly large.
    """
    check_pair(sr, hr, smallest=WINDOW)
    tiles = _tiles(sr.shape[0], sr.shape[1])
    threads = max(1, min(threads, len(tiles)))
    parts = [tiles[start::threads] for start in range(threads)]
    work = partial(_score_tiles, sr, hr, data_range)
    if threads == 1:
        totals = work(tiles)
    else:
        with ThreadPoolExecutor(threads) as pool:
            totals = [total for part in pool.map(work, parts) for total in part]
    windows = (sr.shape[0] - 2 * MARGIN) * (sr.shape[1] - 2 * MARGIN) * sr.shape[2]
    # fsum is exact, so that the order in which threads finish can't show.
    return float(math.fsum(totals) / windows)


def ssim_float64(sr: Pixels, hr: Pixels, *, data_range: float = 255.0) -> float:
    """Return the mean structural similarity by its definition, in float64.

    Args and errors are those of `score`.

    Source:
        Wang et al., Image quality assessment: from error visibility to structural similarity,
        2004; population variances, as in the authors' code.
    """
    check_pair(sr, hr, smallest=WINDOW)
    x, y = sr.astype(np.float64), hr.astype(np.float64)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = gaussian_valid(x), gaussian_valid(y)
    variance_x = gaussian_valid(x * x) - mean_x**2
    variance_y = gaussian_valid(y * y) - mean_y**2
    covariance = gaussian_valid(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float((luminance * structure).mean())


def _tiles(height: int, width: int) -> list[_Tile]:
    """Cover the valid region with tiles; each slice includes the margins of its tile."""
    rows, columns = (
        [slice(start, min(start + step, side) + 2 * MARGIN) for start in range(0, side, step)]
        for side, step in zip((height - 2 * MARGIN, width - 2 * MARGIN), _TILE, strict=True)
    )
    return [(row, column) for row in rows for column in columns]


def _score_tiles(sr: Pixels, hr: Pixels, data_range: float, tiles: Sequence[_Tile]) -> list[float]:
    """Return the summed similarity of each tile, with buffers that the tiles share."""
    # OpenCV drops the axis of a single channel; the buffers are to have the same shape.
    flat = (sr[..., 0], hr[..., 0]) if sr.shape[2] == 1 else (sr, hr)
    shape = tuple(max(part.stop - part.start for part in axis) for axis in zip(*tiles, strict=True))
    single = Workspace.of(shape + flat[0].shape[2:], np.float32)
    constants = {"c1": (K1 * data_range) ** 2, "c2": (K2 * data_range) ** 2}
    totals = []
    for tile in tiles:
        x, y = flat[0][tile], flat[1][tile]
        result = tile_similarity(x, y, single, **constants)
        if not result.error <= _LARGEST_ERROR:  # NaN too
            result = tile_similarity(x, y, Workspace.of(x.shape, np.float64), **constants)
        totals.append(result.total)
    return totals
