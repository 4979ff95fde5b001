"""FSRNet: a coarse image, an encoder and hourglasses that know faces, and a decoder of both.

Source: cs-giung/FSRNet-pytorch 5b67fdf, nets.py (parameter names and arithmetic); it is a port,
which its author says has not reproduced the paper. Hyper-parameters of the published network:
``n_feats = 64``, ``n_landmarks = 0``, ``n_parts = 11``. Input and output are RGB in -1 to 1, of one
size: the small face is enlarged before.
"""

from typing import Annotated

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.core.fields import Bounds
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv, named, reflect_conv
from sr_bench.zoo.hyper import Count, check_scale, read

_DEPTH = 3
"""How often an hourglass halves its input."""

_Maps = Annotated[int, Bounds(ge=0)]


@dataclass(config=STRICT, frozen=True)
class FsrHyper:
    """Hyper-parameters of FSRNet."""

    n_feats: Count
    n_landmarks: _Maps
    """Landmarks of which training makes heat maps."""
    n_parts: _Maps
    """Parts of the face of which training makes masks."""


class _Bottleneck(nn.Module):
    """x + convBlock(x) through half the channels; normalised and rectified before each layer.

    Where the number of channels changes, a 1x1 convolution takes the place of the first x.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.convBlock = nn.Sequential(
            *(nn.BatchNorm2d(inputs), nn.ReLU(), conv(inputs, half, kernel=1)),
            *(nn.BatchNorm2d(half), nn.ReLU(), conv(half, half)),
            *(nn.BatchNorm2d(half), nn.ReLU(), conv(half, outputs, kernel=1)),
        )
        self.skipConv = nn.Identity() if inputs == outputs else conv(inputs, outputs, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.convBlock(x)
        out: Tensor = residual + self.skipConv(x)
        return out


class _Hourglass(nn.Module):
    """Bottlenecks at the size of the input, at half of it, and so on; then all of them joined."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        self.halve = nn.MaxPool2d(2)
        self.enlarge = nn.Upsample(scale_factor=2.0)
        self.res_center = _Bottleneck(feats, feats)
        for level in range(1, _DEPTH + 1):
            for place in (1, 2, 3):
                self.add_module(f"res{level}_{place}", _Bottleneck(feats, feats))

    def forward(self, x: Tensor) -> Tensor:
        return self._from(_DEPTH, x)

    def _from(self, level: int, x: Tensor) -> Tensor:
        beside, before, behind = (self.get_submodule(f"res{level}_{i}") for i in (1, 2, 3))
        small = before(self.halve(x))
        small = self._from(level - 1, small) if level > 1 else self.res_center(small)
        out: Tensor = beside(x) + self.enlarge(behind(small))
        return out


class _Block(nn.Module):
    """x + layers(x), with mirrored edges."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        mirrored = [reflect_conv(feats, feats, bias=False) for _ in range(2)]
        first, second = ([*layers, nn.BatchNorm2d(feats)] for layers in mirrored)
        self.layers = nn.Sequential(*first, nn.ReLU(), *second)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.layers(x)
        return x + residual


def _repeated(feats: int, times: int) -> nn.Sequential:
    """Return one block that is called `times` times."""
    return nn.Sequential(*[_Block(feats)] * times)


def _rectified(feats: int, *layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers, nn.BatchNorm2d(feats), nn.ReLU())


def _bounded(feats: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*reflect_conv(feats, outputs, bias=False), nn.Tanh())


def _prior_network(feats: int) -> nn.Sequential:
    twice = 2 * feats
    return named(
        conv1=_rectified(feats, conv(3, feats, kernel=7, stride=2, bias=False)),
        res_blocks=nn.Sequential(_Bottleneck(feats, twice), _Block(twice), _Block(twice)),
        hg_blocks=nn.Sequential(_Hourglass(twice), _Hourglass(twice)),
    )


def _decoder(feats: int) -> nn.Sequential:
    enlarge = nn.ConvTranspose2d(feats, feats, 3, 2, padding=1, output_padding=1, bias=False)
    return named(
        conv1=_rectified(feats, conv(3 * feats, feats, bias=False)),
        deconv1=_rectified(feats, enlarge),
        res_blocks=_repeated(feats, 3),
        conv2=_bounded(feats, 3),
    )


class FsrNet(nn.Module):
    """Map RGB (N, 3, H, W) in -1 to 1 to (N, 3, H, W) in the same range."""

    def __init__(self, hyper: FsrHyper) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.csr_net = named(
            conv1=_rectified(feats, *reflect_conv(3, feats, bias=False)),
            res_blocks=_repeated(feats, 3),
            conv2=_bounded(feats, 3),
        )
        self.fsr_enc = named(
            conv1=_rectified(feats, conv(3, feats, stride=2, bias=False)),
            res_blocks=_repeated(feats, 12),
            conv2=_bounded(feats, feats),
        )
        self.pre_net = _prior_network(feats)
        self.fsr_dec = _decoder(feats)
        maps = {"prior_conv1": hyper.n_landmarks, "prior_conv2": hyper.n_parts}
        self.maps = [name for name, channels in maps.items() if channels]
        for name in self.maps:
            self.add_module(name, conv(2 * feats, maps[name], kernel=1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged faces, of the size of `x`."""
        coarse = self.csr_net(x)
        prior = self.pre_net(coarse)
        for name in self.maps:  # for the training alone: an exported file has none of it
            self.get_submodule(name)(prior)
        out: Tensor = self.fsr_dec(torch.cat((self.fsr_enc(coarse), prior), dim=1))
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an FSRNet; its scale is 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(FsrHyper, hyper, architecture="fsrnet")
    check_scale(scale, (1,), architecture="fsrnet")
    return FsrNet(params)


def size_multiple(hyper: Hyper, _scale: int) -> int:
    """Return how often the prior network halves the image, as a factor.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    read(FsrHyper, hyper, architecture="fsrnet")
    return int(2 ** (_DEPTH + 1))  # by a stride, and in each level of the hourglasses
