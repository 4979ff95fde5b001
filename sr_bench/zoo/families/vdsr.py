"""VDSR: a deep chain of convolutions that adds what an enlarged image lacks.

Source: twtygqyy/pytorch-vdsr 514b021 (arithmetic; parameter names of its model_epoch_50.pth). The
published network has ``n_feats = 64``, ``n_convs = 18`` and ``colours = 1``. Input and output are
luma in 0-1, of an image that has its final size already.
"""

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv, named
from sr_bench.zoo.hyper import Colours, Count, check_scale, read


@dataclass(config=STRICT, frozen=True)
class VdsrHyper:
    """Hyper-parameters of VDSR."""

    n_feats: Count
    n_convs: Count
    """Convolutions between the first and the last."""
    colours: Colours


class Vdsr(nn.Module):
    """Map (N, C, H, W) in 0-1 to the same size."""

    def __init__(self, hyper: VdsrHyper) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.input = conv(hyper.colours, feats, bias=False)
        layers = (
            named(conv=conv(feats, feats, bias=False), relu=nn.ReLU()) for _ in range(hyper.n_convs)
        )
        self.residual_layer = nn.Sequential(*layers)
        self.output = conv(feats, hyper.colours, bias=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return the sharpened images; values are not clipped."""
        residual: Tensor = self.output(self.residual_layer(self.relu(self.input(x))))
        return residual + x


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a VDSR, which keeps the size of its input: for scale 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(VdsrHyper, hyper, architecture="vdsr")
    check_scale(scale, (1,), architecture="vdsr")
    return Vdsr(params)
