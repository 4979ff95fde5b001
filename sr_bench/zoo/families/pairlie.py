"""PairLIE: light to a power times reflectance, both of a cleaned image, whose size stays.

Source: zhenqifu/PairLIE 3fd5c15, net/net.py and eval.py (parameter names and arithmetic).
Hyper-parameters of the published network: ``n_feats = 64``; ``exponent = 0.2``, which its authors
change to 0.14 for LOL. Input and output are RGB in 0-1, of one size.
"""

import re

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import reflect_conv
from sr_bench.zoo.hyper import Count, Factor, check_scale, read

_TWICE = re.compile(r"([LNR]_net)\.\1\.")


@dataclass(config=STRICT, frozen=True)
class PairLieHyper:
    """Hyper-parameters of PairLIE."""

    n_feats: Count
    exponent: Factor
    """Power to which the light is raised: the less, the brighter."""


def _estimate(feats: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = [*reflect_conv(3, feats), nn.ReLU()]
    for _ in range(3):
        layers += [*reflect_conv(feats, feats), nn.ReLU()]
    return nn.Sequential(*layers, *reflect_conv(feats, outputs), nn.Sigmoid())


class PairLie(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to the brightened (N, 3, H, W) in 0-1."""

    def __init__(self, hyper: PairLieHyper) -> None:
        super().__init__()
        self.exponent = hyper.exponent
        self.N_net = _estimate(hyper.n_feats, 3)
        self.L_net = _estimate(hyper.n_feats, 1)
        self.R_net = _estimate(hyper.n_feats, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return the brightened images."""
        clean = self.N_net(x)
        light: Tensor = self.L_net(clean)
        reflectance: Tensor = self.R_net(clean)
        return light**self.exponent * reflectance


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a PairLIE; its scale is 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(PairLieHyper, hyper, architecture="pairlie")
    check_scale(scale, (1,), architecture="pairlie")
    return PairLie(params)


def canonical_key(key: str) -> str:
    """Return our name of a parameter: the authors name each network twice.

    >>> canonical_key("L_net.L_net.13.bias")
    'L_net.13.bias'
    """
    return _TWICE.sub(r"\1.", key, count=1)
