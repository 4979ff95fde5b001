"""LESRCNN, with the arithmetic that the authors' in-place ReLUs make explicit.

Source: hellloxiaotian/LESRCNN e3729ed, x2/model/lesrcnn.py and ops.py (parameter names and
arithmetic). The authors' code adds *unrectified* features as skips in its text, but its ReLUs
work in place, so that the tensors are rectified by the time they are added. Read as text it
gives 30.28 dB on Set5 x2; with the rectified skips below it gives the published 37.65 dB.
"""

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.functional import relu

from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import DIV2K_MEAN, conv, shift, upsampler
from sr_bench.zoo.hyper import Count

SCALES = (2, 3, 4)

_PAIRS = tuple((f"conv{i}", f"conv{i + 1}") for i in range(2, 18, 2))  # 3x3, then 1x1
_REFINERS = ("conv17_1", "conv17_2", "conv17_3", "conv17_4")


@dataclass(config=STRICT, frozen=True)
class LesrcnnHyper:
    """Hyper-parameters of LESRCNN."""

    n_feats: Count
    multi_scale: bool
    """Whether the network holds an upsampler for each scale."""


class _MeanShift(nn.Module):
    """A frozen 1x1 convolution; an ordinary Conv2d, so thop counts it."""

    def __init__(self, offset: Tensor) -> None:
        super().__init__()
        self.shifter = shift(nn.Conv2d(3, 3, 1), offset).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shifter(x)
        return out


class _Enlarge(nn.Module):
    """Sub-pixel convolutions for one scale."""

    def __init__(self, scale: int, feats: int) -> None:
        super().__init__()
        self.body = upsampler(scale, feats)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out


class _Upsample(nn.Module):
    """The upsampler in use, and in a multi-scale network those of the other scales."""

    def __init__(self, scale: int, feats: int, *, multi_scale: bool) -> None:
        super().__init__()
        self.used = f"up{scale}" if multi_scale else "up"
        blocks = {f"up{s}": s for s in SCALES} if multi_scale else {"up": scale}
        for name, factor in blocks.items():
            self.add_module(name, _Enlarge(factor, feats))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.get_submodule(self.used)(x)
        return out


def _layer(inputs: int, outputs: int, *, kernel: int = 3, rectify: bool = False) -> nn.Sequential:
    layer = conv(inputs, outputs, kernel=kernel, bias=False)
    return nn.Sequential(layer, nn.ReLU()) if rectify else nn.Sequential(layer)


class Lesrcnn(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to (N, 3, scale * H, scale * W) in 0-1."""

    def __init__(self, hyper: LesrcnnHyper, scale: int) -> None:
        super().__init__()
        feats = hyper.n_feats
        mean = torch.tensor(DIV2K_MEAN)
        self.sub_mean = _MeanShift(-mean)
        self.add_mean = _MeanShift(mean)
        self.conv1 = _layer(3, feats)
        for wide, narrow in _PAIRS:
            self.add_module(wide, _layer(feats, feats, rectify=True))
            self.add_module(narrow, _layer(feats, feats, kernel=1))
        for name in _REFINERS:
            self.add_module(name, _layer(feats, feats, rectify=True))
        self.conv18 = _layer(feats, 3)
        self.upsample = _Upsample(scale, feats, multi_scale=hyper.multi_scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        shallow = relu(self.conv1(self.sub_mean(x)))  # this skip is rectified: see above
        deep = shallow
        for wide, narrow in _PAIRS:
            deep = relu(deep + self.get_submodule(narrow)(self.get_submodule(wide)(deep)))
        features = relu(self.upsample(deep) + self.upsample(shallow))
        for name in _REFINERS:
            features = self.get_submodule(name)(features)
        out: Tensor = self.add_mean(self.conv18(features))
        return out
