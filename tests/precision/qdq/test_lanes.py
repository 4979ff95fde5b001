"""A layer in lanes: its mean is the layer with finer weights, and no lane is off in brightness."""

import numpy as np
import pytest

from sr_bench.precision.qdq.lanes import Lanes, lanes

RNG = np.random.default_rng(5)


def _layer(count: int, *, bias: bool = True) -> tuple[np.ndarray, np.ndarray | None, Lanes]:
    weight = RNG.normal(0, 0.2, (count, 8, 3, 3)).astype(np.float32)
    offset = RNG.normal(0, 1, count).astype(np.float32) if bias else None
    q_scale = np.abs(weight).max(axis=(1, 2, 3)) / np.float32(127)
    return weight, offset, lanes(weight, offset, q_scale, np.float32(0.01))


def _mean(found: Lanes, rows: np.ndarray) -> np.ndarray:
    return np.einsum("or,r...->o...", found.mean[:, :, 0, 0].astype(np.float64), rows)


@pytest.mark.parametrize(("count", "rows", "copies"), [(1, 16, 16), (3, 32, 10), (12, 48, 4)])
def test_the_mean_is_the_layer_with_finer_weights(count: int, rows: int, copies: int) -> None:
    weight, bias, found = _layer(count)
    assert found.values.shape == (rows, 8, 3, 3)
    steps = found.q_scale[:count, None, None, None].astype(np.float64)
    made = _mean(found, found.values * found.q_scale[:, None, None, None].astype(np.float64))
    assert np.abs((made - weight) / steps).max() <= 0.5 / copies + 1e-5
    np.testing.assert_allclose(_mean(found, found.bias), bias, atol=1e-6)
    assert not found.values[copies * count :].any()


def test_lanes_differ_by_parts_of_a_level_of_the_result() -> None:
    _, bias, found = _layer(3, bias=False)
    assert bias is None
    parts = np.sort(found.bias[:30].reshape(10, 3) / 0.01, axis=0)
    np.testing.assert_allclose(np.diff(parts, axis=0), 0.1, atol=1e-6)
    assert np.abs(parts).max() < 0.5


def test_no_lane_changes_the_sum_of_the_weights_by_much() -> None:
    weight, _, found = _layer(3)
    sums = found.values[:30].astype(int).sum(axis=(1, 2, 3)).reshape(10, 3)
    wanted = (weight / found.q_scale[:3, None, None, None]).sum(axis=(1, 2, 3))
    # 72 weights rounded alike would be 32 levels off; at random it is 2.4.
    assert np.abs(sums - wanted).max() < 10
