"""What measures: digests of this project's own code and of the packages that can move a number."""

from functools import cache
from pathlib import Path

import sr_bench
from sr_bench.files.hashing import sha256_bytes, sha256_file, sha256_json
from sr_bench.history.environment import package_versions

MEASURES = (
    "backends",
    "core/device.py",
    "core/int8.py",
    "core/protocol.py",
    "cost",
    "data",
    "engine/job.py",
    "engine/measure",
    "engine/prepare",
    "engine/score",
    "export",
    "files/onnx_file.py",
    "imaging",
    "metrics",
    "precision",
    "zoo",
)
"""Where a change can move a number, below our package. What the others decide, such as a card's
reader, is in a digest of its own."""

_LIBRARIES = (
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "torch",
)
"""Packages that decode, resize, make networks, compute or score."""


@cache
def own_code() -> str:
    """Return the digest of our code that measures: what it made before may differ from now."""
    package = Path(sr_bench.__file__).parent
    files = [file for place in MEASURES for file in _sources(package / place)]
    return sha256_bytes("".join(map(sha256_file, files)).encode())


def _sources(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


@cache
def measuring() -> str:
    """Return the digest of all code that can move a measured number, ours and that of others."""
    versions = {name: text for name, text in package_versions().items() if name in _LIBRARIES}
    return sha256_json([own_code(), versions])
