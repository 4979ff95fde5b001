"""The processor: its name, how many cores this process may use, and how long it waits for one."""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path, PurePosixPath
from time import perf_counter, process_time


@dataclass(frozen=True)
class CoreWatch:
    """Sees how long this process waits for a core while one of its threads computes."""

    wall_s: float = field(default_factory=perf_counter)
    cpu_s: float = field(default_factory=process_time)

    def waited_percent(self) -> float:
        """Return the part of the time since it was made that no thread of the process ran."""
        wall_s, cpu_s = perf_counter() - self.wall_s, process_time() - self.cpu_s
        return 100 * max(0.0, 1 - cpu_s / wall_s)


def usable_cores(system: Path = Path("/")) -> int:
    """Return how many cores this process may use; a part of a core counts as a whole one.

    A container may be bound to some cores, and its time on them may be limited.
    """
    bound = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1
    times = [time for folder in _control_groups(system) if (time := _cpu_time(folder))]
    return min(cores, *map(ceil, times)) if times else cores


def _control_groups(system: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that this process is in, from within outwards."""
    try:
        lines = (system / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = system / "sys/fs/cgroup" / ("cpu" if controllers else "")
        inner = PurePosixPath("/", path).relative_to("/")
        # Inside a container the path may be the host's: then only the outermost folder is there.
        yield from (mount / each for each in (inner, *inner.parents) if ".." not in each.parts)


def _cpu_time(folder: Path) -> float | None:
    """Return the seconds of CPU time per second that a control group has; None: no limit."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):  # version 2, 1
        try:
            text = " ".join((folder / name).read_text(encoding="utf-8") for name in names)
            quota, period = map(int, text.split())
        except (OSError, ValueError):  # absent, or "max"
            continue
        if quota > 0 and period > 0:
            return quota / period
    return None


def cpu_model() -> str:
    """Return the processor's name, or its architecture where the system doesn't say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
