"""What each channel of a network's tensors holds: extremes and power, from parts of some images."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.network_io import NetworkInput
from sr_bench.precision.network import Network
from sr_bench.precision.segments import Array, Runner, cut
from sr_bench.precision.tiles import ANY_SIZE, MIDDLE, Cutter

_LEAST = 1 / 16
"""Part of a tensor's range that each channel is taken to reach: one that is quiet on a few images
may not be so on others, and what is scaled up too far is clipped."""


@dataclass(frozen=True)
class Profile:
    """The channels of a tensor."""

    low: NDArray[np.float64]
    """The smallest value of each, at most 0; shape (C,)."""
    high: NDArray[np.float64]
    """The largest, at least 0."""
    power: NDArray[np.float64]
    """Mean square of each."""

    @property
    def largest(self) -> NDArray[np.float64]:
        """The largest magnitude of each."""
        return np.maximum(self.high, -self.low)

    @classmethod
    def of(cls, values: Array) -> "Profile":
        """Return the profile of `values`, N x C x H x W."""
        axes = (0, 2, 3)
        low, high = values.min(axis=axes, initial=0), values.max(axis=axes, initial=0)
        power = np.square(values).mean(axis=axes, dtype=np.float64)
        return cls(low.astype(np.float64), high.astype(np.float64), power)

    @classmethod
    def merged(cls, parts: Sequence["Profile"]) -> "Profile":
        """Return the profile of all `parts`, which count alike."""
        low = np.min([part.low for part in parts], axis=0)
        high = np.max([part.high for part in parts], axis=0)
        power = np.mean([part.power for part in parts], axis=0)
        return cls(low, high, power)

    @property
    def awake(self) -> "Profile":
        """The profile, with no channel of less reach than is taken for granted."""
        low, high = np.minimum(self.low, self.low.min() * _LEAST), self.high
        return replace(self, low=low, high=np.maximum(high, high.max() * _LEAST))


def channel_profiles(
    network: Network,
    tensors: Collection[str],
    inputs: Mapping[str, Callable[[], NDArray[np.float32]]],
    *,
    workers: int,
    given: NetworkInput = ANY_SIZE,
    side: int = MIDDLE,
) -> dict[str, Profile]:
    """Return the profile of each of `tensors`, from one piece of each of `inputs`.

    Args:
        network: Run in float32.
        tensors: Of four axes.
        inputs: By name of the image: a function that returns it, of shape (1, C, H, W).
        workers: Pieces that run at the same time.
        given: The sizes that the network takes, as far as its card says.
        side: Pixels of height and width of a piece at most, where any size will do.
    """
    runner = Runner(network, cut(network, tensors))

    def profiles(piece: NDArray[np.float32]) -> dict[str, Profile]:
        try:
            return {
                name: Profile.of(array)
                for values in runner.run(piece)
                for name, array in values.items()
                if name in tensors
            }
        # Of what can't run, the pass over all images says why; a piece may just be too small.
        except Exception:
            return {}

    found: dict[str, list[Profile]] = {}
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="profile") as executor:
            parts = Cutter.of(network, runner.run_through, given).pieces(inputs, side)
            for of_piece in executor.map(profiles, parts):  # in the order of the images
                for name, profile in of_piece.items():
                    found.setdefault(name, []).append(profile)
    finally:
        runner.close()
    return {name: Profile.merged(each) for name, each in found.items()}
