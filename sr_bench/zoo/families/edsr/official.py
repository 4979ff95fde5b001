"""EDSR as in EDSR-PyTorch: mean shift by frozen convolutions, values 0-255.

Source: sanghyun-son/EDSR-PyTorch 8dba558, src/model/edsr.py and common.py (parameter names and
arithmetic).
"""

import torch
from torch import Tensor, nn

from sr_bench.zoo.blocks import DIV2K_MEAN, MeanShift, conv, scaled, upsampler
from sr_bench.zoo.families.edsr.hyper import EdsrHyper


class _Block(nn.Module):
    """x + res_scale * conv(relu(conv(x)))."""

    def __init__(self, feats: int, res_scale: float) -> None:
        super().__init__()
        self.res_scale = res_scale
        self.body = nn.Sequential(conv(feats, feats), nn.ReLU(), conv(feats, feats))

    def forward(self, x: Tensor) -> Tensor:
        return scaled(self.body(x), self.res_scale) + x


class OfficialEdsr(nn.Module):
    """Map RGB (N, 3, H, W) in 0-rgb_range to (N, 3, scale * H, scale * W) in the same range."""

    def __init__(self, hyper: EdsrHyper, scale: int) -> None:
        super().__init__()
        mean = torch.tensor(DIV2K_MEAN) * hyper.rgb_range
        feats = hyper.n_feats
        blocks = [_Block(feats, hyper.res_scale) for _ in range(hyper.n_resblocks)]
        self.sub_mean = MeanShift(-mean)
        self.add_mean = MeanShift(mean)
        self.head = nn.Sequential(conv(3, feats))  # of one layer: checkpoints call it head.0
        self.body = nn.Sequential(*blocks, conv(feats, feats))
        self.tail = nn.Sequential(upsampler(scale, feats), conv(feats, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        features: Tensor = self.head(self.sub_mean(x))
        out: Tensor = self.add_mean(self.tail(self.body(features) + features))
        return out
