"""The layer at which two runtimes part is found by looking at few."""

from collections.abc import Callable

import numpy as np
import pytest

from sr_bench.core.agreement import ImageApart, LayerApart, PairApart
from sr_bench.core.network_io import NetworkInput
from sr_bench.engine.agree.parting import _middle, find_parting
from sr_bench.engine.job import quiet

PAIR = PairApart.of("one", "other", (ImageApart("a", 1.0, 0.5, 3.0, 0.1),))


class Layers:
    """What is apart behind each of many layers, given by a function of their number."""

    rounding = 1e-5

    def __init__(self, count: int, rms: Callable[[int], float | None]) -> None:
        self.values = [f"v{index}" for index in range(count)]
        self.looked: list[int] = []
        self._rms = rms

    def apart(self, value: str, first: str, second: str) -> LayerApart | None:
        assert (first, second) == ("one", "other")
        self.looked.append(int(value[1:]))
        rms = self._rms(self.looked[-1])
        return None if rms is None else LayerApart(value, rms, 0.0)


@pytest.mark.parametrize("step", [0, 1, 37, 250, 298, 299])
def test_the_layer_that_differs_is_found_among_hundreds_by_few_looks(step: int) -> None:
    layers = Layers(300, lambda index: 1e-2 if index >= step else 1e-7)
    found = find_parting(layers, PAIR, 60, quiet)
    assert found.begins
    assert found.begins.layer == found.most.layer == f"v{step}"
    assert (found.before.layer if found.before else None) == (f"v{step - 1}" if step else None)
    assert found.tried == len(layers.looked) <= 24
    assert found.planned == 300


def test_where_it_grows_most_may_come_after_where_it_begins() -> None:
    layers = Layers(40, lambda index: (index >= 5) * 1e-4 + (index >= 30) * 1e-2)
    found = find_parting(layers, PAIR, 60, quiet)
    assert (found.begins.layer, found.most.layer, found.before.layer) == ("v5", "v30", "v29")


def test_a_difference_that_shrinks_and_comes_back_is_no_growth() -> None:
    rises = {3: 1e-2, 4: 1e-4, 5: 1e-2, 6: 1.1e-2}
    found = find_parting(Layers(7, lambda index: rises.get(index, 0.0)), PAIR, 60, quiet)
    assert found.most.layer == "v3"


def test_float_rounding_parts_nobody() -> None:
    found = find_parting(Layers(50, lambda index: index * 1e-7), PAIR, 60, quiet)
    assert (found.begins, found.most, found.before) == (None, None, None)
    assert found.tried == 6


def test_a_layer_that_one_can_not_run_alone_is_passed_over() -> None:
    layers = Layers(20, lambda index: None if index == 9 else (index >= 9) * 1e-2)
    assert find_parting(layers, PAIR, 60, quiet).begins.layer == "v11"


def test_without_time_nothing_is_looked_at() -> None:
    layers = Layers(20, lambda _index: 1.0)
    assert find_parting(layers, PAIR, -1, quiet).tried == len(layers.looked) == 0


@pytest.mark.parametrize(
    ("reads", "shape"),
    [
        (NetworkInput(), (96, 60)),
        (NetworkInput(multiple_of=7), (91, 56)),
        (NetworkInput(size=(48, 50)), (48, 50)),
    ],
)
def test_the_middle_has_a_size_that_the_network_takes(
    reads: NetworkInput, shape: tuple[int, int]
) -> None:
    image = np.arange(200 * 60, dtype=np.float32).reshape(1, 1, 200, 60)
    middle = _middle(image, reads)
    assert middle.shape[2:] == shape
    top = (200 - shape[0]) // 2
    assert middle[0, 0, 0, 0] == image[0, 0, top, (60 - shape[1]) // 2]
