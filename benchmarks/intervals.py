"""How honest the interval of a mean drop is: coverage, false `within`, and what it can decide.

Run: python benchmarks/intervals.py [--quick]

Data sets are drawn from four kinds of images, each with a known mean drop:

normal      every image loses about the same, with a standard deviation of half the mean
exponential many lose little, few lose much
lognormal   the same with a heavier tail, sigma 1
one in ten  one image in ten loses much, the others a fiftieth of that

Printed for each kind and number of images, with Student's t beside for comparison:

coverage    how often the 95 % interval holds the true mean, and on which side it misses
within      how often a gate says `within` when the true mean drop is the limit (it should not, so
            at most 2.5 % is meant), half of it or a tenth of it (it should)

First where nothing is declared of single images. Then where the card says what any image may lose,
and is right: what the images of this kind keep to in 99.9 % of cases. Last where it says twice the
limit of the mean, which is right for small drops and wrong for large ones; a set that shows an
image beyond is a loss. The vectorised intervals are checked against the one of a gate.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sr_bench.engine.judge.interval import FEWEST, interval_ends, paired_drop

COUNTS = (5, 8, 12, 20, FEWEST, 50, 100)
MEANS = (1.0, 0.5, 0.1)
"""True mean drops, where the limit is 1."""

TWICE = 2.0
"""What any image is declared to lose at most, in limits of the mean."""

Floats = NDArray[np.float64]


def _one_in_ten(generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    much = generator.random(shape) < 0.1
    return np.where(much, 1.0, 0.02) * generator.normal(1.0, 0.1, shape) / 0.118


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "normal": lambda generator, shape: generator.normal(1.0, 0.5, shape),
    "exponential": lambda generator, shape: generator.exponential(1.0, shape),
    "lognormal": lambda generator, shape: generator.lognormal(-0.5, 1.0, shape),
    "one in ten": _one_in_ten,
}
"""Draw drops whose true mean is 1."""


@dataclass(frozen=True)
class Ends:
    """Intervals of many data sets."""

    low: Floats
    high: Floats

    def above(self, mean: float) -> float:
        """Return how often the true `mean` lies above the interval, in percent."""
        return 100 * float((self.high < mean).mean())

    def below(self, mean: float) -> float:
        """Return how often it lies below, in percent."""
        return 100 * float((self.low > mean).mean())

    def covers(self, mean: float) -> float:
        """Return how often it lies inside, in percent."""
        return 100 - self.above(mean) - self.below(mean)

    def within(self, limit: float) -> float:
        """Return how often a gate says `within`, in percent."""
        return 100 * float((self.high <= limit).mean())


def student(drops: Floats) -> Ends:
    """Return the intervals by Student's t, which hold for drops that are normal."""
    count = drops.shape[1]
    reach = drops.std(axis=1, ddof=1) / count**0.5 * stats.t.ppf(0.975, count - 1)
    return Ends(drops.mean(axis=1) - reach, drops.mean(axis=1) + reach)


def ours(drops: Floats, worst: float | None) -> Ends:
    """Return the intervals as a gate computes them, a block of data sets at a time."""
    means = drops.mean(axis=1, keepdims=True)
    ordered = np.sort(drops, axis=1) - means
    ends = []
    for mean, rows in zip(np.split(means, 8), np.split(ordered, 8), strict=True):
        ends.append(interval_ends(rows, None if worst is None else worst - mean))
    below, above = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    _check(drops[0], worst, means[0, 0] + below[0], means[0, 0] + above[0])
    return Ends(means[:, 0] + below, means[:, 0] + above)


def _check(drops: Floats, worst: float | None, low: float, high: float) -> None:
    """Raise AssertionError unless a gate has this interval."""
    drop = paired_drop([0.0] * len(drops), drops.tolist(), worst=worst)
    np.testing.assert_allclose((drop.low95, drop.high95), (low, high), rtol=1e-9, atol=1e-9)


def main() -> None:
    """Print a row for each kind and number of images."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few data sets: the numbers are rough")
    sets = 400 if parser.parse_args().quick else 4000
    print(f"{sets} data sets each; if nothing is declared, upper ends begin at {FEWEST} images")
    print(f"{'':20s}| Student's t   | nothing declared{'':29s}| declared, right| 2 limits declared")
    print(
        f"{'kind':12s}{'images':>7s} | covers within | covers above below within at 1, 1/2, 1/10 "
        f" | covers  within | within at 1, 1/2, 1/10"
    )
    for kind, draw in KINDS.items():
        generator = np.random.default_rng(16)
        right = float(np.quantile(draw(generator, (1, 200000)), 0.999))
        for count in COUNTS:
            drops = draw(generator, (sets, count))
            columns = [_by_t(drops), _undeclared(drops), _rightly(drops, right), _twice(drops)]
            print(f"{kind:12s}{count:7d} |{' |'.join(columns)}", flush=True)


def _by_t(drops: Floats) -> str:
    ends = student(drops)
    return f"{ends.covers(1.0):7.1f}{ends.within(1.0):7.1f}"


def _undeclared(drops: Floats) -> str:
    ends = ours(drops, None)
    within = "".join(f"{ends.within(1 / mean):8.1f}" for mean in MEANS)  # as all is to scale
    return f"{ends.covers(1.0):7.1f}{ends.above(1.0):6.1f}{ends.below(1.0):6.1f}{within}"


def _rightly(drops: Floats, right: float) -> str:
    ends = ours(drops, right)
    return f"{ends.covers(1.0):7.1f}{ends.within(1.0):9.1f}"


def _twice(drops: Floats) -> str:
    kept = ((drops * mean, (drops * mean <= TWICE).all(axis=1)) for mean in MEANS)
    return "".join(
        f"{100 * float((is_kept & (ours(some, TWICE).high <= 1.0)).mean()):8.1f}"
        for some, is_kept in kept
    )


if __name__ == "__main__":
    main()
