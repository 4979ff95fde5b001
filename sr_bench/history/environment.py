"""The environment of a run: what a reader needs to know to get the same numbers again."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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


@dataclass(frozen=True)
class Environment:
    """Where and with what a run was made. Holds no user name and no home path."""

    packages: dict[str, str]
    python: str
    system: str
    cpu: str
    cores: int
    commit: str
    """Commit of the suite's repository, with ``+dirty`` if files differ; empty outside of git."""
    seeds: dict[str, int]
    """Every seed in use; evaluation itself draws no random numbers."""


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

    def git(*args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *args],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return done.stdout.strip()

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return head + ("+dirty" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""
