"""Predict what any int8 plan loses from the errors of layers, and which to leave in float next."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sr_bench.precision.network import Layer, Network
from sr_bench.precision.noise.carried import Errors
from sr_bench.precision.points import MOVES

_LEAST_SHARE = 1e-4
"""Of the multiplications that a layer is held to cost in float: there is more to it than those."""
Squares = NDArray[np.float64]
"""Mean squared errors at the output, one for each image."""


@dataclass(frozen=True)
class Predictor:
    """The errors of a network's layers on some images; errors of different layers add up."""

    network: Network
    images: Sequence[Sequence[Errors]]
    blocked: Mapping[Layer, str]
    """Layers whose errors are not known, with the operator that they can't be carried through."""

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Those that make an error, in the network's order."""
        of = {errors.layer for image in self.images for errors in image}
        return tuple(layer for layer in self.network.layers if layer in of)

    def read_by(self, layer: Layer) -> Squares:
        """Return the error by the rounding of what `layer` reads, whoever rounds it."""
        giver = self._giver.get(layer.input)
        if giver is None:
            return self._read([layer])
        return np.array([by_layer[giver].given_square for by_layer in self._by_layer])

    def chosen(self, ways: Sequence["Predictor"], of: Mapping[Layer, int]) -> "Predictor":
        """Return the errors with what each layer reads rounded in the way that `of` numbers."""
        readers = {giver: of[layer] for layer in self.layers
                   if (giver := self._giver.get(layer.input)) is not None}  # fmt: skip
        images = [
            [
                replace(
                    errors,
                    read=ways[of[layer]]._by_layer[i][layer].read,
                    given=ways[readers.get(layer, 0)]._by_layer[i][layer].given,
                )
                for layer, errors in by_layer.items()
            ]
            for i, by_layer in enumerate(self._by_layer)
        ]
        return replace(self, images=images)

    def alone(self, layer: Layer) -> Squares:
        """Return the error of each image with `layer` alone in int8."""
        return self._own[layer] + self._read([layer])

    def mean_square(self, kept: Collection[Layer]) -> Squares:
        """Return the error of each image with all layers but `kept` in int8."""
        int8 = [layer for layer in self.layers if layer not in kept]
        inputs = {layer.input for layer in int8}
        own = sum((self._own[layer] for layer in int8), np.zeros(len(self.images)))
        return sum((self._rounded(name, {*int8}) for name in inputs), own)

    def relenting(
        self, kept: Collection[Layer] = (), budget: float = 1.0
    ) -> Iterator[tuple[str, Squares]]:
        """Yield names of layers, each time the one whose float gains most for what it multiplies.

        Beside each is the error of every image with all so far, and those `kept`, in float. The
        first is the first to leave in float; one layer stays, and those yielded have at most the
        part `budget` of the multiplications together.
        """
        int8 = {layer for layer in self.layers if layer not in kept}
        groups: dict[str, list[Layer]] = defaultdict(list)
        for layer in sorted(int8, key=lambda layer: layer.name):
            groups[layer.name].append(layer)
        shares = {name: sum(layer.share for layer in group) for name, group in groups.items()}
        left = self.mean_square(kept)
        gained: dict[str, Squares] = {}
        changed = set(groups)
        while len(groups) > 1:
            gained |= {name: self._gained(groups[name], int8) for name in changed}
            part = 1 / np.maximum(left, 1e-300)
            worth = {name: float(np.mean(gained[name] * part)) / max(shares[name], _LEAST_SHARE)
                     for name in groups if shares[name] <= budget}  # fmt: skip
            if not worth:
                return
            best = max(worth, key=worth.__getitem__)
            gone, budget, left = groups.pop(best), budget - shares[best], left - gained[best]
            int8 -= {*gone}
            yield best, left
            near = [layer for name in self._near(gone) for layer in self._beside(name)]
            changed = groups.keys() & {layer.name for layer in near}

    def trimmed(self, names: Sequence[str], most: float) -> tuple[str, ...]:
        """Return layers with less to multiply than `names` whose largest error is at most `most`.

        A smaller one takes the place of the last where that is enough; then all go that are not
        needed. To keep to an order costs up to half of the multiplications.
        """
        groups: dict[str, list[Layer]] = defaultdict(list)
        for layer in self.layers:
            groups[layer.name].append(layer)
        shares = {name: sum(layer.share for layer in group) for name, group in groups.items()}

        def lost(kept: Collection[str]) -> float:
            of = {layer for name in kept for layer in groups.get(name, ())}
            return float(self.mean_square(of).max())

        first, last = names[:-1], names[-1:]
        smaller = (n for n in sorted(shares, key=shares.__getitem__) if n not in names)
        for name in smaller if last and last[0] in shares else ():
            if shares[name] < shares[last[0]] and lost((*first, name)) <= most:
                last = (name,)
                break
        kept = [*first, *last]
        for name in sorted(kept, key=lambda name: -shares.get(name, 0.0)):
            if name in shares and lost([other for other in kept if other != name]) <= most:
                kept.remove(name)
        return tuple(kept)

    def _gained(self, group: Sequence[Layer], int8: set[Layer]) -> Squares:
        """Return the noise that `group` in float takes away."""
        without = int8 - {*group}
        gained = sum((self._own[layer] for layer in group), np.zeros(len(self.images)))
        for name in self._near(group):
            gained = gained + self._rounded(name, int8) - self._rounded(name, without)
        return gained

    def _near(self, group: Sequence[Layer]) -> set[str]:
        """Return the tensors that layers read, of which what `group` is in decides the rounding."""
        read = {layer.input for layer in group}
        return read | {name for layer in group for name in self._behind[layer]}

    def _beside(self, name: str) -> Iterator[Layer]:
        """Yield the layers that read a tensor, and the one that gives it."""
        yield from self._readers[name]
        if name in self._giver:
            yield self._giver[name]

    def _rounded(self, name: str, int8: Collection[Layer]) -> Squares:
        """Return what rounding what layers read adds, unless an int8 layer gave it rounded."""
        if self._giver.get(name) in int8:
            return np.zeros(len(self.images))
        return self._read([layer for layer in self._readers[name] if layer in int8])

    def _read(self, layers: Sequence[Layer]) -> Squares:
        """Return the error by the rounding of one tensor that `layers` read: they share it."""
        if not layers:
            return np.zeros(len(self.images))
        return np.array(
            [
                np.square(sum(by_layer[layer].read for layer in layers)).sum()
                / by_layer[layers[0]].values
                for by_layer in self._by_layer
            ]
        )

    @cached_property
    def _by_layer(self) -> Sequence[Mapping[Layer, Errors]]:
        return [{errors.layer: errors for errors in image} for image in self.images]

    @cached_property
    def _own(self) -> Mapping[Layer, Squares]:
        """What the rounding of weights and of what a layer gives adds."""
        return {
            layer: np.array([by_layer[layer].own for by_layer in self._by_layer])
            for layer in self.layers
        }

    @cached_property
    def _readers(self) -> Mapping[str, Sequence[Layer]]:
        readers: dict[str, list[Layer]] = defaultdict(list)
        for layer in self.layers:
            readers[layer.input].append(layer)
        return readers

    @cached_property
    def _giver(self) -> Mapping[str, Layer]:
        """The layer that gives what another one reads, through a ReLU or what moves values."""
        by_node, producers = {layer.node: layer for layer in self.layers}, self.network.producers
        givers: dict[str, Layer] = {}
        for name in self._readers:
            node = producers.get(name)
            while node is not None and node.op_type in (*MOVES, "Relu"):
                node = producers.get(node.input[0])
            if node is not None and node.name in by_node:
                givers[name] = by_node[node.name]
        return givers

    @cached_property
    def _behind(self) -> Mapping[Layer, Sequence[str]]:
        behind: dict[Layer, list[str]] = defaultdict(list)
        for name, layer in self._giver.items():
            behind[layer].append(name)
        return behind
