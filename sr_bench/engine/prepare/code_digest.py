"""What measures: digests of this project's own code and of the packages that can move a number."""

from functools import cache
from pathlib import Path

import sr_bench
from sr_bench.core.card import ModelCard
from sr_bench.core.codec import encode
from sr_bench.core.metric import PACKAGE, image_metrics
from sr_bench.core.precision import OBSERVERS
from sr_bench.discovery import third_party
from sr_bench.files.hashing import sha256_bytes, sha256_file, sha256_json
from sr_bench.files.python_code import code_digest
from sr_bench.history.environment import package_versions

MEASURES = (
    "backends",
    "core/device.py",
    "core/int8.py",
    "core/metric.py",
    "core/network_io.py",
    "core/protocol.py",
    "cost",
    "data",
    "engine/job.py",
    "engine/measure",
    "engine/prepare",
    "engine/score",
    "export",
    "files/onnx_canonical.py",
    "files/onnx_card.py",
    "files/onnx_data.py",
    "files/onnx_dtype.py",
    "files/onnx_ends.py",
    "files/onnx_file.py",
    "files/onnx_image.py",
    "files/onnx_names.py",
    "files/onnx_open.py",
    "files/onnx_write.py",
    "imaging",
    "metrics",
    "precision",
    "zoo",
)
"""Where a change can move a number, below our package. What the others decide, such as a card's
reader, is in a digest of its own."""

BACKENDS, FAMILIES = "sr_bench.backends", "sr_bench.zoo.families"
EXTENDED = (BACKENDS, "sr_bench.cost.rules", OBSERVERS, FAMILIES)
"""Entry point groups by which other packages add code that moves any number. A metric moves its
own alone: those are kept with the digest of its code."""

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

    It is ours, and that of the packages which add more to it than metrics.
    """
    package = Path(sr_bench.__file__).parent
    places = [package / place for place in MEASURES]  # folders and files
    # In one order on every disk.
    files = [file for place in places for file in sorted(place.rglob("*.py")) or [place]]
    ours = sha256_bytes("".join(map(sha256_file, files)).encode())
    others = [plugin_code(group) for group in EXTENDED]
    return sha256_json([ours, *others]) if any(others) else ours


@cache
def plugin_code(group: str, name: str = "") -> str:
    """Return the digest of the code that other packages add to `group`; empty if they add none.

    With a `name`, of the one that adds it.
    """
    points = third_party(group, name)
    digests = sorted(code_digest(point.module, owner=point.dist) for point in points)
    return sha256_json(digests) if digests else ""


def network_code(card: ModelCard) -> str:
    """Return the digest of the code that builds the network of `card`; empty if it is ours.

    Another package's, or the card's own: it may change what it builds. None of it is run.
    """
    if not card.own_class:
        return plugin_code(FAMILIES, card.architecture)
    return _class_code(card.own_class.partition(":")[0], card.folder)


@cache
def _class_code(module: str, folder: Path) -> str:
    return code_digest(module, folder=folder)


def plan_digest(plan: object, observer: str) -> str:
    """Return the digest of what a card plans for int8, and the observer with others' code of it."""
    code = plugin_code(OBSERVERS, observer.rpartition(" ")[2])
    facts = encode(plan)
    if isinstance(facts, dict) and not facts.get("observers"):  # as before there was the key
        facts.pop("observers", None)
    return sha256_json([facts, f"{observer} {code}" if code else observer])


@cache
def metric_code(name: str) -> str:
    """Return the digest of the code of another package that adds the metric `name`; empty if ours.

    Results and records say it, so that two values by different code of a metric never count as
    equal.
    """
    return plugin_code(PACKAGE, name)


def kept_name(metric: str) -> str:
    """Return what values of `metric` are kept as: another package's with its code's digest."""
    code = metric_code(metric)  # a package may change what it computes
    return f"{metric}|{code}" if code else metric


@cache
def measuring() -> str:
    """Return the digest of all code that can move a measured number, ours and that of others."""
    versions = {name: text for name, text in package_versions().items() if name in _LIBRARIES}
    return sha256_json([own_code(), versions])


@cache
def measuring_and_metrics() -> str:
    """Return the digest of `measuring`, and of the metrics that other packages add."""
    return sha256_json([measuring(), *map(metric_code, image_metrics())])
