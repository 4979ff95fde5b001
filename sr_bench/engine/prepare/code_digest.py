"""What measures: digests of this project's own code and of the packages that can move a number."""

from functools import cache
from pathlib import Path

import sr_bench
from sr_bench.discovery import third_party_code
from sr_bench.files.hashing import sha256_bytes, sha256_file, sha256_json
from sr_bench.history.environment import package_versions

_SAYS = ("cards", "cli", "document", "history", "lint", "plugin", "report")
"""Our packages that read what is asked and tell what was found; what they decide is in a digest of
its own, or no number."""

_EXTENDED = (
    "sr_bench.backends",
    "sr_bench.metrics",
    "sr_bench.precision.observers",
    "sr_bench.zoo.families",
)
"""Entry point groups by which other packages add code that measures."""

_COUNTS = (
    "numpy",
    "onnx",
    "onnxruntime",
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
    others = [path for group in _EXTENDED for path in third_party_code(group)]
    files = [
        path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in _SAYS
    ]
    return sha256_bytes("".join(map(sha256_file, [*sorted(files), *others])).encode())


@cache
def measuring() -> str:
    """Return the digest of all code that can move a measured number, ours and that of others."""
    versions = {name: text for name, text in package_versions().items() if name in _COUNTS}
    return sha256_json([own_code(), versions])
