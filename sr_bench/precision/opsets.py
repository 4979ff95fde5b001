"""Bring a network to an opset that can be quantised, and check that it computes the same."""

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper, version_converter

from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import inputs, opset
from sr_bench.files.onnx_open import open_on_cpu

OPSETS = range(13, 24)
"""Opsets that can be quantised: per-channel QuantizeLinear came with 13."""

_RESIZE_CHOOSES = 11  # the first opset in which it is asked where pixels lie
_SIDE = 64  # of the image that both networks are run on, where they take any size
_CLOSE = 1e-4  # as a part of the largest output: both round differently, and no more than that


def converted(model: ModelProto) -> ModelProto:
    """Return `model`, a network of one image, in an opset of `OPSETS`; the same if it is in one.

    Raises:
        BackendError: onnx can't convert it, or what comes out computes something else.
    """
    got = opset(model)
    if got in OPSETS:
        return model
    target = min(max(got, OPSETS.start), OPSETS.stop - 1)
    try:
        result = version_converter.convert_version(model, target)
    # The converter raises whatever it stumbles over.
    except Exception as error:
        raise _refusal(got, target, str(error)) from error
    if got < _RESIZE_CHOOSES:
        _resize_as_before(result)
    before = _output(model)
    if before is None:  # on this size; what the network takes is found when images come
        return result
    after = _output(result)
    if after is None or not np.allclose(after, before, rtol=0, atol=_CLOSE * np.abs(before).max()):
        raise _refusal(got, target, "what it made computes something else")
    return result


def _resize_as_before(model: ModelProto) -> None:
    """Let each Resize of `model` compute as it had to before it could choose.

    The converter leaves it the newer default, which moves the image by half a pixel.
    """
    for node in model.graph.node:
        if node.op_type == "Resize":
            given = {attribute.name for attribute in node.attribute}
            before = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            node.attribute.extend(
                helper.make_attribute(name, value)
                for name, value in before.items()
                if name not in given
            )


def _refusal(got: int, target: int, why: str) -> BackendError:
    valid = f"{OPSETS.start} to {OPSETS.stop - 1}"
    return BackendError(
        f"expected an opset from {valid}, got {got}, and onnx can't convert it to {target}:"
        f" {' '.join(why.split())}; export the network again with opset 17"
    )


def _output(model: ModelProto) -> NDArray[np.float32] | None:
    """Return what `model` gives for an image of noise; None if it does not run on its size."""
    (image,) = inputs(model)
    free = (1, 3, _SIDE, _SIDE)
    dims = zip(image.type.tensor_type.shape.dim, free, strict=True)
    shape = [dim.dim_value or size for dim, size in dims]
    noise = np.random.default_rng(0).random(shape, np.float32)
    try:
        session = open_on_cpu(model.SerializeToString())
        output: NDArray[np.float32] = session.run(None, {image.name: noise})[0]
    # onnxruntime's exceptions have no common base but Exception.
    except Exception:
        return None
    return output
