"""Decide whether images that stress a network may make the steps of its tensors coarser.

What is clipped of drawn text or texture costs some networks much, and others next to nothing: no
tensor tells, the output does. So the network is run in int8 by ranges that were not widened for
such images; those that bear them keep their fine steps.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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


def stress_weight(
    network: Network, low: ModelProto, images: CalibrationSet, *, workers: int
) -> float:
    """Return how much a squared error of clipping is to count on the images that stress.

    That is 0 where they need nothing.

    Args:
        network: In fp32.
        low: In int8, by ranges that allow them nothing.
        images: Some of which stress.
        workers: Images that run at the same time.
    """
    full, rounded = _opened(network.model), _opened(low)
    cutter = Cutter.of(network, full, images.card.input, largest=_SIDE)

    def closeness(name: str, load: Callable[[], Array]) -> float:
        piece = cutter.middle(load(), name)
        return fidelity(rounded(piece), full(piece), white=images.input_range.high).all_db

    with ThreadPoolExecutor(workers, thread_name_prefix="stress") as executor:
        close = list(executor.map(closeness, images.names, images.inputs()))
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    for name, db in zip(images.names, close, strict=True):
        by_kind[name in images.stress].append(db)
    return 0.0 if min(by_kind[True]) >= min(by_kind[False]) - BEHIND_DB else STRESS_WEIGHT


def _opened(model: ModelProto) -> Callable[[Array], Array]:
    """Return `model` as a function of an image, NCHW; it computes in float, alike on every CPU."""
    session = open_on_cpu(model.SerializeToString(), in_integers=False)
    (source,) = session.get_inputs()
    return lambda image: np.asarray(session.run(None, {source.name: image})[0])
