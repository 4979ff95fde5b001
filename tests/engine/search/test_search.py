"""The margin to what is not seen, and the front of share, fidelity and time."""

from dataclasses import replace

import numpy as np
import pytest

from sr_bench.core.found import Candidate, Tried
from sr_bench.engine.search.held_out import deviations, unseen
from sr_bench.engine.search.search import Limits, _chosen, _front

ONE = Tried(Candidate((), {}), 0.9, 51.0, 50.0, 50.0, 49.0, 0.0, 17, "")


@pytest.mark.parametrize("count", [4, 17])
def test_as_many_new_images_are_all_above_the_bound_in_19_of_20_cases(count: int) -> None:
    seen, new = np.random.default_rng(1).normal(50, 2, (2, 20000, count))
    bound = seen.mean(1) - deviations(count) * seen.std(1, ddof=1)
    assert 0.95 <= (new.min(1) > bound).mean() < 0.965


def test_the_bound_is_never_above_the_lowest() -> None:
    assert unseen([50.0] * 5 + [49.0]) < 49.0
    assert unseen([50.0, 50.0]) == 50.0
    assert unseen([50.0] * 99 + [40.0]) == 40.0  # 10 standard deviations below


def test_the_front_has_what_is_more_precise_or_clearly_faster() -> None:
    int8 = Candidate((), {}, "int8")
    slow = replace(ONE, latency_ms=100.0)
    same = replace(slow, candidate=int8, latency_ms=96.0)
    fast = replace(slow, candidate=int8, latency_ms=80.0, unseen_db=48.0)
    worse = replace(slow, int8_share=0.8, unseen_db=48.9)
    better = replace(slow, int8_share=0.7, unseen_db=49.1, latency_ms=120.0)
    assert list(_front([better, worse, fast, slow, same])) == [slow, fast, better]
    untimed = [replace(one, latency_ms=None) for one in (slow, fast, better)]
    assert list(_front(untimed)) == [untimed[0], untimed[2]]


def test_the_chosen_plan_is_one_of_nearly_the_largest_share_that_is_faster() -> None:
    slow = replace(ONE, latency_ms=100.0)
    equal, fast = (replace(slow, int8_share=0.895, latency_ms=ms) for ms in (96.0, 90.0))
    fewer = replace(slow, int8_share=0.88, latency_ms=50.0)
    limits = Limits(49.0)
    assert _chosen([slow, equal, fast, fewer], limits) is fast
    assert _chosen([slow, equal, fewer], limits) is slow
    poor = replace(fast, unseen_db=48.9)
    assert _chosen([slow, poor], limits) is slow
    assert _chosen([poor], limits) is None
