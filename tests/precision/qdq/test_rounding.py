"""Integer weights: nearest ones, and ones that keep the output of a layer."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sr_bench.precision.qdq.rounding import LARGEST, round_learned, round_nearest

RNG = np.random.default_rng(3)


def _weight(outputs: int = 6, inputs: int = 4, size: int = 3) -> np.ndarray:
    return RNG.normal(0, 0.1, (outputs, inputs, size, size)).astype(np.float32)


def _inputs(count: int, taps: int) -> np.ndarray:
    """Return correlated inputs, as neighbouring pixels are."""
    common = RNG.normal(0, 1, (count, 3)) @ RNG.normal(0, 1, (3, taps))
    return common + 0.1 * RNG.normal(0, 1, (count, taps))


def _error(weight: np.ndarray, inputs: np.ndarray, quantised: object) -> float:
    rounded = quantised.values * quantised.q_scale[:, None, None, None]
    return float(np.square(inputs @ (weight - rounded).reshape(len(weight), -1).T).mean())


def test_nearest_is_never_half_a_level_off() -> None:
    weight = _weight()
    rounded = round_nearest(weight)
    off = np.abs(rounded.values - weight / rounded.q_scale[:, None, None, None])
    assert off.max() <= 0.5 + 1e-4
    assert np.abs(rounded.values).reshape(6, -1).max(axis=1).tolist() == [LARGEST] * 6


def test_a_channel_of_zeros_stays_zero() -> None:
    weight = _weight()
    weight[2] = 0
    for rounded in (round_nearest(weight), round_learned(weight, np.eye(36))):
        assert not rounded.values[2].any()
        assert np.isfinite(rounded.q_scale).all()
        assert (rounded.q_scale > 0).all()


def test_learned_rounding_keeps_the_output_of_the_layer() -> None:
    weight, inputs = _weight(), _inputs(400, 36)
    learned = round_learned(weight, inputs.T @ inputs)
    assert _error(weight, inputs, learned) < 0.25 * _error(weight, inputs, round_nearest(weight))


def test_uncorrelated_inputs_leave_nearest() -> None:
    weight = _weight()
    rounded, nearest = round_learned(weight, np.eye(36)), round_nearest(weight)
    np.testing.assert_array_equal(rounded.values, nearest.values)
    np.testing.assert_array_equal(rounded.q_scale, nearest.q_scale)


def test_a_layer_that_never_saw_anything_is_rounded_to_nearest() -> None:
    weight = _weight()
    rounded = round_learned(weight, np.zeros((36, 36)))
    np.testing.assert_array_equal(rounded.values, round_nearest(weight).values)


def test_groups_are_rounded_apart() -> None:
    weight = _weight(outputs=6, inputs=4)
    moments = [(x := _inputs(200, 36)).T @ x for _ in range(2)]
    whole = round_learned(weight, np.stack(moments))
    parts = [round_learned(weight[3 * i : 3 * i + 3], moments[i]) for i in range(2)]
    np.testing.assert_array_equal(whole.values, np.concatenate([part.values for part in parts]))


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-6, 1e6))
def test_the_strength_of_the_inputs_does_not_matter(factor: float) -> None:
    rng = np.random.default_rng(5)
    weight = rng.normal(0, 0.1, (2, 1, 3, 3)).astype(np.float32)
    x = rng.normal(0, 1, (50, 9))
    plain = round_learned(weight, x.T @ x)
    other = round_learned(weight, factor * (x.T @ x))
    assert np.abs(plain.values.astype(int) - other.values).max() <= 1  # ties may turn


def test_integers_stay_symmetric() -> None:
    rounded = round_learned(_weight() * np.float32(1e4), (x := _inputs(100, 36)).T @ x)
    assert rounded.values.dtype == np.int8
    assert rounded.values.min() >= -LARGEST
