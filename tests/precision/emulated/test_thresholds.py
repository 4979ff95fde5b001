"""Thresholds as a compiler finds them: of |x|, of the input like of any other tensor."""

from pathlib import Path

import numpy as np
import pytest

from sr_bench.core.device import DevicePlan
from sr_bench.errors import BackendError, OptionError
from sr_bench.precision.emulated.device import clip_thresholds
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.network import Network
from sr_bench.precision.statistics.observed import rounded_by_any_plan
from tests.precision.nets import residual_net

OBSERVERS = ("max", "percentile", "kl", "mse")


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def _histograms(network: Network) -> dict[str, Histogram]:
    rng = np.random.default_rng(0)
    values = rng.laplace(0, 0.05, 1_200_000).astype(np.float32)
    values[0] = -3
    return {name: Histogram.of(values, where=name) for name in rounded_by_any_plan(network)}


def test_max_is_the_largest_magnitude_also_of_the_input(network: Network) -> None:
    thresholds = clip_thresholds(network, _histograms(network), "max", DevicePlan())
    assert thresholds == dict.fromkeys(rounded_by_any_plan(network), 3.0)
    assert "x" in thresholds


def test_the_percentile_is_the_plan_s(network: Network) -> None:
    histograms = _histograms(network)
    for part in (0.9, 0.99, 0.999):
        plan = DevicePlan(calibrate_range=part)
        threshold = clip_thresholds(network, histograms, "percentile", plan)["relu"]
        assert threshold == pytest.approx(-0.05 * np.log(1 - part), rel=0.05)


@pytest.mark.parametrize("observer", OBSERVERS)
def test_no_threshold_is_above_the_largest(network: Network, observer: str) -> None:
    threshold = clip_thresholds(network, _histograms(network), observer, DevicePlan())["head"]
    assert 0.4 < threshold <= 3
    assert (threshold == 3) == (observer == "max")


@pytest.mark.parametrize("observer", ["max", "percentile", "mse"])
def test_a_tensor_with_one_sign_has_no_more_levels(network: Network, observer: str) -> None:
    """How much clipping the few large values are worth depends on the levels."""
    values = np.random.default_rng(1).uniform(-1, 1, 3_200_000).astype(np.float32)
    values[[0, 4]] = 8
    plan, thresholds = DevicePlan(), []
    for x in (np.abs(values), values):
        histograms = dict.fromkeys(rounded_by_any_plan(network), Histogram.of(x, where=""))
        thresholds.append(clip_thresholds(network, histograms, observer, plan)["relu"])
    assert thresholds[0] == thresholds[1]


def test_an_unknown_observer_is_an_error(network: Network) -> None:
    with pytest.raises(OptionError, match="percentile"):
        clip_thresholds(network, _histograms(network), "median", DevicePlan())


def test_a_missing_histogram_is_named(network: Network) -> None:
    histograms = _histograms(network)
    del histograms["relu"]
    with pytest.raises(BackendError, match="expected a histogram of the tensor 'relu'"):
        clip_thresholds(network, histograms, "max", DevicePlan())
