"""The dossier of a low precision: what its error looks like, and which layers make it."""

from dataclasses import dataclass

SILENT_DB = 120.0
"""Fidelity from which on a layer counts as one that makes no noise."""


@dataclass(frozen=True)
class LayerBlame:
    """What one layer contributes to the error of an int8 network."""

    layer: str
    share: float
    """Its part of the network's multiplications, 0 to 1."""
    alone_db: float
    """Fidelity with this layer alone in int8: signal to its quantisation noise at the output; at
    most 120, which stands for no noise."""
    gain_db: float | None
    """Fidelity gained by leaving this layer alone in float; None if there was no time to try."""
    estimated: bool = False
    """Whether `alone_db` is carried to the output from the layer's own error; else it was tried."""


@dataclass(frozen=True)
class Remedy:
    """A plan that reaches the limit, or is predicted to."""

    keep: tuple[str, ...]
    """Layers that stay in float, as the card's list spells them."""
    int8_share: float
    """Part of the multiplications that stay int8, 0 to 1."""
    worst_db: float
    """Fidelity of the worst image, or of its border ring if that is lower."""
    images: int
    """Images that it was tried on; 0: it is what the errors of layers predict of the worst one."""
    key: str = "keep"
    """Where the card lists them."""


@dataclass(frozen=True)
class Dossier:
    """What was found out about a low precision within a time limit."""

    image: str
    """The image of lowest fidelity, on which layers are ranked."""
    worst_db: float
    """Its fidelity, or its border ring's if that is lower."""
    signs: tuple[str, ...]
    """What the error looks like, in sentences."""
    layers: tuple[LayerBlame, ...]
    """Those that were tried, the noisiest first; empty unless int8."""
    layers_planned: int
    """Layers that the network has in int8."""
    remedy: Remedy | None
    """The cheapest plan found that reaches the limit; None if none was found in time."""
    seconds: float
    """What the search took."""
    limit_s: float
