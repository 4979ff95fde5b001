"""What a card must declare about an EDSR."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EdsrHyper:
    """Hyper-parameters of EDSR."""

    form: Literal["official", "basicsr"]
    """Code base whose checkpoints and value range the network has."""
    n_feats: int
    n_resblocks: int
    res_scale: float
    """Factor on each block's residual."""
    rgb_range: float
    """White level of the values that the body computes on: 255 in all published networks."""

    def faults(self) -> Iterator[str]:
        """Yield nothing: every combination is a network."""
        yield from ()
