"""The NVIDIA GPUs of this machine, read from the driver's files: no library is loaded for it."""

import os
import re
from pathlib import Path

_CONTROL_NODE = Path("/dev/nvidiactl")  # the driver's own node
_DRIVER = Path("/proc/driver/nvidia")


def gpu_in_sight() -> bool:
    """Return whether there is a GPU that ``CUDA_VISIBLE_DEVICES`` does not hide."""
    return os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1") and _CONTROL_NODE.exists()


def gpu_names() -> str:
    """Return the names of this machine's GPUs; if they differ, with what chooses among them."""
    texts = [read_text(path) for path in sorted(_DRIVER.glob("gpus/*/information"))]
    names = [match[1] for text in texts if (match := re.search(r"^Model:\s*(\S.*)$", text, re.M))]
    models = dict.fromkeys(map(str.strip, names))
    if len(models) < 2:
        return "".join(models) or "an unknown GPU"
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
    return f"one of {' or '.join(models)} (CUDA_VISIBLE_DEVICES {chosen})"


def driver() -> str:
    """Return what the driver calls its version: ``driver 550.54.15``."""
    match = re.search(r"Kernel Module.*?\s(\d+(?:\.\d+)+)", read_text(_DRIVER / "version"))
    return f"driver {match[1]}" if match else "driver unknown"


def read_text(path: Path) -> str:
    """Return the text of a file; empty if it can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
