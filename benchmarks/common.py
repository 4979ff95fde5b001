"""What several benchmarks share; they run as scripts, and import this from their folder."""

import statistics
from collections.abc import Sequence
from functools import partial

import numpy as np

from sr_bench.precision.calibrate import Statistics, collect
from sr_bench.precision.network import Network
from sr_bench.system.cpu import usable_cores


def histograms_of(network: Network, images: Sequence[np.ndarray]) -> Statistics:
    """Return the statistics of one pass over `images`, float32 NCHW, without second moments."""
    return collect(
        network,
        {str(i): partial(lambda x: x, image) for i, image in enumerate(images)},
        memory_bytes=2**30,
        moments=False,
        workers=usable_cores(),
        progress=lambda *_: None,
    )


def print_ratios(label: str, ratios: Sequence[float]) -> None:
    """Print the median and the spread."""
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{label}: x{statistics.median(ratios):.2f} ({spread})", flush=True)
