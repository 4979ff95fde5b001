"""One convolution on the way back: what it carries on, and what rounding its weights adds."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.rounding import IntegerWeights
from sr_bench.precision.segments import Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


_OPSET = 17


class Convolution:
    """The derivative of a layer, opened for each size of image that it meets."""

    def __init__(self, network: Network, node: NodeProto, layer: Layer, weights: IntegerWeights):
        self._node = node
        self._weight = network.constants[layer.weight].astype(np.float32)
        rounded = weights.values * weights.q_scale[:, None, None, None]
        self._change = (rounded - self._weight).astype(np.float32)
        self._given = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        self._open = cache(self._opened)

    def back(self, gradient: Array, read: Array) -> tuple[Array, Array]:
        """Return the gradient of what the layer reads, and what rounded weights change.

        Args:
            gradient: Of what the layer gives, N x C x H x W.
            read: What it reads.

        Returns:
            The former of the shape of `read`, the latter of that of `gradient`.
        """
        session = self._open(gradient.shape[2:], read.shape[2:])
        carried, changed = session.run(None, {"g": np.ascontiguousarray(gradient), "x": read})
        return carried, changed

    def _opened(self, after: tuple[int, int], before: tuple[int, int]) -> "InferenceSession":
        changing = helper.make_node("Conv", ["x", "change"], ["changed"])
        changing.attribute.extend(self._node.attribute)
        carrying, weight = self._adjoint(after, before)
        inputs, outputs = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
            for names in (("g", "x"), ("carried", "changed"))
        )
        constants = {"w": weight, "change": self._change}
        tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
        graph = helper.make_graph([carrying, changing], "back", inputs, outputs, tensors)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        return open_on_cpu(model.SerializeToString())

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
            names = (["g", "w"], ["carried"])
            return helper.make_node("Conv", *names, pads=rest, dilations=dilations), turned
        # What strides leave over at the end was not read: its gradient is 0.
        over = [read[k] + pads[k] + pads[k + 2] - covered[k] for k in range(2)]
        node = helper.make_node(
            "ConvTranspose", ["g", "w"], ["carried"], pads=pads, group=group, strides=strides,
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
    node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    given, result = ([end] for end in ends)
    graph = helper.make_graph([node], "conv", given, result, [numpy_helper.from_array(weight, "w")])
    opset = helper.make_opsetid("", _OPSET)
    session = open_on_cpu(
        helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    )
    output: Array = session.run(None, {"x": np.ascontiguousarray(image)})[0]
    return output
