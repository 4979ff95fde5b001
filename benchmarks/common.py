"""What several benchmarks share; they run as scripts, and import this from their folder."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sr_bench.precision.histogram import USUAL, Counting
from sr_bench.precision.network import Network
from sr_bench.precision.statistics.calibrate import Statistics, collect
from sr_bench.system.cpu import usable_cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def histograms_of(
    network: Network, images: Sequence[np.ndarray], counting: Counting = USUAL
) -> Statistics:
    """Return the statistics of one pass over `images`, float32 NCHW, without second moments."""
    return collect(
        network,
        {str(i): partial(lambda x: x, image) for i, image in enumerate(images)},
        memory_bytes=2**30,
        moments=False,
        workers=usable_cores(),
        progress=lambda *_: None,
        counting=counting,
    )


def open_plain(path: Path) -> "InferenceSession":
    """Open the network as anybody would, one thread for each run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def runner(session: "InferenceSession") -> Callable[[np.ndarray], np.ndarray]:
    """Return what runs `session` on an image."""
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how long `call` takes."""
    start = clock()
    call()
    return clock() - start


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each call in each round; in a round all take their turn.

    They are those of the processor on this thread, which does all the work: other jobs don't count.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            spent = seconds(call, time.thread_time)
            if turn:  # the first is slower
                taken[name].append(spent)
    return taken


def print_ratios(label: str, ratios: Sequence[float]) -> None:
    """Print the median and the spread."""
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{label}: x{statistics.median(ratios):.2f} ({spread})", flush=True)
