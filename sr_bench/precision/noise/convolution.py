"""One convolution on the way back: what it carries on, and what rounding its weights adds."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.qdq.rounding import IntegerWeights
from sr_bench.precision.segments import Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


_OPSET = 17


class Convolution:
    """The derivative of a layer, opened for each size of image that it meets."""

    def __init__(self, network: Network, node: NodeProto, layer: Layer) -> None:
        self._weight = network.constants[layer.weight].astype(np.float32)
        self._given = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        self._carrying = cache(lambda *sizes: _opened(*self._adjoint(*sizes)))
        self._changing: InferenceSession | None = None

    def back(self, gradient: Array, size: tuple[int, ...]) -> Array:
        """Return the gradient of what the layer reads, of that height and width.

        `gradient` is that of what it gives, N x C x H x W.
        """
        session = self._carrying(gradient.shape[2:], size)
        carried: Array = session.run(None, {"x": np.ascontiguousarray(gradient)})[0]
        return carried

    def changed(self, read: Array, weights: IntegerWeights) -> Array:
        """Return what `weights`, always the same, change in what the layer gives for `read`."""
        if self._changing is None:
            change = weights.values * weights.q_scale[:, None, None, None] - self._weight
            node = helper.make_node("Conv", ["x", "w"], ["y"], **self._given)
            self._changing = _opened(node, change)
        changed: Array = self._changing.run(None, {"x": read})[0]
        return changed

    def _adjoint(
        self, given: tuple[int, int], read: tuple[int, int]
    ) -> tuple[NodeProto, NDArray[np.float32]]:
        """Return the node that takes a gradient of size `given` back to one of size `read`."""
        kernel = self._weight.shape[2:]
        strides, dilations = (self._pair(key) for key in ("strides", "dilations"))
        reach = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        covered = [s * (n - 1) + r + 1 for s, n, r in zip(strides, given, reach, strict=True)]
        pads = self._pads([c - n for c, n in zip(covered, read, strict=True)])
        group = self._given.get("group", 1)
        rest = [reach[k % 2] - pads[k] for k in range(4)]
        if strides == (1, 1) and group == 1 and min(rest) >= 0:
            # The same as below, by a kernel that is several times as fast.
            turned = np.ascontiguousarray(self._weight[:, :, ::-1, ::-1].swapaxes(0, 1))
            names = (["x", "w"], ["y"])
            return helper.make_node("Conv", *names, pads=rest, dilations=dilations), turned
        # What strides leave over at the end was not read: its gradient is 0.
        over = [read[k] + pads[k] + pads[k + 2] - covered[k] for k in range(2)]
        node = helper.make_node(
            "ConvTranspose", ["x", "w"], ["y"], pads=pads, group=group, strides=strides,
            dilations=dilations, output_padding=over,
        )  # fmt: skip
        return node, self._weight

    def _pair(self, key: str) -> tuple[int, int]:
        first, second = self._given.get(key, (1, 1))
        return first, second

    def _pads(self, missing: Sequence[int]) -> list[int]:
        """Return top, left, bottom, right; `missing` rows and columns are padded automatically."""
        auto = self._given.get("auto_pad", b"NOTSET")
        if not auto.startswith(b"SAME"):
            return list(self._given.get("pads", (0, 0, 0, 0)))
        small = [max(n, 0) // 2 for n in missing]
        large = [max(n, 0) - half for n, half in zip(missing, small, strict=True)]
        return [*small, *large] if auto == b"SAME_UPPER" else [*large, *small]


def convolved(image: Array, weight: Array, attributes: Mapping[str, Any]) -> Array:
    """Return the convolution of `image`, N x C x H x W, with constant weights."""
    session = _opened(helper.make_node("Conv", ["x", "w"], ["y"], **attributes), weight)
    output: Array = session.run(None, {"x": np.ascontiguousarray(image)})[0]
    return output


def _opened(node: NodeProto, weight: Array) -> "InferenceSession":
    """Return `node`, which gives ``y`` of ``x`` and its constant ``w``, opened on its own."""
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    given, result = ([end] for end in ends)
    constants = [numpy_helper.from_array(weight.astype(np.float32), "w")]
    graph = helper.make_graph([node], "conv", given, result, constants)
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    return open_on_cpu(model.SerializeToString())
