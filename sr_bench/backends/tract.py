"""The tract backend: a runtime in Rust, which computes what the file says, operator by operator.

int8 is a float convolution of rounded values wherever it has no integer kernel for what stands
around the layer; how many layers have one is counted.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._runtime import Opened, Runtime
from sr_bench.files.temporary import temporary_folder

if TYPE_CHECKING:
    from onnx import ModelProto
    from tract import Runnable

_KEPT = 8  # sizes of images


def _load(path: Path, _threads: int) -> Opened:
    network = _Network(path)
    return Opened(network, network.integer_layers)


class _Network:
    """A file that is opened for each size of images by itself.

    Measured: 30 to 60 ms each; open for any size it takes 2.5 times as long to run, and tract can't
    always infer all sizes.
    """

    def __init__(self, path: Path) -> None:
        from sr_bench.files.onnx_file import load_onnx

        model = load_onnx(path)
        # Sizes noted by letters, as onnxruntime's quantisation leaves them, fit no image for tract.
        del model.graph.value_info[:]
        self._opened = lru_cache(_KEPT)(lambda shape: _open(model, shape))
        self._shape = (1, 3, 24, 32)  # of the newest image

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `lr`, both float32 NCHW."""
        self._shape = lr.shape
        output: NDArray[np.float32] = (
            self._opened(lr.shape).run([np.ascontiguousarray(lr)])[0].to_numpy()
        )
        return output

    def integer_layers(self) -> int:
        """Return how many layers multiply integers, by what the operators cost."""
        nodes = json.loads(self._opened(self._shape).profile_json(None))["nodes"]
        return sum(kind.startswith("FMA(I") for node in nodes for kind in node.get("cost", {}))


def _open(model: "ModelProto", shape: tuple[int, ...]) -> "Runnable":
    import onnx
    import tract

    with temporary_folder() as folder:
        onnx.save(model, path := Path(folder, "network.onnx"))
        network = tract.onnx().load(path)
    network.set_input_fact(0, f"{','.join(map(str, shape))},f32")
    return network.into_model().into_runnable()


RUNTIME = Runtime(
    "tract",
    _load,
    ("fp32", "fp16", "int8"),
    "one thread for each image; fp16 rounds every value to fp16 and accumulates in float32",
)
describe, precisions, open_session = RUNTIME.describe, RUNTIME.precisions, RUNTIME.open_session
