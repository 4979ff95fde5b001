"""What measures: digests of this project's own code and of the packages that can move a number."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import sr_bench
from sr_bench import discovery
from sr_bench.core.metric import PACKAGE
from sr_bench.files.hashing import sha256_bytes, sha256_file, sha256_json
from sr_bench.history.environment import package_versions

_SAYS = ("cards", "cli", "document", "history", "lint", "plugin", "report")
"""Our packages that read what is asked and tell what was found; what they decide is in a digest of
its own, or no number."""

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
    """Return the digest of our code that measures: what it made before may differ from now."""
    package = Path(sr_bench.__file__).parent
    files = [
        path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in _SAYS
    ]
    return sha256_bytes("".join(map(sha256_file, sorted(files))).encode())


@cache
def measuring() -> str:
    """Return the digest of all code that can move a measured number, ours and that of others."""
    versions = {name: text for name, text in package_versions().items() if name in _COUNTS}
    return sha256_json([own_code(), versions])


def metrics_of_others(names: Iterable[str]) -> Mapping[str, str]:
    """Return the digest of the file of each of the metrics `names` that is not ours, by name."""
    return {
        name: sha256_file(Path(str(discovery.load(PACKAGE, name).__file__)))
        for name in names
        if discovery.is_third_party(PACKAGE, name)
    }
