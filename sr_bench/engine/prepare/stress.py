"""Decide whether images that stress a network may make the steps of its tensors coarser.

What is clipped of drawn text or texture costs some networks much, and others next to nothing: no
tensor tells, the output does. So the network is run in int8 by ranges that were not widened for
such images; those that bear them keep their fine steps.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto

from sr_bench.backends.onnxruntime.int8 import exact_kernel
from sr_bench.engine.prepare.calibration import CalibrationSet
from sr_bench.engine.score.fidelity import fidelity
from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.acceptance import STRESS_WEIGHT
from sr_bench.precision.network import Network
from sr_bench.precision.tiles import MIDDLE, Cutter

BEHIND_DB = 15.0
"""How far below the worst other image those that stress may be before ranges are widened.

Unwidened, LESRCNN x2 and x4 are 19 and 21 dB behind there; pocket_edsr_x2, pocket_lesrcnn_x2 and
pocket_sr4k_x2, 12, 11 and 7 dB, and widening costs the first of them 0.7 dB on photographs.
"""

Array = NDArray[np.float32]


def stress_weight(
    network: Network,
    low: ModelProto,
    images: CalibrationSet,
    outputs: Mapping[str, tuple[Array, Array]],
    *,
    workers: int,
) -> float:
    """Return how much a squared error of clipping is to count on the images that stress.

    That is 0 where they need nothing.

    Args:
        network: In fp32.
        low: In int8, by ranges that allow them nothing.
        images: Some of which stress.
        outputs: Of the network, as far as they are known: see `Statistics`.
        workers: Images that run at the same time.
    """
    # Integers give the same where the kernel is exact, in a third of the time.
    full = _opened(network.model, in_integers=True)
    rounded = _opened(low, in_integers=exact_kernel(TensorProto.INT8))
    cutter = Cutter.of(network, full, images.card.input, largest=MIDDLE)  # as `outputs` are

    loads = dict(zip(images.names, images.inputs(), strict=True))
    others = [name for name in images.names if name not in images.stress]

    def closeness(name: str) -> float:
        piece = cutter.middle(loads[name](), name)
        seen, known = outputs.get(name, (piece[:0], piece))
        output = known if np.array_equal(seen, piece) else full(piece)
        return fidelity(rounded(piece), output, white=images.input_range.high).all_db

    with ThreadPoolExecutor(workers, thread_name_prefix="stress") as executor:
        most = min(executor.map(closeness, images.stress)) + BEHIND_DB
        # One that is no better than that settles it: most networks need no second.
        parts = (others[start : start + workers] for start in range(0, len(others), workers))
        settled = (min(executor.map(closeness, part)) <= most for part in parts)
        return 0.0 if any(settled) else STRESS_WEIGHT


def _opened(model: ModelProto, *, in_integers: bool) -> Callable[[Array], Array]:
    """Return `model` as a function of an image, NCHW."""
    session = open_on_cpu(model.SerializeToString(), in_integers=in_integers)
    (source,) = session.get_inputs()
    return lambda image: np.asarray(session.run(None, {source.name: image})[0])
