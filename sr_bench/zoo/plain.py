"""A chain of 3x3 convolutions on LR, whose output is added to the input's enlarged pixels.

ECBSR as it is deployed, NCNet and SRVGG (the compact networks of Real-ESRGAN) are all this network.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv, shuffle_factors
from sr_bench.zoo.hyper import Colours, Count

Activation = Literal["relu", "prelu", "leakyrelu"]


@dataclass(config=STRICT, frozen=True)
class PlainHyper:
    """Hyper-parameters of a chain whose convolutions are all equally wide."""

    n_feats: Count
    n_convs: Count
    """Convolutions between the first and the last."""
    colours: Colours
    activation: Activation

    def widths(self, scale: int) -> tuple[int, ...]:
        """Return the channels before the first convolution and after each."""
        inside = (self.n_feats,) * (self.n_convs + 1)
        return self.colours, *inside, self.colours * scale**2


class PlainNet(nn.Module):
    """Map (N, C, H, W) to (N, C, scale * H, scale * W), in whatever range.

    Args:
        widths: Channels before the first convolution (C) and after each; C * scale**2 at the end.
        scale: A power of 2, or 3.
        activation: What stands between two convolutions.
        single: Whether one pixel shuffle enlarges by 4, or two by 2 each.
        layer: Makes a convolution of its inputs and outputs.
    """

    def __init__(
        self,
        widths: Sequence[int],
        scale: int,
        activation: Activation,
        *,
        single: bool = True,
        layer: Callable[[int, int], nn.Module] = conv,
    ) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [layer(*widths[:2])]
        for inputs, outputs in pairwise(widths[1:]):
            layers += [_activation(activation, inputs), layer(inputs, outputs)]
        self.body = nn.Sequential(*layers)  # numbered with the activations, as in checkpoints
        factors = shuffle_factors(scale, single=single)
        self.upsampler = nn.Sequential(*map(nn.PixelShuffle, factors))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        enlarged = interpolate(x, scale_factor=float(self.scale), mode="nearest")
        detail: Tensor = self.upsampler(self.body(x))
        return detail + enlarged


def _activation(name: Activation, feats: int) -> nn.Module:
    if name == "prelu":
        return nn.PReLU(feats)
    return nn.LeakyReLU(0.1) if name == "leakyrelu" else nn.ReLU()
