"""A plan for int8 that was searched for, and what it keeps of the fp32 network."""

from collections.abc import Mapping
from dataclasses import dataclass

from sr_bench.core.int8 import RangeChoice, Skips


@dataclass(frozen=True)
class Candidate:
    """What a search decides of an int8 plan."""

    keep: tuple[str, ...]
    """Layers that stay in float."""
    observers: Mapping[str, RangeChoice]
    """By layer: how the clip range of what it reads is chosen, where not as all others."""
    skips: Skips = "float"


@dataclass(frozen=True)
class Tried:
    """A candidate as it was measured on images that its clip ranges don't come from."""

    candidate: Candidate
    int8_share: float
    """Part of the multiplications that are int8, 0 to 1."""
    mean_db: float
    """Fidelity to fp32."""
    worst_db: float
    """That of the worst image."""
    ring_db: float
    """That of the worst border ring."""
    unseen_db: float
    """What as many unseen images, and their rings, all reach 19 times in 20, if like these."""
    narrower_db: float
    """What was taken off all of these: clip ranges by half of the images are narrower."""
    images: int
    digest: str
    """Of these images."""
    latency_ms: float | None = None
    """Of one of these images here, on one thread; None: not timed."""


@dataclass(frozen=True)
class Found:
    """What a search came to."""

    front: tuple[Tried, ...]
    """Those that no other one beats in share, fidelity and time, the largest share first."""
    chosen: Tried | None
    """The one with the largest share that keeps to all limits, or one with 1 % less that is faster;
    None: none does."""
    fp32_ms: float | None
    tried: int
    """Candidates that were measured."""
    layers: int
    seconds: float
    out_of_time: bool
    """Whether the time ended the search."""
