"""Write a mean over two axes as two means, whose sums are short enough to be alike everywhere.

onnxruntime may turn a network to channels last, and then sums all pixels of a plane one after the
other: in float32 that is off by 1e-5, a hundred times as much as elsewhere. Behind the mean of a
plane, such as of channel attention, that turns levels of whole channels (IMDN: 44 dB apart).
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, numpy_helper
from onnx.helper import make_attribute, make_node

from sr_bench.files.onnx_file import attributes


def one_axis_each(
    nodes: Iterable[NodeProto], constants: Mapping[str, NDArray[np.generic]], separator: str
) -> Iterator[NodeProto]:
    """Yield `nodes`, each ReduceMean over two axes as one over the last and one over the other.

    `constants` holds axes that are inputs, as from opset 18 on; `separator` parts what is added
    from a name of the file.
    """
    for node in nodes:
        given = attributes(node)
        are_inputs = len(node.input) > 1
        axes = constants.get(node.input[1], ()) if are_inputs else given.get("axes", ())
        if node.op_type != "ReduceMean" or len(axes) != 2:
            yield node
            continue
        keeps = given.get("keepdims", 1)
        first, second = int(max(axes)), int(min(axes))
        second += int(second < 0 and not keeps)  # counted from the end, which has gone
        half = f"{node.output[0]}{separator}half"
        for axis, source, target in ((first, node.input[0], half), (second, half, node.output[0])):
            mean = make_node("ReduceMean", [source], [target], name=target, keepdims=keeps)
            if are_inputs:
                mean.input.append(f"{target}{separator}axis")
                value = numpy_helper.from_array(np.array([axis]))
                yield make_node("Constant", [], [mean.input[1]], name=mean.input[1], value=value)
            else:
                mean.attribute.append(make_attribute("axes", [axis]))
            yield mean
