"""Decide whether images that stress a network may make the steps of its tensors coarser.

What is clipped of drawn text or texture costs some networks much, and others next to nothing: no
tensor tells, the output does. So the network is run in int8 by ranges that were not widened for
such images; those that bear them keep their fine steps.
"""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from sr_bench.engine.prepare.calibration import CalibrationSet
from sr_bench.engine.score.fidelity import fidelity
from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.acceptance import STRESS_WEIGHT
from sr_bench.precision.network import Network
from sr_bench.precision.tiles import Cutter

BEHIND_DB = 15.0
"""How far below the worst other image those that stress may be before ranges are widened.

Unwidened, LESRCNN x2 and x4 are 19 and 21 dB behind there; pocket_edsr_x2, pocket_lesrcnn_x2 and
pocket_sr4k_x2, 12, 11 and 7 dB, and widening costs the first of them 0.7 dB on photographs.
"""

_SIDE = 64  # pixels of height and width that are run of an image, where any size will do

Array = NDArray[np.float32]


def stress_weight(network: Network, low: ModelProto, images: CalibrationSet) -> float:
    """Return how much a squared error of clipping is to count on the images that stress.

    That is 0 where they need nothing.

    Args:
        network: In fp32.
        low: In int8, by ranges that allow them nothing.
        images: Some of which stress.
    """
    full, rounded = _Network(network.model), _Network(low)
    cutter = Cutter.of(network, full.takes, images.card.input, largest=_SIDE)
    close: dict[bool, list[float]] = {True: [], False: []}
    for name, load in zip(images.names, images.inputs(), strict=True):
        piece = cutter.middle(load(), name)
        kept = fidelity(rounded.run(piece), full.run(piece), white=images.input_range.high)
        close[name in images.stress].append(kept.all_db)
    return 0.0 if min(close[True]) >= min(close[False]) - BEHIND_DB else STRESS_WEIGHT


class _Network:
    """A network that computes in float, alike on every CPU."""

    def __init__(self, model: ModelProto) -> None:
        self._session = open_on_cpu(model.SerializeToString(), in_integers=False)
        (self._input,) = (source.name for source in self._session.get_inputs())

    def run(self, image: Array) -> Array:
        """Return the output for `image`, both NCHW."""
        (output,) = self._session.run(None, {self._input: image})
        return np.asarray(output)

    def takes(self, image: Array) -> bool:
        """Return whether the network runs on `image`."""
        with suppress(Exception):  # onnxruntime's have no common base
            self.run(image)
            return True
        return False
