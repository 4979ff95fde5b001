"""MSRN: blocks that look through 3x3 and 5x5 kernels at once, all of whose outputs are joined.

Source: MIVRC/MSRN-PyTorch a0e038d, MSRN/Train/model/msrn.py and common.py (parameter names and
arithmetic). The published networks have ``n_feats = 64``, ``n_blocks = 8`` and ``rgb_range = 255``.
Input and output are RGB in 0-`rgb_range`.
"""

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import DIV2K_MEAN, MeanShift, conv, upsampler
from sr_bench.zoo.hyper import Count, Factor, check_scale, read


@dataclass(config=STRICT, frozen=True)
class MsrnHyper:
    """Hyper-parameters of MSRN."""

    n_feats: Count
    n_blocks: Count
    rgb_range: Factor
    """White level of the images."""


class _Block(nn.Module):
    """Two pairs of a 3x3 and a 5x5 convolution, the second on both results of the first."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        self.conv_3_1 = conv(feats, feats)
        self.conv_3_2 = conv(2 * feats, 2 * feats)
        self.conv_5_1 = conv(feats, feats, kernel=5)
        self.conv_5_2 = conv(2 * feats, 2 * feats, kernel=5)
        self.confusion = conv(4 * feats, feats, kernel=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        both = self._joined(x, self.conv_3_1, self.conv_5_1)
        both = self._joined(both, self.conv_3_2, self.conv_5_2)
        residual: Tensor = self.confusion(both)
        return residual + x

    def _joined(self, x: Tensor, small: nn.Module, large: nn.Module) -> Tensor:
        return torch.cat((self.relu(small(x)), self.relu(large(x))), dim=1)


class Msrn(nn.Module):
    """Map RGB (N, 3, H, W) in 0-rgb_range to (N, 3, scale * H, scale * W) in the same range."""

    def __init__(self, hyper: MsrnHyper, scale: int) -> None:
        super().__init__()
        mean = torch.tensor(DIV2K_MEAN) * hyper.rgb_range
        feats, blocks = hyper.n_feats, hyper.n_blocks
        self.sub_mean = MeanShift(-mean)
        self.add_mean = MeanShift(mean)
        self.head = nn.Sequential(conv(3, feats))  # of one layer: checkpoints call it head.0
        self.body = nn.Sequential(*(_Block(feats) for _ in range(blocks)))
        joined = conv((blocks + 1) * feats, feats, kernel=1)
        self.tail = nn.Sequential(
            joined, conv(feats, feats), upsampler(scale, feats), conv(feats, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        first = features = self.head(self.sub_mean(x))
        seen = []
        for block in self.body:
            features = block(features)
            seen.append(features)
        out: Tensor = self.add_mean(self.tail(torch.cat((*seen, first), dim=1)))
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an MSRN for scale 2, 3, 4 or 8.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(MsrnHyper, hyper, architecture="msrn")
    check_scale(scale, (2, 3, 4, 8), architecture="msrn")
    return Msrn(params, scale)
