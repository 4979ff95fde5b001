"""Run a network node by node, so that what each of them reads and gives can be looked at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.network import Network
from sr_bench.precision.segments import Array, cut, segment_model

_SMALL = 4096


class Nodes:
    """The nodes of a network, each opened on its own; may be run from one thread."""

    def __init__(self, network: Network) -> None:
        self._input = network.input
        every = [name for node in network.model.graph.node for name in node.output]
        # Also what nothing reads: its size is asked for.
        steps = [
            replace(step, outputs=tuple(filter(None, step.nodes[0].output)))
            for step in cut(network, every)
        ]
        self._sessions = {
            step.nodes[0].name: (
                step,
                open_on_cpu(segment_model(network, step).SerializeToString()),
            )
            for step in steps
        }

    def values(self, image: NDArray[np.float32], needed: Collection[str] = ()) -> dict[str, Array]:
        """Return every value of the network for `image`, NCHW, by name; constants are not in it.

        Large ones that are not `needed` become arrays of equal shape that take no memory.
        """
        values: dict[str, Array] = {self._input: image}
        for step, session in self._sessions.values():
            results = session.run(list(step.outputs), {name: values[name] for name in step.inputs})
            values.update(zip(step.outputs, results, strict=True))
            for name in step.dead:
                if name not in needed and values[name].size > _SMALL:
                    values[name] = np.broadcast_to(np.float32(0), values[name].shape)
        return values

    def again(self, node: NodeProto, values: Mapping[str, Array]) -> Sequence[Array]:
        """Return what `node` gives for other `values` of what it reads, by name."""
        step, session = self._sessions[node.name]
        results: Sequence[Array] = session.run(
            list(step.outputs), {name: values[name] for name in step.inputs}
        )
        return results
