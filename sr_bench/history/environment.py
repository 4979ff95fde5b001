"""The environment of a run: what a reader needs to know to get the same numbers again."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sr_bench.core.history import Environment

PACKAGES = (
    "sr-bench",
    "pytest",
    "pytest-benchmark",
    "torch",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "scikit-image",
    "onnx",
    "onnxruntime",
    "pandas",
    "pillow",
    "tabulate",
)

DIRTY = "+dirty"
"""After a commit: files differed from it."""


def read_environment(folder: Path) -> Environment:
    """Return the environment of this process, with the commit of the repository at `folder`."""
    return Environment(
        packages=package_versions(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cpu=cpu_model(),
        cores=usable_cores(),
        commit=git_commit(folder),
        seeds={},
    )


def package_versions() -> dict[str, str]:
    """Return the versions of the installed packages that can move a number."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """Return how many cores this process may use, which a container may limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model() -> str:
    """Return the processor's name, or its architecture where the system doesn't tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def git_commit(folder: Path) -> str:
    """Return the commit that is checked out at `folder`, ``+dirty`` added if files differ."""
    try:
        head = git(folder, "rev-parse", "--short=12", "HEAD")
        changed = git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + (DIRTY if changed else "")


def git(folder: Path, *args: str) -> str:
    """Return what git says about the repository at `folder`, without blanks around it.

    Raises:
        OSError: There is no git.
        subprocess.SubprocessError: `folder` is in no repository, or git refuses `args`.
    """
    done = subprocess.run(
        ["git", "-C", str(folder), *args], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.strip()
