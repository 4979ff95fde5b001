"""DRRN: one residual unit of two convolutions, applied again and again to an enlarged image.

Source: jt827859032/DRRN-pytorch 2cb8bc0, drrn.py (parameter names and arithmetic), which has
neither biases nor batch normalisation. The published network has ``n_feats = 128``,
``n_units = 25`` and ``colours = 1``. Input and output are luma in 0-1, of an image that has its
final size already.
"""

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv
from sr_bench.zoo.hyper import Colours, Count, check_scale, read


@dataclass(config=STRICT, frozen=True)
class DrrnHyper:
    """Hyper-parameters of DRRN."""

    n_feats: Count
    n_units: Count
    """How often the residual unit is applied."""
    colours: Colours


class Drrn(nn.Module):
    """Map (N, C, H, W) in 0-1 to the same size."""

    def __init__(self, hyper: DrrnHyper) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.n_units = hyper.n_units
        self.input = conv(hyper.colours, feats, bias=False)
        self.conv1 = conv(feats, feats, bias=False)
        self.conv2 = conv(feats, feats, bias=False)
        self.output = conv(feats, hyper.colours, bias=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return the sharpened images; values are not clipped."""
        # The authors' ReLUs work in place: both skips are rectified, though their text adds neither
        # so.
        image: Tensor = self.relu(x)
        features = out = self.relu(self.input(image))
        for _ in range(self.n_units):
            out = self.conv2(self.relu(self.conv1(self.relu(out)))) + features
        residual: Tensor = self.output(self.relu(out))
        return residual + image


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a DRRN, which keeps the size of its input: for scale 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(DrrnHyper, hyper, architecture="drrn")
    check_scale(scale, (1,), architecture="drrn")
    return Drrn(params)
