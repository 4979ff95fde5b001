"""Say how the values of a tensor become uint8."""

from dataclasses import dataclass

import numpy as np

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.qdq.rounding import LARGEST
from sr_bench.precision.qdq.steps import odd_multiple

# uint8, as int8 is no better and runs at 0.35 to 0.45 of the speed in onnxruntime.
_LEVELS = 255  # steps from the lowest uint8 to the highest
_MIDDLE = 128  # what 0 becomes where activations are symmetric
_SMALLEST_RANGE = 1e-20  # less holds 0: a step must be a float32, and fine enough for a bias


@dataclass(frozen=True)
class Scale:
    """How a tensor's values become uint8: ``q = round(x / q_scale) + zero_point``, clipped."""

    q_scale: np.float32
    zero_point: np.uint8

    @classmethod
    def of(cls, clip: ClipRange, plan: Int8Plan) -> "Scale":
        """Return how the values of `clip` become uint8."""
        low, high = clip.low, clip.high
        if high - low < _SMALLEST_RANGE:
            low, high = 0.0, 1.0
        if plan.activations == "symmetric":
            return cls(np.float32(max(-low, high) / LARGEST), np.uint8(_MIDDLE))
        step = (high - low) / _LEVELS
        return cls(np.float32(step), np.uint8(np.clip(np.rint(-low / step), 0, _LEVELS)))

    def in_multiples_of(self, unit: float) -> "Scale":
        """Return the next wider one whose step is an odd multiple of `unit`; see `steps`."""
        return Scale(odd_multiple(float(self.q_scale), unit), self.zero_point)
