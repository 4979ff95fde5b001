"""The KL rule: against brute-force readings of TensorRT's slides and of TVM's relay.quantize."""

import numpy as np
import pytest

from sr_bench.core.int8 import Int8Plan
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers import kl
from tests.precision.observers.distributions import SAMPLES

BINS = 512  # of |x|, a quarter of what is used: the readings below go bin by bin


def _counts(kind: str, bins: int = BINS) -> np.ndarray:
    """Return the counts of |x| up to the largest, the first replaced by its neighbour."""
    magnitudes = np.abs(SAMPLES[kind].astype(np.float64))
    counts, _ = np.histogram(magnitudes, bins, (0, magnitudes.max()))
    counts[0] = counts[1]
    return counts


def _tensorrt(counts: np.ndarray, kept: int, levels: int) -> float:
    """Return KL(P || Q), as the slides say it; bins to levels as pytorch-quantization does."""
    p = counts[:kept].astype(float)
    p[-1] += counts[kept:].sum()
    level_edges = [level * kept / levels for level in range(levels + 1)]
    members: list[list[int]] = [[] for _ in range(levels)]
    level = 0
    for i in range(kept):
        while i >= level_edges[level + 1] - 1e-9:
            level += 1
        members[level].append(i)
    q = np.zeros(kept)
    for bins in members:
        filled = [i for i in bins if p[i] > 0]
        for i in filled:
            q[i] = sum(counts[j] for j in bins) / len(filled)
    return _kl(p, q)


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    if not q.any():
        return np.inf
    some = p > 0
    p, q = p / p.sum(), np.where(q > 0, q, 1e-4) / q.sum()
    return float(np.sum(p[some] * np.log(p[some] / q[some])))


def _tvm(signed: np.ndarray, first: int, end: int, levels: int) -> float:
    """Return the divergence of keeping the signed bins from `first` up to `end`.

    Equal numbers of bins are merged into a level, what remains goes to the last one; both
    distributions are smoothed.
    """
    kept = signed[first:end]
    p = kept.astype(float)
    p[0] += signed[:first].sum()
    p[-1] += signed[end:].sum()
    each = len(kept) // levels
    q = np.zeros(len(kept))
    for level in range(levels):
        stop = len(kept) if level == levels - 1 else (level + 1) * each
        part = slice(level * each, stop)
        filled = p[part] != 0
        if filled.any():
            q[part] = np.where(filled, kept[part].sum() / filled.sum(), 0)
    return _kl(_smoothed(p), _smoothed(q))


def _smoothed(values: np.ndarray) -> np.ndarray:
    zero = values == 0
    if zero.all():
        return values
    taken = 1e-4 * zero.sum() / (~zero).sum()
    return np.where(zero, 1e-4, values - taken)


@pytest.mark.parametrize("levels", [32, 61])
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_divergence_and_the_choice_are_those_of_tensorrts_rule(
    kind: str, levels: int
) -> None:
    counts = _counts(kind)
    candidates = np.arange(levels, BINS + 1, 3)
    expected = np.array([_tensorrt(counts, int(kept), levels) for kept in candidates])
    divergences = kl.divergences(counts, levels, candidates)
    assert divergences == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert divergences.argmin() == expected.argmin()


@pytest.mark.parametrize("kind", ["normal", "half_normal", "outliers"])
@pytest.mark.parametrize("levels", [128, 255])
def test_the_choice_of_the_full_search_is_that_of_tensorrts_rule(kind: str, levels: int) -> None:
    counts = _counts(kind, 800)
    kept = kl.kept_bins(counts, levels)
    expected = min(range(levels, 801), key=lambda bins: _tensorrt(counts, bins, levels))
    assert kept == expected


@pytest.mark.parametrize("kind", SAMPLES)
def test_where_levels_hold_equally_many_bins_tvms_rule_chooses_the_same(kind: str) -> None:
    # So many counts that it hardly matters how much smoothing takes from them.
    counts, levels = 10**6 * _counts(kind), 32
    signed = np.concatenate([counts[::-1], counts])
    candidates = np.arange(levels, BINS + 1, levels)
    expected = np.array([_tvm(signed, BINS - k, BINS + k, 2 * levels) for k in candidates])
    divergences = kl.divergences(counts, levels, candidates)
    assert divergences == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert divergences.argmin() == expected.argmin()


@pytest.mark.parametrize("shape", ["normal", "laplace", "bimodal", "triangle", "uniform"])
def test_tvms_own_search_over_odd_numbers_of_bins_chooses_nearly_the_same(
    shape: str,
) -> None:
    levels = 32
    x = (np.arange(BINS) + 0.5) / BINS
    density = {
        "normal": np.exp(-((6 * x) ** 2) / 2),
        "laplace": np.exp(-14 * x),
        "bimodal": np.exp(-((6 * x - 1) ** 2) / 2) + np.exp(-((6 * x + 1) ** 2) / 2),
        "triangle": 1 - x,
        "uniform": np.ones(BINS),
    }[shape]
    counts = np.maximum(1, np.rint(1e7 * density)).astype(np.int64)
    signed = np.concatenate([counts[:0:-1], counts])
    middle = BINS - 1
    widths = range(levels - 1, BINS)
    expected = 1 + min(
        widths, key=lambda i: _tvm(signed, middle - i, middle + i + 1, 2 * levels - 1)
    )
    assert kl.kept_bins(counts, levels) == pytest.approx(expected, rel=0.045)


def test_levels_follow_the_signs_and_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = kl.kept_bins

    def noted(counts: np.ndarray, levels: int) -> int:
        asked.append(levels)
        return original(counts, levels)

    monkeypatch.setattr(kl, "kept_bins", noted)
    for kind in ("half_normal", "negative", "normal"):
        for plan in (Int8Plan(), Int8Plan(activations="symmetric")):
            kl.clip_range(Histogram.of(SAMPLES[kind], where="tensor"), plan)
    assert asked == [255, 128, 255, 128, 128, 128]


@pytest.mark.parametrize(("kind", "levels"), [("heavy_tails", 128), ("half_laplace", 255)])
def test_the_threshold_is_the_edge_of_what_is_kept(kind: str, levels: int) -> None:
    histogram = Histogram.of(SAMPLES[kind], where="tensor")
    counts = histogram.magnitudes()
    counts[0] = counts[1]
    width = 2.0**histogram.exponent / 2048
    candidates = np.arange(levels, np.flatnonzero(counts)[-1] + 2)
    best = candidates[kl.divergences(counts, levels, candidates).argmin()]
    clip = kl.clip_range(histogram, Int8Plan())
    assert (clip.low, clip.high) == (max(histogram.low, -best * width), best * width)


def test_if_all_that_was_counted_is_kept_the_rest_is_too() -> None:
    array = SAMPLES["uniform"].copy()
    array[1] = 1.5
    assert kl.clip_range(Histogram.of(array, where="tensor"), Int8Plan()).high == 1.5


def test_fewer_filled_bins_than_levels_are_all_kept() -> None:
    counts = np.zeros(2048, np.int64)
    assert kl.kept_bins(counts, 128) == 0
    counts[[0, 99]] = 5, 1
    assert kl.kept_bins(counts, 128) == 100
    counts[[0, 99, 2000]] = 0, 0, 4  # nothing but outliers
    assert kl.kept_bins(counts, 128) == 2001
