"""USUIR: one network that estimates the scene behind the water, its like the water; size stays.

Source: zhenqifu/USUIR 33683d5, net/net.py and ITA.py (parameter names and arithmetic).
Hyper-parameter of both published networks: ``n_feats = 64``. Input and output are RGB in 0-1, of
one size.
"""

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv, named, reflect_conv
from sr_bench.zoo.hyper import Count, check_scale, read


@dataclass(config=STRICT, frozen=True)
class UsuirHyper:
    """Hyper-parameters of USUIR."""

    n_feats: Count


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*reflect_conv(inputs, outputs), nn.InstanceNorm2d(outputs), nn.ReLU())


def _estimate(feats: int) -> nn.Sequential:
    further = {f"conv{i}": _layer(feats, feats) for i in (2, 3, 4)}
    final = nn.Sequential(conv(feats, 3, kernel=1), nn.Sigmoid())
    return named(conv1=_layer(3, feats), **further, final=final)


class Usuir(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to the scene without water, (N, 3, H, W) in 0-1."""

    def __init__(self, hyper: UsuirHyper) -> None:
        super().__init__()
        self.image_net = _estimate(hyper.n_feats)
        self.mask_net = _estimate(hyper.n_feats)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scenes."""
        scene: Tensor = self.image_net(x)
        # The transmission of the water: training needs it, and costs are printed with it. It leads
        # to no output, so that exported files don't have it.
        self.mask_net(x)
        return scene


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a USUIR; its scale is 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(UsuirHyper, hyper, architecture="usuir")
    check_scale(scale, (1,), architecture="usuir")
    return Usuir(params)
