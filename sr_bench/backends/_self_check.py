"""What a runtime of others must give when it opens a file: a version may read it wrongly, silently.

The network is compared with onnxruntime on a small image. int8 has to give what is known of a
convolution, too: a runtime may leave out the rounding, and no image shows that for sure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._onnx_file import Fitted
from sr_bench.backends._session import Infer
from sr_bench.errors import BackendError
from sr_bench.files.temporary import temporary_folder
from sr_bench.text.printable import counted

if TYPE_CHECKING:
    from onnx import ModelProto

_LEAST_DB = {"fp32": 60.0, "fp16": 40.0, "int8": 25.0}
"""How close to onnxruntime a network has to be. Measured are at least 104, 76 and 51 (36 where
int8 saturates); what reads another network than the file's is seldom above 20."""

_SIDES = ((24, 32), (64, 64), (128, 128), (256, 256))
"""Height and width of images to compare on: the first is taken that the network takes."""

_WHITES = (1.0, 255.0)
"""A file does not say which it reads. By the other the output may be noise, where even two good
runtimes differ; one that reads the file wrongly does so in both."""

_TAPS = 64  # products in one sum of the probe
_STEP = 255 * 127 * _TAPS / 254  # of its output


@dataclass(frozen=True)
class Expected:
    """What a network gives on a test image: both float32 N x C x H x W."""

    image: NDArray[np.float32]
    output: NDArray[np.float32]


def expected_of(reference: Fitted) -> list[Expected]:
    """Return what `reference`, a network in onnxruntime, gives on test images; none if it fails."""
    images = [white * image for image in _test_image(reference) for white in _WHITES]
    pairs = [Expected(image, reference.infer(image)) for image in images]
    return [pair for pair in pairs if np.isfinite(pair.output).all()]


def _test_image(reference: Fitted) -> list[NDArray[np.float32]]:
    """Return waves and some noise, 0 to 1, that the network takes; none if no size is found."""
    given = [side if isinstance(side, int) else 0 for side in reference.dims or (0, 0, 0, 0)]
    batch, channels = given[0] or 1, given[1] or 3
    for sides in _SIDES:
        height, width = given[2] or sides[0], given[3] or sides[1]
        y, x, c = np.ogrid[:height, :width, :channels]
        waves = 0.5 + 0.2 * np.sin(y / 3 + c) + 0.2 * np.cos(x / 5 - c)
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, waves.shape)
        planes = (waves + noise).astype(np.float32).transpose(2, 0, 1)
        image = np.repeat(planes[np.newaxis], batch, axis=0)
        if reference.takes(image):
            return [image]
    return []


def agreement(
    outputs: Sequence[NDArray[np.float32]], expected: Sequence[Expected], dtype: str
) -> str:
    """Return how close `outputs` are to what is expected of a file of `dtype`.

    Raises:
        BackendError: They are further apart than those of two runtimes that read the same network.
    """
    if not expected:
        return "not compared with onnxruntime: it runs on no test image, or its output overflows"
    levels = [_db(got, each.output) for got, each in zip(outputs, expected, strict=True)]
    if max(levels) >= _LEAST_DB[dtype]:
        on = f"on {counted(len(levels), 'test image')}"
        apart = f"{min(levels):.0f} dB from onnxruntime {on}, or closer"
        return apart if np.isfinite(min(levels)) else f"the same bits as onnxruntime's {on}"
    msg = (
        f"it reads the file otherwise than onnxruntime does: {max(levels):.0f} dB apart on a test"
        f" image, expected at least {_LEAST_DB[dtype]:.0f}; install another version of it, or rerun"
        " with --backend=onnxruntime"
    )
    raise BackendError(msg)


def _db(got: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the PSNR of `got` against the span of `expected`; 0 if it can't be one."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return 0.0
    error = float(np.mean(np.subtract(got, expected, dtype=np.float64) ** 2))
    span = float(np.ptp(expected)) or 1.0
    return float(10 * np.log10(span**2 / error)) if error else np.inf


def int8_kernel(load: Callable[[Path], Infer]) -> str:
    """Return how a runtime convolves uint8 with int8 on this machine; `load` opens a file.

    Raises:
        BackendError: It does not round to int8 where the file says so.
    """
    import onnx

    with temporary_folder() as folder:
        path = Path(folder, "probe.onnx")
        onnx.save(_probe(), path)
        image = np.full((1, _TAPS, 8, 8), 255, np.float32)
        image[..., :4] = 1.4  # is 1 in int8, and the result one step
        levels = load(path)(image) / _STEP
    one, largest = levels[..., :4], levels[..., 4:]
    if not (np.allclose(one, 1, atol=1e-3) and np.allclose(largest, np.rint(largest), atol=1e-3)):
        msg = (
            f"it does not round to int8 where a QDQ file says so: expected 1, got {one.max():.2f}"
            " from a convolution; install another version of it, or rerun with"
            " --backend=onnxruntime"
        )
        raise BackendError(msg)
    if np.allclose(largest, 254, atol=1e-3):
        return "as it is"
    return "as it is, whose uint8 x int8 saturates on this CPU: others may differ"


def _probe() -> "ModelProto":
    """Return a QDQ convolution of 1 x 1 by weights of 127, whose largest result is 254 steps."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "one": np.float32(1),
        "zero": np.uint8(0),
        "weights": np.full((1, _TAPS, 1, 1), 127, np.int8),
        "weights_scale": np.ones(1, np.float32),
        "weights_zero": np.zeros(1, np.int8),
        "step": np.float32(_STEP),
    }
    per_channel = ["weights", "weights_scale", "weights_zero"]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["x8"]),
        helper.make_node("DequantizeLinear", ["x8", "one", "zero"], ["x_rounded"]),
        helper.make_node("DequantizeLinear", per_channel, ["w"], axis=0),
        helper.make_node("Conv", ["x_rounded", "w"], ["sum"]),
        helper.make_node("QuantizeLinear", ["sum", "step", "zero"], ["sum8"]),
        helper.make_node("DequantizeLinear", ["sum8", "step", "zero"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 8, 8])
        for name, channels in {"x": _TAPS, "y": 1}.items()
    ]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "probe", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
