"""What a card must declare about an EDSR."""

from typing import Literal

from pydantic.dataclasses import dataclass

from sr_bench.files.validation import STRICT
from sr_bench.zoo.hyper import Count, Factor


@dataclass(config=STRICT, frozen=True)
class EdsrHyper:
    """Hyper-parameters of EDSR."""

    form: Literal["official", "basicsr"]
    """Code base whose checkpoints and value range the network has."""
    n_feats: Count
    n_resblocks: Count
    res_scale: Factor
    """Factor on each block's residual."""
    rgb_range: Factor
    """White level of the values that the body computes on: 255 in all published networks."""
