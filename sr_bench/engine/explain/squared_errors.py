"""The squared errors that PSNR follows from, in each way that scripts take them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import Difference, Scoring
from sr_bench.engine.explain.borders import Plane, Planes, inside, means, whites
from sr_bench.imaging.windows import WHITE

Wrapped: TypeAlias = NDArray[np.uint8]

_EPSILON = 1e-8
"""What piq and pyiqa add to the mean squared error of images of 0 to 1."""

_DIFFERENCES: Mapping[Difference, Callable[[Wrapped], Plane]] = {
    "uint8": lambda difference: difference.astype(np.float64) ** 2,
    "uint8_square": lambda difference: (difference * difference).astype(np.float64),
}


def squared_errors(
    key: Scoring, x: Planes, y: Planes, borders: int
) -> Iterator[tuple[Scoring, NDArray[np.float64]]]:
    """Yield what PSNR follows from: borders x channels, the mean squared error of each.

    A white level that is taken from HR is in the error, which is as large as one of white 255
    would be. The aggregation ``pixels`` has the sum and the number of values instead.
    """
    key = replace(key, window="")
    plain = np.stack([means((a - b) ** 2, borders) for a, b in zip(x, y, strict=True)], axis=1)
    yield key, plain
    if key.channels != "rgb":
        return
    sides = [inside(x[0], border).size * len(x) for border in range(borders)]
    sums = plain.mean(axis=1) * sides
    yield replace(key, aggregation="pixels"), np.stack([sums, np.array(sides, float)], axis=1)
    for peak, levels in whites(x, y, borders).items():
        with np.errstate(divide="ignore", invalid="ignore"):  # a black image
            yield replace(key, peak=peak), plain * (WHITE / levels[:, np.newaxis]) ** 2
    if plain.any():  # identical images have no other way either
        yield replace(key, difference="epsilon"), plain + _EPSILON * WHITE**2
    if key.rounding in ("stored", "round") and key.colour == "rgb":
        differences = [(a - b).astype(np.int16).astype(np.uint8) for a, b in zip(x, y, strict=True)]
        for name, squared in _DIFFERENCES.items():
            errors = [means(squared(difference), borders) for difference in differences]
            yield replace(key, difference=name), np.stack(errors, axis=1)
