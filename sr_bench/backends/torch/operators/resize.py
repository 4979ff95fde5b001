"""Resize, axis by axis, with the positions and weights that ONNX defines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sr_bench.backends.torch.operators.node import Build, Node, Run, integers

_T = TypeVar("_T")
_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Axis:
    """One axis that changes its size."""

    before: int
    after: int
    scale: np.float32

    def half_pixel(self) -> _Floats:
        return (
            np.arange(self.after, dtype=np.float32) + np.float32(0.5)
        ) / self.scale - np.float32(0.5)

    def asymmetric(self) -> _Floats:
        return np.arange(self.after, dtype=np.float32) / self.scale

    def align_corners(self) -> _Floats:
        step = np.float32(max(self.before - 1, 0)) / np.float32(max(self.after - 1, 1))
        return np.arange(self.after, dtype=np.float32) * step

    def pytorch_half_pixel(self) -> _Floats:
        return self.half_pixel() if self.after > 1 else np.zeros(1, np.float32)

    def half_pixel_symmetric(self) -> _Floats:
        adjustment = np.float32(self.after) / (self.scale * np.float32(self.before))
        offset = np.float32(self.before / 2) * (1 - adjustment)
        return np.asarray(offset + self.half_pixel(), np.float32)


_POSITIONS: Mapping[str, Callable[[_Axis], _Floats]] = {
    "half_pixel": _Axis.half_pixel,
    "asymmetric": _Axis.asymmetric,
    "align_corners": _Axis.align_corners,
    "pytorch_half_pixel": _Axis.pytorch_half_pixel,
    "half_pixel_symmetric": _Axis.half_pixel_symmetric,
}
"""By ``coordinate_transformation_mode``: the source's position for each place, in float32 as
onnxruntime computes it, since ``nearest`` turns the last bit into a pixel."""

_ROUNDINGS: Mapping[str, Callable[[_Floats], _Floats]] = {
    "round_prefer_floor": lambda at: np.ceil(at - np.float32(0.5)),
    "round_prefer_ceil": lambda at: np.floor(at + np.float32(0.5)),
    "floor": np.floor,
    "ceil": np.ceil,
}

_Taps = list[tuple[NDArray[np.int64], _Floats]]
"""Sources of each place and their weights."""


def _nearest(node: Node) -> Callable[[_Floats, int], _Taps]:
    node.only("nearest_mode", *_ROUNDINGS)
    rounding = _ROUNDINGS[node.word("nearest_mode", "round_prefer_floor")]

    def taps(at: _Floats, size: int) -> _Taps:
        return [(np.clip(rounding(at).astype(np.int64), 0, size - 1), np.ones_like(at))]

    return taps


def _linear(_node: Node) -> Callable[[_Floats, int], _Taps]:
    def taps(at: _Floats, size: int) -> _Taps:
        inside = np.clip(at, 0, size - 1)
        first = np.floor(inside).astype(np.int64)
        weight = (inside - first).astype(np.float32)
        return [(first, 1 - weight), (np.minimum(first + 1, size - 1), weight)]

    return taps


def _cubic(node: Node) -> Callable[[_Floats, int], _Taps]:
    a, excludes = node.number("cubic_coeff_a", -0.75), node.integer("exclude_outside")

    def taps(at: _Floats, size: int) -> _Taps:
        first = np.floor(at).astype(np.int64)
        places = np.stack([first + k for k in (-1, 0, 1, 2)])
        weights = _keys(np.abs(at.astype(np.float64) - places), a)
        if excludes:
            weights *= (places >= 0) & (places < size)
            weights /= weights.sum(axis=0)
        inside = np.clip(places, 0, size - 1)
        return list(zip(inside, weights.astype(np.float32), strict=True))

    return taps


def _keys(distance: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Return the weights of the cubic convolution.

    Source: R. Keys, Cubic convolution interpolation for digital image processing, 1981.
    """
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


_MODES = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}


def _resize(node: Node) -> Run:
    positions = _choice(node, "coordinate_transformation_mode", "half_pixel", _POSITIONS)
    taps = _choice(node, "mode", "nearest", _MODES)(node)
    node.only("antialias", 0)
    node.only("keep_aspect_ratio_policy", "stretch")
    # These decide nothing in the other modes, but exporters write them always.
    for name in ("nearest_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value"):
        node.value(name)
    axes = node.integers("axes")

    def run(
        x: Tensor,
        _roi: Tensor | None = None,
        scales: Tensor | None = None,
        sizes: Tensor | None = None,
    ) -> Tensor:
        for axis, change in _axes(x, axes, scales, sizes):
            x = _resampled(x, axis, taps(positions(change), change.before))
        return x

    return run


def _choice(node: Node, name: str, default: str, table: Mapping[str, _T]) -> _T:
    node.only(name, default, *table)
    return table[node.word(name, default)]


def _axes(
    x: Tensor, axes: tuple[int, ...], scales: Tensor | None, sizes: Tensor | None
) -> list[tuple[int, _Axis]]:
    """Return the axes that change, with how."""
    chosen = axes or tuple(range(x.ndim))
    before = [x.shape[axis] for axis in chosen]
    if scales is not None and scales.numel():
        factors = [np.float32(factor) for factor in scales.tolist()]
        after = [
            int(factor * np.float32(size)) for factor, size in zip(factors, before, strict=True)
        ]
    elif sizes is not None:
        after = integers(sizes)
        factors = [np.float32(n) / np.float32(m) for n, m in zip(after, before, strict=True)]
    else:
        msg = "expected scales or sizes, got neither"
        raise ValueError(msg)
    changes = zip(chosen, map(_Axis, before, after, factors), strict=True)
    return [(axis, change) for axis, change in changes if change.scale != 1]


def _resampled(x: Tensor, axis: int, taps: _Taps) -> Tensor:
    shape = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    total: Tensor | None = None
    for places, weight in taps:
        part = x.index_select(axis, torch.from_numpy(places).to(x.device))
        if len(taps) > 1:
            part.mul_(torch.from_numpy(weight).to(part).reshape(shape))
        total = part if total is None else total.add_(part)
    assert total is not None
    return total


TABLE: Mapping[str, Build] = {"Resize": _resize}
