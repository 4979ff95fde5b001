"""The environment of a run: what a reader needs to know to get the same numbers again."""

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sr_bench.core.history import Environment
from sr_bench.discovery import plugin_versions
from sr_bench.system.cpu import cpu_model, usable_cores

PACKAGES = (
    "sr-bench",
    "pytest",
    "pytest-benchmark",
    "torch",
    "numpy",
    "opencv-python-headless",
    "opencv-python",  # the same library, installed under either name
    "scikit-image",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "mnn",
    "ncnn",
    "openvino",
    "pandas",
    "pillow",
    "tabulate",
    "tract",
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
    """Return the versions of the installed packages that can move a number, also of plug-ins."""
    return plugin_versions() | {name: text for name in PACKAGES if (text := _installed(name))}


@cache  # reading the metadata of all takes 20 ms
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def git_commit(folder: Path) -> str:
    """Return the commit that is checked out at `folder`, ``+dirty`` added if files differ."""
    # Without tags: describe would name the nearest one in place of the commit.
    return git(folder, "describe", "--always", "--exclude=*", "--abbrev=12", f"--dirty={DIRTY}")


def git(folder: Path, *args: str) -> str:
    """Return what git says about the repository at `folder`; empty where it fails or is absent."""
    command = ["git", "-C", str(folder), *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError, ValueError):  # the last: bytes that are no text
        return ""
    return done.stdout.strip()
