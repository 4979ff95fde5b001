"""RCAN and SR4K as in the authors' code: mean shift by convolutions, values 0-255.

Source: yulunzhang/RCAN a57c5ed, RCAN_TestCode/code/model/rcan.py and common.py; SR4K:
Vastai/VastModelZOO 43aff36, cv/super_resolution/rcan/source_code/official/model (parameter names
and arithmetic).
"""

import torch
from torch import Tensor, nn

from sr_bench.zoo.blocks import MeanShift, conv, shift, upsampler
from sr_bench.zoo.families.rcan.hyper import RcanHyper


class _Attention(nn.Module):
    """Weigh each channel by a function of all channels' means."""

    def __init__(self, feats: int, reduction: int) -> None:
        super().__init__()
        squeezed = feats // reduction
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.conv_du = nn.Sequential(
            conv(feats, squeezed, kernel=1),
            nn.ReLU(),
            conv(squeezed, feats, kernel=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.conv_du(self.avg_pool(x))
        return x * weights


class _Residual(nn.Module):
    """x + body(x): a block of two convolutions, or a group of blocks and a convolution."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.body(x)
        return residual + x


def _block(hyper: RcanHyper) -> _Residual:
    feats = hyper.n_feats
    attention = [_Attention(feats, hyper.reduction)] if hyper.attention else []
    return _Residual(conv(feats, feats), nn.ReLU(), conv(feats, feats), *attention)


def _group(hyper: RcanHyper) -> _Residual:
    blocks = [_block(hyper) for _ in range(hyper.n_resblocks)]
    return _Residual(*blocks, conv(hyper.n_feats, hyper.n_feats))


def _mean_shift(hyper: RcanHyper, sign: int) -> nn.Conv2d:
    offset = torch.tensor(hyper.mean) * (sign * hyper.rgb_range)
    if hyper.mean_shift == "frozen":
        return MeanShift(offset)
    return shift(nn.Conv2d(3, 3, 1), offset)


class OfficialRcan(nn.Module):
    """Map RGB (N, 3, H, W) in 0-rgb_range to (N, 3, scale * H, scale * W) in the same range.

    With a stride-2 head that holds for even H and W only; see `size_multiple`.
    """

    def __init__(self, hyper: RcanHyper, scale: int) -> None:
        super().__init__()
        feats = hyper.n_feats
        groups = [_group(hyper) for _ in range(hyper.n_resgroups)]
        enlarge = upsampler(scale * hyper.stride, feats, single=hyper.upsample == "single")
        self.sub_mean = _mean_shift(hyper, -1)
        self.head = nn.Sequential(conv(3, feats, stride=hyper.stride))  # checkpoints: head.0
        self.body = nn.Sequential(*groups, conv(feats, feats))
        self.tail = nn.Sequential(enlarge, conv(feats, 3))
        self.add_mean = _mean_shift(hyper, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        features: Tensor = self.head(self.sub_mean(x))
        out: Tensor = self.add_mean(self.tail(self.body(features) + features))
        return out
