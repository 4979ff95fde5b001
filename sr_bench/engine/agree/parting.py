"""Find the layer at which two runtimes part: both run the network up to one value after another."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from sr_bench import discovery
from sr_bench.core.agreement import LayerApart, PairApart, Parting
from sr_bench.core.backend import Artefact
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.precision import Precision
from sr_bench.engine.job import Progress
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import SrBenchError
from sr_bench.files.onnx_cut import cut_behind, image_values, is_rounded
from sr_bench.files.onnx_file import load_onnx
from sr_bench.files.temporary import temporary_folder

_SIDE = 96  # pixels of the middle of the image, so that a layer takes milliseconds
_SPREAD = 6  # values that are looked at first
_SEEN = 1e-4  # part of the span by which a value has to differ; a level of int8 is 39 of them
_ROUNDING = {"fp16": 2e-3}
_ROUNDING_FP32 = 2e-5
"""Rms difference, as part of the span, up to which the order of float sums explains it."""

_Bracket = tuple[int, int]
"""Numbers of two values, of which the second is further apart; -1: the input."""


class Prober:
    """Runs a network up to a value on two runtimes.

    Args:
        artefact: The whole file.
        selection: The session's options.
        reads: What the network reads.
        lr: The image, 1 x C x H x W.
    """

    def __init__(
        self, artefact: Artefact, selection: Selection, reads: NetworkInput, lr: NDArray[np.float32]
    ) -> None:
        assert artefact.onnx is not None
        self._artefact, self._selection = artefact, selection
        self._model = load_onnx(artefact.onnx)
        self._whole = lr if reads.size is None else _middle(lr, reads)
        self._lr = _middle(lr, reads)

    @cached_property
    def values(self) -> Sequence[str]:
        """What can be looked at, in the graph's order."""
        return image_values(self._model, self._lr.shape)

    @property
    def rounding(self) -> float:
        """Rms difference that the order of sums explains."""
        return _ROUNDING.get(self._artefact.precision.dtype, _ROUNDING_FP32)

    def widen(self, first: str, second: str) -> None:
        """Look at the whole image from now on if two backends do not part on its middle."""
        end = self.apart(self.values[-1], first, second)
        if end and end.rms <= self.rounding:
            self._lr = self._whole

    def apart(self, value: str, first: str, second: str) -> LayerApart | None:
        """Return how far two backends are apart behind `value`; None if one can't run so much."""
        cut = cut_behind(self._model, value)
        precision = self._artefact.precision
        if precision.dtype == "int8" and not is_rounded(cut):
            precision = Precision.FP32
        with temporary_folder() as folder:
            path = Path(folder, "cut.onnx")
            onnx.save(cut, path)
            artefact = replace(
                self._artefact, onnx=path, load_module=None, precision=precision, digest=""
            )
            try:
                a, b = (self._run(artefact, backend) for backend in (first, second))
            except SrBenchError:
                return None
        apart = np.abs(np.subtract(a, b, dtype=np.float64)) / (float(np.ptp(a)) or 1.0)
        rms, share = np.sqrt(np.square(apart).mean()), (apart > _SEEN).mean()
        return LayerApart(value, float(rms), float(share))

    def _run(self, artefact: Artefact, backend: str) -> NDArray[np.float32]:
        module, options = discovery.load("sr_bench.backends", backend), self._selection
        with module.open_session(artefact, options=options.backend_options) as session:
            output: NDArray[np.float32] = session.run(self._lr)
        return output


def find_parting(prober: Prober, pair: PairApart, limit_s: float, progress: Progress) -> Parting:
    """Return where the two runtimes of `pair` part, as far as `limit_s` seconds tell.

    Some values are looked at from the input to the output; then, by halving, those between the two
    where the difference begins, and between the two where it grows most.
    """
    values, end = prober.values, time.monotonic() + limit_s
    looked: dict[int, LayerApart | None] = {}

    def look(index: int) -> bool:
        if index in looked or time.monotonic() > end:
            return False
        looked[index] = prober.apart(values[index], pair.first, pair.second)
        progress(len(looked), len(values), values[index])
        return True

    def begins() -> _Bracket | None:
        return _begins(_known(looked), prober.rounding)

    def steepest() -> _Bracket | None:
        return _steepest(_known(looked), prober.rounding)

    for index in np.linspace(0, len(values) - 1, min(_SPREAD, len(values))):
        look(round(index))
    _halve(begins, look)
    _halve(steepest, look)
    start, most = begins(), steepest()
    return Parting(
        pair.first,
        pair.second,
        pair.worst.image,
        begins=looked[start[1]] if start else None,
        most=looked[most[1]] if most else None,
        before=looked.get(most[0]) if most else None,
        tried=len(looked),
        planned=len(values),
    )


def _halve(bracket: Callable[[], _Bracket | None], look: Callable[[int], bool]) -> None:
    """Look at the middle of `bracket` until its two ends are neighbours, or time is over."""
    while (found := bracket()) and found[1] - found[0] > 1:
        if not look(sum(found) // 2):
            return


def _known(looked: Mapping[int, LayerApart | None]) -> Sequence[tuple[int, float]]:
    """Return the number of each value that both could be run up to, and the difference there."""
    there = ((index, looked[index]) for index in sorted(looked))
    return [(index, found.rms) for index, found in there if found]


def _begins(known: Sequence[tuple[int, float]], rounding: float) -> _Bracket | None:
    """Return the first value that differs by more than `rounding`, and the one before it."""
    before = -1
    for index, rms in known:
        if rms > rounding:
            return before, index
        before = index
    return None


def _steepest(known: Sequence[tuple[int, float]], rounding: float) -> _Bracket | None:
    """Return the two neighbours between which the difference grows most above all before."""
    before, highest, most, found = -1, 0.0, rounding, None
    for index, rms in known:
        if rms - highest > most:
            most, found = rms - highest, (before, index)
        before, highest = index, max(highest, rms)
    return found


def _middle(lr: NDArray[np.float32], reads: NetworkInput) -> NDArray[np.float32]:
    """Return the middle of `lr` in a size that the network takes."""
    number = reads.multiple_of
    most = (max(_SIDE // number, 1) * number,) * 2
    sides = [
        min(have - have % number or have, side)
        for have, side in zip(lr.shape[2:], reads.size or most, strict=True)
    ]
    top, left = ((have - side) // 2 for have, side in zip(lr.shape[2:], sides, strict=True))
    return np.ascontiguousarray(lr[..., top : top + sides[0], left : left + sides[1]])
