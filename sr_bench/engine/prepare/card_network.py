"""The network of a card with its weights, before a precision is chosen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.core.card import ModelCard
from sr_bench.core.network_io import NetworkInput
from sr_bench.engine.prepare.code_digest import measuring, network_code
from sr_bench.engine.prepare.sizes import with_sizes
from sr_bench.files.hashing import sha256_bytes, sha256_json
from sr_bench.files.kept import Kept

if TYPE_CHECKING:  # torch loads only when a network is made
    from torch.nn import Module


@dataclass(frozen=True)
class CardNetwork:
    """What is loaded into what, what that decides, and how to load and export it."""

    card: ModelCard
    weights: Path
    weights_digest: str
    """Empty if the weights are absent and not needed."""
    kept: Kept = field(compare=False)

    @cached_property
    def network(self) -> str:
        """Digest of the weights and of the architecture that they are loaded into; may be empty."""
        if not self.weights_digest:
            return ""
        return sha256_bytes(f"{self.weights_digest}|{self.architecture}".encode())

    @cached_property
    def architecture(self) -> str:
        """Digest of what weights are loaded into, and how."""
        card = self.card
        key = card.checkpoint.key if card.checkpoint else ""
        code = network_code(card)
        content = [card.architecture, dict(card.hyper), card.network_scale, key]
        return sha256_json([*content, code] if code else content)

    @cached_property
    def reads(self) -> NetworkInput:
        """What the network reads, with the sizes that it takes."""
        return with_sizes(self.card, self.kept)

    def recipe(self) -> str:
        """Return the cache key of the exported file: its content and the tools that made it.

        The declared digest is part of it, so that a cached file never hides a wrong one; so is
        our own code: a changed architecture must not be served the old file.
        """
        declared = self.card.checkpoint.declared if self.card.checkpoint else ""
        return sha256_json([self.network, declared, measuring(), self.card.network_io])

    def load_module(self) -> "Module":
        """Return the network with its weights, and keep what a record says of how they were read.

        Raises:
            SrBenchError: The weights are not this network's, or the card's code fails.
        """
        from sr_bench.zoo.checkpoints import load_network  # torch loads only when needed

        module, notes = load_network(self.card, self.weights)
        self.kept.write(self._notes_name, json.dumps(notes).encode())
        return module

    def weights_notes(self) -> Mapping[str, str]:
        """Return what a record says about how the checkpoint was read."""
        if (content := self.kept.read(self._notes_name)) is None:
            self.load_module()
            content = self.kept.read(self._notes_name)
        notes: Mapping[str, str] = json.loads(content or "{}")
        return notes

    @property
    def _notes_name(self) -> str:
        return f"weights/{self.recipe()}.json"

    def export(self, target: Path) -> None:
        """Write the network to `target` as a float32 ONNX file.

        Raises:
            SrBenchError: As of `load_module`, or it can't be exported.
        """
        from sr_bench.export.to_onnx import export_onnx

        export_onnx(self.load_module(), target, self.card.input)
