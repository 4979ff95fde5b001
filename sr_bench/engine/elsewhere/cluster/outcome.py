"""What a worker answers about a shard."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sr_bench.engine.job import ImageResult
from sr_bench.errors import SrBenchError


@dataclass(frozen=True)
class Outcome:
    """The results of a shard, up to the first image that has none."""

    worker: str = ""
    results: tuple[tuple[int, ImageResult], ...] = ()
    """By number of the image."""
    device: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    fault: SrBenchError | None = None
    """Why there are no more."""
