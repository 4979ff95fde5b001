"""The sizes of images that a network takes: as its card says, or its built-in architecture."""

from dataclasses import replace
from pathlib import Path

from sr_bench import discovery
from sr_bench.core.card import ModelCard
from sr_bench.core.network_io import NetworkInput
from sr_bench.engine.prepare.code_digest import FAMILIES, measuring, plugin_code
from sr_bench.files.hashing import sha256_json
from sr_bench.files.kept import Kept


def with_sizes(card: ModelCard, kept: Kept) -> NetworkInput:
    """Return what the network of `card` reads, with the sizes that it takes.

    Those of a built-in architecture are `kept`, as torch loads only to find them.
    """
    name = card.architecture
    if card.input.is_fitted or name not in discovery.names(FAMILIES):
        return card.input

    def find(target: Path) -> None:
        from sr_bench.zoo.build import size_multiple

        target.write_text(str(size_multiple(name, card.hyper, card.network_scale)))

    network = [name, dict(card.hyper), card.network_scale]
    key = sha256_json([*network, plugin_code(FAMILIES, name), measuring()])
    return replace(card.input, multiple_of=int(kept.file(f"sizes/{key}.txt", find).read_text()))


def sizes_digest(given: NetworkInput) -> str:
    """Return the digest of how images are brought to the sizes that a network takes."""
    return sha256_json([given.multiple_of, given.padding, given.size, given.overlap])
