"""How fast a network ran on a device, as the device's own profiler printed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spread:
    """The times of all runs, in microseconds; None where not printed."""

    avg_us: float | None = None
    min_us: float | None = None
    max_us: float | None = None
    percentiles_us: Mapping[str, float] = field(default_factory=dict)
    """By name: ``p50``, ``p90``, ``p95``, ``p99``."""


@dataclass(frozen=True)
class Latency:
    """One profile; None, or empty, where the profiler did not print it."""

    throughput: float
    """Images per second, of all instances and devices together."""
    end_to_end: Spread | None = None
    """From the input on the host to the output on the host, with the time spent in queues."""
    model: Spread | None = None
    """Of the network on the device alone."""
    instances: int | None = None
    """Copies of the network that run at once on each device."""
    processes: int | None = None
    devices: tuple[int, ...] = ()
    """Ids of the dies."""
    batch: int | None = None
    """Images in one run."""
    samples: int | None = None
    """Images that were run."""
    seconds: float | None = None
    """That they took."""
    ai_utilise_percent: float | None = None
    memory_mb: float | None = None
    """Of the die, while it ran."""
    temperature_c: float | None = None
    power_w: float | None = None
    """Of the whole card, which may have several dies."""
    clocks_mhz: Mapping[str, int] = field(default_factory=dict)
    """By the clock's name, such as ``OCLK``; without them two profiles don't compare."""
