"""Measure how much of the noise of each rounded tensor reaches a network's output, by channel.

Noise of rounding is independent from value to value: its power at the output is its own times the
squares of the derivative there, which one pass back from an output of random signs gives on
average. A channel has many values, so few passes do.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.network_io import NetworkInput
from sr_bench.precision.network import Network
from sr_bench.precision.noise.backward import Backward, blocked, needed
from sr_bench.precision.noise.nodes import Nodes
from sr_bench.precision.segments import Array
from sr_bench.precision.tiles import ANY_SIZE, Cutter

Doubles = NDArray[np.float64]


@dataclass
class Reach:
    """The power at the output for noise of power 1 in all of a channel, up to one factor.

    By name of the tensor, shape (C,); those are left out from which an operator without a rule is
    on the way.
    """

    read: dict[str, Doubles] = field(default_factory=dict)
    """Of what layers read, through these layers."""
    given: dict[str, Doubles] = field(default_factory=dict)
    """Of what they give."""


def reach(
    network: Network,
    inputs: Mapping[str, Callable[[], NDArray[np.float32]]],
    given: NetworkInput = ANY_SIZE,
) -> Reach:
    """Return the reach of noise in `network`, over one piece of each of `inputs`.

    These and `given` are those of `channel_profiles`.

    Raises:
        BackendError: An operator gives what its rule doesn't know.
    """
    found, nodes = Reach(), Nodes(network)
    backward, values_needed, unknown = Backward(network, nodes), needed(network), blocked(network)
    for seed, piece in enumerate(Cutter.of(network, nodes.values, given).pieces(inputs)):
        try:
            values = nodes.values(piece, values_needed)
        # Of what can't run, the pass over all images says why; a piece may just be too small.
        except Exception:
            continue
        shape = values[network.output].shape
        signs = np.random.default_rng(seed).integers(0, 2, shape).astype(np.float32) * 2 - 1
        left = Counter(layer.input for layer in network.layers if layer not in unknown)
        parts: dict[str, Array] = {}
        for met in backward.met(values, signs):
            if met.layer in unknown:
                continue
            name = met.layer.input
            parts[name] = parts[name] + met.read if name in parts else met.read
            left[name] -= 1
            if not left[name]:  # of all layers that read it
                _add(found.read, name, parts.pop(name))
            _add(found.given, met.layer.output, met.given)
    return found


def _add(sums: dict[str, Doubles], name: str, gradient: Array) -> None:
    power = np.square(gradient).sum(axis=(0, 2, 3), dtype=np.float64)
    sums[name] = sums[name] + power if name in sums else power
