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
"""A file does not say which it reads. By the other the output may be noise (PAN: 1e26), where even
two good runtimes differ; one that reads the file wrongly does so in both."""

_TAPS, _ZERO = 64, 100  # products in one sum of the probe, and its zero point
_VALUES = (-101.0, -1.6, -1.4, 0.4, 1.4, 1.6, 60.0, 155.0)
"""Of its input: what is rounded up, down, clipped, and the largest that int8 then holds."""


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
        low, high = (f"{level:.0f}" for level in (min(levels), max(levels)))
        apart = low if low == high else f"{low} to {high}"
        return f"{apart} dB from onnxruntime on {counted(len(levels), 'test image')}"
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
        BackendError: It does not round to int8 as the file says.
    """
    import onnx

    with temporary_folder() as folder:
        path = Path(folder, "probe.onnx")
        onnx.save(_probe(), path)
        values = np.array(_VALUES, np.float32)
        got = load(path)(np.broadcast_to(values, (1, _TAPS, 8, 8)))[0, :, 0]
    rounded = np.clip(np.rint(values), -_ZERO, 255 - _ZERO)
    expected = np.stack([rounded, np.clip(-2 * rounded, -_ZERO, 255 - _ZERO)])
    if got.shape != expected.shape:
        fault = f"expected 2 x 8 levels, got {' x '.join(map(str, got.shape))}"
    else:
        wrong = np.abs(got - expected) > 1e-3
        if not wrong.any():
            return "as it is"
        if not wrong[:, :-2].any():  # sums of small values are right
            return "as it is, whose uint8 x int8 saturates on this CPU: others may differ"
        first = tuple(np.argwhere(wrong)[0])
        fault = f"expected {expected[first]:g} from a convolution, got {got[first]:g}"
    msg = (
        f"it does not round to int8 as a QDQ file says: {fault}; install another version of it, or"
        " rerun with --backend=onnxruntime"
    )
    raise BackendError(msg)


def _probe() -> "ModelProto":
    """Return a QDQ convolution of 1 x 1 that gives its rounded input, and -2 times that."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.full((2, _TAPS, 1, 1), 127, np.int8)
    weights[1] = -127
    constants = {
        "one": np.float32(1),
        "zero": np.uint8(_ZERO),
        "weights": weights,
        "weight_scales": np.array([1, 2], np.float32) / (127 * _TAPS),
        "weight_zeros": np.zeros(2, np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["x8"]),
        helper.make_node("DequantizeLinear", ["x8", "one", "zero"], ["x_rounded"]),
        helper.make_node(
            "DequantizeLinear", ["weights", "weight_scales", "weight_zeros"], ["w"], axis=0
        ),
        helper.make_node("Conv", ["x_rounded", "w"], ["sum"]),
        helper.make_node("QuantizeLinear", ["sum", "one", "zero"], ["sum8"]),
        helper.make_node("DequantizeLinear", ["sum8", "one", "zero"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 8, 8])
        for name, channels in {"x": _TAPS, "y": 2}.items()
    ]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "probe", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
