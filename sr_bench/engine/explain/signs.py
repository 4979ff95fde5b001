"""Read the signs in an output's error: where it is, and what it looks like."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import RING_PX
from sr_bench.engine.explain.displaced import displaced
from sr_bench.engine.score.fidelity import Fidelity, fidelity

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

_SWAP_GAIN_DB = 6.0
"""What swapping the channels back must gain before they count as swapped."""

_RING_BEHIND_DB = 3.0
_EXPLAINED_PART = 0.3
"""Part of the squared error that a constant, or a factor, must explain to be reported; in healthy
int8 networks it is at most 0.19 (measured: four models, four modes, 12 images each)."""

_CLIPPED_PART = 0.25
"""Part of the squared error that must lie where the output is at its limit, and fp32 beyond."""

_PLATEAU = 20
"""Times that the extreme of an output must occur before it counts as a limit."""

_WHOLE_PART = 0.999
"""Part of the values that must be whole levels before the output counts as rounded."""

_LEAST_OFF = 0.05
"""Levels of 255 below which nothing is said of how far they are off: rounding to nearest."""

_WHOLE_LEVEL = 1e-3  # as near is a value to a whole level that counts as one

_LINE_RATIO = 6.0
"""How far the squared error of a row or column must stand out from those around it: of healthy int8
networks none reaches 3 (measured: four models, four modes, 12 images each)."""

_LINE_PART = 0.03
"""Part of the squared error that must lie in such lines."""

_AROUND = 8  # lines on each side that one is compared with


def signs(
    low: Array, reference: Array, lr: Array, compute: Callable[[Array], Array], *, white: float
) -> Iterator[str]:
    """Yield what the error of `low` looks like, in sentences.

    `low` and `reference` are the outputs of the low precision and of fp32 for the input `lr`, all
    NCHW; `compute` is the fp32 network and `white` its white level.
    """
    plain = fidelity(low, reference, white=white)
    if swapped := _swapped(low, reference, lr, compute, white, plain.all_db):
        yield swapped  # all other signs follow from that
        return
    if moved := displaced(low, reference, low.shape[-1] // lr.shape[-1]):
        yield moved
        return
    yield from _clipped(low, reference, white)
    yield from _whole(low, reference, white)
    yield from _affine(low, reference, white)
    yield from _lines(low, reference)
    yield from _ring(low, reference, white, plain)


def _swapped(
    low: Array,
    reference: Array,
    lr: Array,
    compute: Callable[[Array], Array],
    white: float,
    plain: float,
) -> str:
    of_swapped = compute(np.ascontiguousarray(lr[:, ::-1]))
    others = {
        "its input": of_swapped,
        "its output": reference[:, ::-1],
        "its input and output": of_swapped[:, ::-1],
    }
    gained = {what: fidelity(low, other, white=white).all_db for what, other in others.items()}
    what = max(gained, key=lambda name: gained[name])
    if gained[what] <= plain + _SWAP_GAIN_DB:
        return ""
    return (
        f"the low precision takes BGR for RGB in {what}: compared with an fp32 network"
        f" that does so too, its fidelity is {gained[what]:.1f} dB instead of {plain:.1f} dB"
    )


def _lines(low: Array, reference: Array) -> Iterator[str]:
    """Yield the rows and columns whose error stands out: seams between tiles look so."""
    squares = np.square(np.subtract(low, reference, dtype=np.float64))
    inside = squares[..., RING_PX:-RING_PX, RING_PX:-RING_PX]  # the border has a sign of its own
    for what in ("column", "row"):
        if min(inside.shape[-2:]) <= 2 * _AROUND:
            return
        # The median along a line: a spot of large errors, as texture makes, is no seam.
        profile = np.median(inside.mean(axis=(0, 1)), axis=0 if what == "column" else 1)
        padded = np.pad(profile, _AROUND, mode="reflect")
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
        usual = np.median(around, axis=1)
        standing = np.flatnonzero(profile > _LINE_RATIO * usual)
        excess = (profile - usual)[standing].sum()
        # Seams are few and thin: what stands out everywhere is texture.
        if 0 < len(standing) <= len(profile) // 8 and excess > _LINE_PART * profile.sum():
            yield _line_sentence(what, standing + RING_PX, excess / profile.sum())


def _line_sentence(what: str, places: NDArray[np.intp], part: float) -> str:
    # One that is several pixels wide is told by where it begins.
    begins = places[np.diff(places, prepend=-2) > 1]
    told = ", ".join(map(str, begins[:6])) + (", ..." if len(begins) > 6 else "")
    distances = set(np.diff(begins))
    every = f", one every {distances.pop()} px" if len(begins) > 2 and len(distances) == 1 else ""
    plural = "s" * (len(places) > 1)
    return (
        f"a seam: {100 * part:.0f} % of the squared error is in {what}{plural} {told} of the"
        f" output{every}; look at how tiles are cut and joined"
    )


def _ring(low: Array, reference: Array, white: float, plain: Fidelity) -> Iterator[str]:
    if plain.inside_db - plain.ring_db < _RING_BEHIND_DB:
        return
    squares = np.square(np.subtract(low, reference, dtype=np.float64))
    usual = white**2 * 10 ** (-plain.inside_db / 10)
    limit = usual * 10 ** (_RING_BEHIND_DB / 10)
    depth = max(
        (at + 1 for at in range(RING_PX) if _at_distance(squares, at).mean() > limit), default=1
    )
    yield (
        f"the error is in the outer {depth} px: the border ring is at {plain.ring_db:.1f} dB,"
        f" the inside at {plain.inside_db:.1f} dB; look at how the layers pad"
    )


def _at_distance(squares: Doubles, distance: int) -> Doubles:
    """Return the values that lie `distance` pixels away from the nearest border."""
    height, width = squares.shape[-2:]
    frame = squares[..., distance : height - distance, distance : width - distance]
    sides = (frame[..., 0, :], frame[..., -1, :], frame[..., 1:-1, 0], frame[..., 1:-1, -1])
    return np.concatenate([side.reshape(-1) for side in sides])


def _clipped(low: Array, reference: Array, white: float) -> Iterator[str]:
    """Yield the limit that the output is cut off at, and fp32's is not."""
    squares = np.square(np.subtract(low, reference, dtype=np.float64))
    total = float(squares.sum())
    for word, end, beyond in (("above", low.max(), reference > low.max()),
                              ("below", low.min(), reference < low.min())):  # fmt: skip
        there = (low == end) & beyond
        part = float(squares[there].sum()) / total if total else 0.0
        if np.count_nonzero(low == end) >= _PLATEAU and part > _CLIPPED_PART:
            share = 100 * there.mean()
            yield (
                f"the output is clipped {word} {255 * float(end) / white:.1f} of 255 levels:"
                f" {share:.2g} % of its values, which make {100 * part:.0f} % of the squared error;"
                " fp32 goes beyond"
            )


def _affine(low: Array, reference: Array, white: float) -> Iterator[str]:
    """Yield the offset or the gain that makes most of the error."""
    error = np.subtract(low, reference, dtype=np.float64)
    power = float(np.square(error).mean())
    if not power:
        return
    constant = error.mean(axis=(0, 2, 3))
    by_offset = float(np.square(constant).mean()) / power
    image = reference.astype(np.float64)
    factor = (error * image).sum(axis=(0, 2, 3)) / np.square(image).sum(axis=(0, 2, 3))
    by_gain = float(np.square(factor[:, None, None] * image).mean()) / power
    if max(by_offset, by_gain) <= _EXPLAINED_PART:
        return
    part = max(by_offset, by_gain)
    most = "most of" if part > 0.5 else f"{100 * part:.0f} % of"
    if by_offset >= by_gain:
        levels = ", ".join(f"{255 * value / white:+.2f}" for value in constant)
        yield f"{most} the error is an offset of the channels, by {levels} of 255 levels"
    else:
        gains = ", ".join(f"{1 + value:.4f}" for value in factor)
        yield f"{most} the error is a gain of the channels, by {gains}"


def _whole(low: Array, reference: Array, white: float) -> Iterator[str]:
    """Yield that the output holds whole levels where fp32's does not, and how they were made."""
    levels, wanted = (image.astype(np.float64) * 255 / white for image in (low, reference))
    whole, usual = (np.mean(np.abs(x - np.rint(x)) < _WHOLE_LEVEL) for x in (levels, wanted))
    if whole < _WHOLE_PART or usual > _WHOLE_PART / 2:
        return
    by = (levels - wanted).mean(axis=(0, 2, 3))
    floored = ": they were cut off (floor) where rounding was due" if _near(by, -0.5) else ""
    off = f", which are {by.mean():+.2f} off{floored}" if abs(by.mean()) >= _LEAST_OFF else ""
    yield f"the output holds whole levels of 255 only{off}"


def _near(values: Doubles, wanted: float) -> bool:
    return bool(np.all(np.abs(values - wanted) < 0.25))
