"""How often an early decision is wrong, and how many images it saves: simulated differences.

Run: python benchmarks/early.py [--images 100] [--trials 1000] [--scenarios moved]

Each trial draws by how much every image of a data set moved since an earlier record, places the
mean, takes the images in a random order, and looks at them as a session does until a look decides
or all are measured. The printed number stands for itself and 0.001 dB to either side; what the
decision should have been, the mean over all images says. In scenarios that end in ``over`` that
mean lies 5 % of the band's half beyond its edge, in ``under`` as much within: nowhere else is a
wrong decision easier. ``gate`` decides whether a drop of PSNR is at most 0.1 dB.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.card import Tolerance
from sr_bench.core.claim import Claim, Source
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import Precision
from sr_bench.core.record import Measurement, Status
from sr_bench.engine.job import ImageResult
from sr_bench.engine.judge.claim import judge
from sr_bench.engine.judge.early import (
    Look,
    look_at_claim,
    look_at_gate,
    measuring_order,
    planned_looks,
)
from sr_bench.engine.score.fidelity import Fidelity

CLAIM = Claim("psnr", "30.000", "M", "", Precision.FP32, "", "", "", Source("README.md", 1, 1))
TOLERANCE = Tolerance(0.0005, "simulated")
HALF_DB = 0.001
"""Half the band: half a printed step and the slack."""

LIMITS = Gate(min_fidelity_db=40.0, max_drop_db=0.1, max_drop_ssim=1.0)
ROUNDING_DB = 2e-5
"""Between two summation orders."""

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]


@dataclass(frozen=True)
class Scenario:
    """How images move, and where the mean of all is put."""

    draw: Draw
    place: float | None = None
    """Mean of all images less the claim, in dB, whatever was drawn; None: as it was drawn, from a
    baseline that hits the claim."""


def broken(count: int, by_db: float, noise_db: float = 0.0) -> Draw:
    """Return a draw in which `count` images lose `by_db`, and the others only move by rounding."""

    def draw(generator: np.random.Generator, images: int) -> Values:
        moved = generator.normal(0, noise_db, images)
        moved[generator.choice(images, count, replace=False)] -= by_db
        return moved

    return draw


def share_broken(percent: int, by_bands: float) -> Draw:
    """Return a draw in which some of the images lose alike: `by_bands` half bands on average."""

    def draw(generator: np.random.Generator, images: int) -> Values:
        count = max(1, round(percent * images / 100))
        return broken(count, by_bands * HALF_DB * images / count, ROUNDING_DB)(generator, images)

    return draw


EQUAL: Draw = lambda _, images: np.zeros(images)  # noqa: E731
ROUNDING: Draw = lambda g, images: g.normal(0, ROUNDING_DB, images)  # noqa: E731
SHAPES: Mapping[str, Draw] = {
    "normal, 0.002 dB": lambda g, images: g.normal(0, 0.002, images),
    "heavy tails (t, 2 degrees)": lambda g, images: 0.001 * g.standard_t(2, images),
    "skewed, some lose much": lambda g, images: -0.0005 * g.lognormal(0, 1.5, images),
    "skewed, some gain much": lambda g, images: 0.0005 * g.lognormal(0, 1.5, images),
}
SCENARIOS: Mapping[str, Scenario] = (
    {
        "unchanged, a match": Scenario(EQUAL),
        "unchanged, differs": Scenario(EQUAL, -2 * HALF_DB),
        "rounding only, a match": Scenario(ROUNDING),
        "retrained: -0.05 dB, spread 0.1": Scenario(lambda g, images: g.normal(-0.05, 0.1, images)),
        "moved -0.02 dB, spread 0.005": Scenario(lambda g, images: g.normal(-0.02, 0.005, images)),
    }
    | {
        f"{name}, {where}": Scenario(draw, -HALF_DB * factor)
        for name, draw in SHAPES.items()
        for where, factor in (("over", 1.05), ("under", 0.95))
    }
    | {f"{count} of all lose 1 dB": Scenario(broken(count, 1.0)) for count in (1, 2, 3, 5, 10)}
    | {f"{percent} % lose, over": Scenario(share_broken(percent, 1.05)) for percent in (5, 20)}
)

GATES: Mapping[str, float] = {"over": 0.105, "under": 0.095, "far within": 0.03, "far beyond": 0.2}
"""Mean drops of PSNR over all images, in dB."""


@dataclass(frozen=True)
class Trial:
    """How one data set was decided."""

    images: int
    decided: bool
    wrong: bool


def trial(scenario: Scenario, images: int, seed: int) -> Trial:
    generator = np.random.default_rng(seed)
    before = generator.normal(0, 4, images)
    before += CLAIM.value - before.mean()
    moved = scenario.draw(generator, images)
    if scenario.place is not None:
        before += scenario.place - moved.mean()
    order = measuring_order(images, str(seed))
    results = [ImageResult(str(i), {"psnr": before[i] + moved[i]}) for i in order]
    baseline = {str(i): float(before[i]) for i in range(images)}
    whole = Measurement("psnr", "dB", float((before + moved).mean()))
    truth = judge(CLAIM, whole, tolerance=TOLERANCE).status is Status.MATCH
    look = decide(lambda n: look_at_claim(CLAIM, TOLERANCE, results[:n], baseline, images), images)
    return outcome(look, truth)


def gate_trial(mean_db: float, images: int, seed: int) -> Trial:
    drops = np.random.default_rng(seed).normal(0, 0.05, images)
    drops += mean_db - drops.mean()
    order, close = measuring_order(images, str(seed)), Fidelity(50.0, 50.0, 50.0)
    full = [ImageResult(str(i), {"psnr": 30.0, "ssim": 0.9}) for i in order]
    low = [ImageResult(str(i), {"psnr": 30.0 - drops[i], "ssim": 0.9}, close) for i in order]
    look = decide(lambda n: look_at_gate(LIMITS, low[:n], full, images), images)
    return outcome(look, bool(drops.mean() <= LIMITS.max_drop_db))


def decide(look_at: Callable[[int], Look], images: int) -> Look:
    """Return the first look that decides, or the last."""
    looks = [look_at(planned_looks(images)[0])]
    for n in planned_looks(images)[1:]:
        if looks[-1].decided == "open":
            looks.append(look_at(n))
    return looks[-1]


def outcome(look: Look, clears: bool) -> Trial:
    if look.decided == "open":
        return Trial(look.planned, decided=False, wrong=False)
    return Trial(look.n, decided=True, wrong=(look.decided == "clears") != clears)


def show(name: str, trials: list[Trial]) -> None:
    """Print how many trials were decided, how many wrongly, and the images measured."""
    count = len(trials)
    wrong = 100 * sum(one.wrong for one in trials) / count
    decided = 100 * sum(one.decided for one in trials) / count
    measured = sum(one.images for one in trials) / count
    told = f"wrong {wrong:5.1f} %  early {decided:5.1f} %  images {measured:6.1f}"
    print(f"{name:42} {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--scenarios", default="", help="only those with this text in their name")
    args = parser.parse_args()
    print(f"{args.images} images, looks at {planned_looks(args.images)}, {args.trials} trials each")
    for name, scenario in SCENARIOS.items():
        if args.scenarios in name:
            show(name, [trial(scenario, args.images, seed) for seed in range(args.trials)])
    for name, mean_db in GATES.items():
        told = f"gate, drops spread by 0.05 dB, {name}"
        if args.scenarios in told:
            show(told, [gate_trial(mean_db, args.images, seed) for seed in range(args.trials)])


if __name__ == "__main__":
    main()
