"""Run a network in segments, so that its observed values are held only for a moment.

A cut comes after each node that makes an observed value. So the segments depend on the network
alone, never on memory or threads: each is optimised by onnxruntime in the same way every time,
runs on one thread, and gives the same bits.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from sr_bench.files.onnx_file import inferred
from sr_bench.precision.network import Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Step:
    """The values that a node, or a segment, reads and makes."""

    nodes: tuple[NodeProto, ...]
    """In the network's order."""
    inputs: tuple[str, ...]
    """Values of earlier steps."""
    outputs: tuple[str, ...]
    """Values that later steps read, observed ones, and the network's output."""
    dead: tuple[str, ...]
    """Values that no later step reads."""


def cut(network: Network, observed: Collection[str]) -> tuple[Step, ...]:
    """Return the segments of `network`, cut after each node that makes an `observed` value."""
    groups: list[list[NodeProto]] = [[]]
    for node in network.model.graph.node:
        groups[-1].append(node)
        if not set(observed).isdisjoint(node.output):
            groups.append([])
    return _steps(network, [group for group in groups if group], observed)


def _steps(
    network: Network, groups: Sequence[Sequence[NodeProto]], observed: Collection[str] = ()
) -> tuple[Step, ...]:
    """Return the `groups` of nodes with the values that pass between them, or are `observed`."""
    last = {name: i for i, group in enumerate(groups) for node in group for name in node.input}
    # No step reads the output, and yet it must outlive the last one.
    last[network.output] = len(groups)
    steps: list[Step] = []
    for i, group in enumerate(groups):
        results = dict.fromkeys(name for node in group for name in node.output if name)
        read = dict.fromkeys(name for node in group for name in node.input if name)
        inputs = tuple(n for n in read if n not in results and n not in network.constants)
        outputs = tuple(n for n in results if last.get(n, i) > i or n in observed)
        dead = tuple(name for name in (*inputs, *outputs) if last.get(name, i) <= i)
        steps.append(Step(tuple(group), inputs, outputs, dead))
    return tuple(steps)


class Runner:
    """The open segments of a network; run them from as many threads as you like.

    All segments take their memory from one arena of onnxruntime, else each of them would keep
    what it once used, or the system would have to clear every array anew.
    """

    def __init__(self, network: Network, segments: Sequence[Step]):
        _register_arena()  # measured: without it page faults doubled the time
        self._input = network.input
        self._segments = tuple(
            (segment, _open(segment_model(network, segment))) for segment in segments
        )
        # The arena shrinks at the end of a run only, so closing needs something to run.
        self._idle = _open(_idle_model())

    def run(self, image: NDArray[np.float32]) -> Iterator[Mapping[str, Array]]:
        """Yield the image, then the outputs of each segment, by name.

        Args:
            image: The network's input, NCHW. Don't keep what is yielded: it would not be freed.
        """
        values: dict[str, Array] = {self._input: image}
        yield values.copy()
        for segment, session in self._segments:
            feeds = {name: values[name] for name in segment.inputs}
            results = session.run(list(segment.outputs), feeds)
            values.update(zip(segment.outputs, results, strict=True))
            yield dict(zip(segment.outputs, results, strict=True))
            for name in segment.dead:
                del values[name]
            del feeds, results  # or a dead value would live through the next segment

    def run_through(self, image: NDArray[np.float32]) -> None:
        """Run on `image`, and keep nothing."""
        for _ in self.run(image):
            pass

    def close(self) -> None:
        """Close the segments and give the arena's memory back to the system."""
        import onnxruntime

        self._segments = ()
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._idle.run(None, {"x": np.zeros(1, np.float32)}, options)


def _register_arena() -> None:
    """Give the process an arena that sessions can share; a second call does nothing."""
    import onnxruntime

    kind, memory = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, memory)
    config = onnxruntime.OrtArenaCfg(0, 0, -1, -1)  # the library's defaults; no limit
    onnxruntime.create_and_register_allocator(place, config)


def _open(model: ModelProto) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised, and told then
    options.enable_mem_pattern = False  # would hold a block for each size of image
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Weights stay out of the arena, which grows in powers of two.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    content = model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def segment_model(network: Network, segment: Step) -> ModelProto:
    """Return `segment` as a network of its own."""
    read = {name for node in segment.nodes for name in node.input}
    graph = helper.make_graph(
        segment.nodes,
        "segment",
        [
            helper.make_tensor_value_info(name, network.types.get(name, TensorProto.FLOAT), None)
            for name in segment.inputs
        ],
        [ValueInfoProto(name=name) for name in segment.outputs],
        [tensor for tensor in network.model.graph.initializer if tensor.name in read],
    )
    whole = network.model
    return helper.make_model(graph, opset_imports=whole.opset_import, ir_version=whole.ir_version)


def _idle_model() -> ModelProto:
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([node], "idle", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@dataclass(frozen=True)
class Need:
    """Estimated bytes of memory for one image."""

    plain: int
    """Of the network run as a whole, node after node."""
    observed: int
    """Of the network run in segments and observed."""


def memory_need(network: Network, segments: Sequence[Step], shape: tuple[int, ...]) -> Need:
    """Return what an image of `shape`, NCHW, takes, from the sizes of the values held at a time."""
    sizes = value_bytes(network, shape)
    nodes = _steps(network, [[node] for node in network.model.graph.node])
    plain = max(held for _, held in _held(nodes, sizes))
    # onnxruntime copies what a segment reads and gives into the layout of its kernels, and back.
    copied = max(
        held + sum(sizes[name] for name in (*step.inputs, *step.outputs))
        for step, held in _held(segments, sizes)
    )
    largest = max(sizes[name] for step in segments for name in step.outputs)
    return Need(plain, max(copied, plain + largest))


def _held(steps: Iterable[Step], sizes: Mapping[str, int]) -> Iterator[tuple[Step, int]]:
    """Yield each step with the bytes of the values that are held while it runs."""
    held: dict[str, int] = {}
    for step in steps:
        held.update((name, sizes[name]) for name in (*step.inputs, *step.outputs))
        yield step, sum(held.values())
        for name in step.dead:
            held.pop(name)


def value_bytes(network: Network, shape: tuple[int, ...]) -> dict[str, int]:
    """Return the size of each value for an image of `shape`; of unknown ones, of the largest."""
    known: dict[str, int] = {}
    for name, kind in inferred(network.model, shape).items():
        dims = kind.shape.dim
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            width = helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize
            known[name] = width * int(np.prod([dim.dim_value for dim in dims]))
    largest = max(known.values())
    names = (name for node in network.model.graph.node for name in node.output if name)
    return known | {name: largest for name in names if name not in known}
