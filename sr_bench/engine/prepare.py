"""Prepare: from a card to an artefact that a backend can open, cached by content."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sr_bench
from sr_bench.core.backend import Artefact
from sr_bench.core.card import ModelCard
from sr_bench.core.precision import Precision
from sr_bench.engine.weights import weights_path
from sr_bench.errors import NotRunError
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_bytes, sha256_file
from sr_bench.history.environment import package_versions


@dataclass(frozen=True)
class Prepared:
    """What the network of a card needs to run in one precision."""

    card: ModelCard
    precision: Precision
    weights: Path
    network: str
    """Digest of the weights and of the architecture that they are loaded into."""

    @property
    def digest(self) -> str:
        """Digest of the network and the precision."""
        return sha256_bytes(f"{self.network}|{self.precision}".encode())

    def artefact(self, *, needs_onnx: bool) -> Artefact:
        """Return the artefact; exports to ONNX only for a backend that `needs_onnx`."""
        return Artefact(
            onnx=self._onnx() if needs_onnx or self.card.onnx else None,
            load_module=None if self.card.onnx else self._loader(),
            precision=self.precision,
            digest=self.digest,
        )

    def _loader(self) -> Callable[[], object]:
        def load() -> object:
            from sr_bench.zoo.checkpoints import load_model  # torch loads only when needed

            return load_model(self.card, self.weights)

        return load

    def _onnx(self) -> Path:
        fp32 = self.card.onnx or self._exported()
        if self.precision is Precision.FP32:
            return fp32
        from sr_bench.precision.fp16 import to_fp16

        return _cached(f"{self._recipe()}-fp16", lambda target: to_fp16(fp32, target))

    def _exported(self) -> Path:
        def export(target: Path) -> None:
            from sr_bench.export.to_onnx import export_onnx
            from sr_bench.zoo.checkpoints import load_model

            export_onnx(load_model(self.card, self.weights), target)

        return _cached(self._recipe(), export)

    def _recipe(self) -> str:
        """Return the cache key of the exported file: its content and the tools that made it.

        The declared digest is part of it, so that a cached file never hides a wrong one; so is
        our own code, as whoever changes an architecture must not be served the old one.
        """
        versions = {name: package_versions().get(name) for name in ("sr-bench", "torch", "onnx")}
        declared = self.card.checkpoint.sha256 if self.card.checkpoint else ""
        return sha256_bytes(json.dumps([self.network, declared, versions, _own_code()]).encode())


def prepare(card: ModelCard, precision: Precision, weights_folder: Path | None) -> Prepared:
    """Return `card` ready to be opened in `precision`.

    Raises:
        NotRunError: The weights are absent, or the precision is not offered by this version.
    """
    if precision.dtype == "int8":
        msg = f"{precision} is not available in this version: it has no int8 engine yet"
        raise NotRunError(msg)
    weights = weights_path(card, weights_folder)
    content = [
        sha256_file(weights),
        card.architecture,
        dict(card.hyper),
        card.scale,
        card.checkpoint.key if card.checkpoint else "",
    ]
    network = sha256_bytes(json.dumps(content, sort_keys=True).encode())
    return Prepared(card, precision, weights, network)


@cache
def _own_code() -> str:
    """Return the digest of the code that turns weights into ONNX files."""
    package = Path(sr_bench.__file__).parent
    folders = (package / name for name in ("zoo", "export", "precision"))
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    return sha256_bytes("".join(map(sha256_file, files)).encode())


def _cached(key: str, make: Callable[[Path], None]) -> Path:
    target = cache_dir() / "onnx" / f"{key}.onnx"
    if not target.is_file():
        make(target)
    return target
