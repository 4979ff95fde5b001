"""What the int8 errors of each layer come to at a network's output, from one pass and back.

Each layer's own error is what rounding its input, its weights and its output changes in what it
gives, everything else being exact. To first order it arrives at the output multiplied by the
network's derivative, which is carried back from an output of random signs. The square of what that
and an error have in common is, on average, the error's energy at the output. Each block of 8x8
pixels is a draw of its own: what one adds at the output lies mostly beside what others add.

Source: M. F. Hutchinson, A stochastic estimator of the trace of the influence matrix, 1990.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr_bench.precision.network import Layer, Network
from sr_bench.precision.noise.backward import Backward, blocked, needed
from sr_bench.precision.noise.nodes import Nodes
from sr_bench.precision.points import given, gives_image
from sr_bench.precision.qdq.lanes import copies_of
from sr_bench.precision.qdq.rounding import IntegerWeights
from sr_bench.precision.qdq.scale import Scale
from sr_bench.precision.segments import Array, value_bytes

_BLOCK = 8
_FEW = 4
_LARGEST = np.float32(255)
_SIDE, _LARGEST_SIDE = 64, 128
Blocks = NDArray[np.float64]
"""What blocks of pixels add to the product of an error with the random output."""


@dataclass(frozen=True)
class Errors:
    """What one layer's errors have in common with a random output, block by block.

    The mean square at the output is the sum of squares over `values`, the output's size.
    """

    layer: Layer
    read: Blocks
    """By the rounding of what it reads, as it alone reads it."""
    weights: Blocks
    given: Blocks
    """By the rounding of what it gives, behind its ReLU if only that reads it."""
    values: int

    @property
    def own(self) -> float:
        """Mean square at the output by its weights, and by the rounding of what it gives."""
        return float(np.square(self.weights).sum()) / self.values + self.given_square

    @property
    def given_square(self) -> float:
        """Mean square at the output by the rounding of what it gives."""
        return float(np.square(self.given).sum()) / self.values


def largest_side(network: Network, channels: int, memory_bytes: int) -> int:
    """Return the side of a square image whose errors fit into the memory, 16 to 128 pixels."""
    sizes = value_bytes(network, (1, channels, _SIDE, _SIDE))
    held = sum(sizes.get(name, 0) for name in _needed(network))
    side = _SIDE * (memory_bytes / max(held, 1)) ** 0.5
    return int(min(max(side // 16 * 16, 16), _LARGEST_SIDE))


class Carrier:
    """Carries the errors of a network's layers to its output, for one image at a time."""

    def __init__(self, network: Network, weights: Mapping[str, IntegerWeights]) -> None:
        self._network, self._weights = network, weights
        self.blocked = blocked(network)
        """Layers whose errors can't be carried to the output, with the operator at fault."""
        self._nodes = Nodes(network)
        self._needed = _needed(network)
        self._backward = Backward(network, self._nodes)
        self._copies = {
            layer: copies_of(len(network.constants[layer.weight]))
            if gives_image(network, layer)
            else 1
            for layer in network.layers
        }

    def errors(
        self,
        image: NDArray[np.float32],
        scales: Sequence[Callable[[str], Scale]],
        seed: int = 0,
    ) -> tuple[tuple[Errors, ...], ...]:
        """Return the errors of the layers, the last one first, but for those `blocked`.

        Args:
            image: The network's input, NCHW.
            scales: Ways to round: each returns how a tensor is rounded, by its name.
            seed: Of the random output.

        Returns:
            The errors by each of `scales`.

        Raises:
            BackendError: An operator gives what its rule doesn't know.
        """
        values = self._nodes.values(image, self._needed)
        shape = values[self._network.output].shape
        signs = np.random.default_rng(seed).integers(0, 2, shape).astype(np.float32) * 2 - 1
        found: list[list[Errors]] = [[] for _ in scales]
        for met in self._backward.met(values, signs):
            if met.layer in self.blocked:
                continue
            layer, name = met.layer, given(self._network, met.layer)
            copies = self._copies[layer]
            changed = met.convolution.changed(values[layer.input], self._weights[layer.weight])
            weights = _common(changed, met.given) / copies
            for scale, errors in zip(scales, found, strict=True):
                # The ReLU between lets pass what is above 0, and 0 is rounded exactly.
                read = _common(_rounding(values[layer.input], scale(layer.input)), met.read)
                gives = _common(_rounding(values[name], scale(name)), met.given) / copies**0.5
                errors.append(Errors(layer, read, weights, gives, int(np.prod(shape))))
        return tuple(map(tuple, found))


def _needed(network: Network) -> frozenset[str]:
    """Return the values that the way back reads; of others it only needs sizes."""
    rounded = {name for layer in network.layers for name in (layer.input, given(network, layer))}
    return frozenset(rounded | needed(network))


def _rounding(values: Array, scale: Scale) -> Array:
    """Return what rounding changes in `values`."""
    moved = values / scale.q_scale
    np.rint(moved, out=moved)
    zero = np.float32(scale.zero_point)
    np.clip(moved, -zero, _LARGEST - zero, out=moved)
    moved *= scale.q_scale
    moved -= values
    return moved


def _common(error: Array, gradient: Array) -> Blocks:
    """Return the sums over blocks of the product of two arrays N x C x H x W.

    Where there are few blocks, as behind a pooling of all pixels, each channel has its own.
    """
    few = np.prod(error.shape[2:]) < _FEW * _BLOCK**2
    plane = error * gradient if few else np.einsum("nchw,nchw->nhw", error, gradient)
    height, width = plane.shape[-2:]
    edges = [(0, 0)] * (plane.ndim - 2)
    whole = np.pad(plane, [*edges, (0, -height % _BLOCK), (0, -width % _BLOCK)])
    tall, wide = (size // _BLOCK for size in whole.shape[-2:])
    parts = whole.reshape(-1, tall, _BLOCK, wide, _BLOCK)
    sums: Blocks = parts.sum(axis=(2, 4), dtype=np.float64).reshape(-1)
    return sums
