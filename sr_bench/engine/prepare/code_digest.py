"""What measures: digests of this project's own code and of the packages that can move a number."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import sr_bench
from sr_bench import discovery
from sr_bench.core.metric import PACKAGE
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

EXTENDED = (
    "sr_bench.backends",
    "sr_bench.metrics",
    "sr_bench.precision.observers",
    "sr_bench.zoo.families",
)
"""Entry point groups by which other packages add code that measures."""

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
    """Return the digest of the code that measures: what it made before may differ from now.

    It is ours, and that of the packages which add to it.
    """
    package = Path(sr_bench.__file__).parent
    files = [file for place in MEASURES for file in _sources(package / place)]
    others = [file for group in EXTENDED for file in discovery.third_party_code(group)]
    return sha256_bytes("".join(map(sha256_file, [*files, *others])).encode())


def _sources(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


@cache
def measuring() -> str:
    """Return the digest of all code that can move a measured number, ours and that of others."""
    versions = {name: text for name, text in package_versions().items() if name in _LIBRARIES}
    return sha256_json([own_code(), versions])


def metric_of_others(name: str) -> Mapping[str, str]:
    """Return the digest of the file of the metric `name` as an input of a number, if not ours."""
    if not discovery.is_third_party(PACKAGE, name):
        return {}
    return {"metric": sha256_file(Path(str(discovery.load(PACKAGE, name).__file__)))}
