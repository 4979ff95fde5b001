"""How far a process's resident memory rises, at its peak, while something runs; on Linux alone."""

import ctypes
import gc
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SELF = Path("/proc/self")
_FORGET_PEAK = "5"  # for clear_refs: the peak is what is resident now
# A peak further above what is resident was not forgotten, whatever the system answered.
_SLACK_BYTES = 2**20


@dataclass(frozen=True)
class PeakWatch:
    """Sees the peak of the resident memory since it was made; only one works at a time."""

    proc: Path
    start_bytes: int

    def rise_bytes(self) -> int:
        """Return by how much the peak lies above what was resident at the start."""
        return max(0, _kilobytes(self.proc / "status", "VmHWM") - self.start_bytes)


def watch_peak(proc: Path = _SELF) -> PeakWatch | None:
    """Forget the peak so far and watch from here on; None where the system can't do that.

    What the process has freed and kept for later goes back to the system first, where the C
    library can: reused, it would hide what is needed.
    """
    try:
        _return_freed()
        (proc / "clear_refs").write_text(_FORGET_PEAK)
        now, peak = (_kilobytes(proc / "status", name) for name in ("VmRSS", "VmHWM"))
    except (OSError, ValueError):
        return None
    return PeakWatch(proc, now) if peak - now <= _SLACK_BYTES else None


def machine_bytes(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the memory that this machine has, or that a container allows; None if unknown."""
    limits = []
    for file in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max" is no number
            limits.append(int(file.read_text()))
    with suppress(OSError, ValueError):
        limits.append(_kilobytes(proc / "meminfo", "MemTotal"))
    return min(limits, default=None)


def _return_freed() -> None:
    """Give freed memory back to the system; does nothing where the C library isn't glibc."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, TypeError):  # another C library; Windows
        return


def _kilobytes(path: Path, name: str) -> int:
    """Return an entry of such a file as ``/proc/self/status``, in bytes."""
    for line in path.read_text(encoding="utf-8").splitlines():
        match line.split():
            case [key, number, "kB"] if key == f"{name}:":
                return int(number) * 1024
    msg = f"{path}: expected a line '{name}: <number> kB'"
    raise ValueError(msg)
