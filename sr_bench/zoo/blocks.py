"""Layers that more than one family uses."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean R, G, B of DIV2K images 1-800, on a 0-1 scale."""

FLICKR2K_MEAN = (0.4690, 0.4490, 0.4036)
"""Mean R, G, B of DIV2K and Flickr2K together (DIVFlickr2K, images 1-3450), on a 0-1 scale."""


def conv(
    inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, bias: bool = True
) -> nn.Conv2d:
    """Return a convolution that keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias)


def named(**layers: nn.Module) -> nn.Sequential:
    """Return `layers` in a sequence, by name."""
    return nn.Sequential(OrderedDict(layers))


def reflect_conv(
    inputs: int, outputs: int, *, stride: int = 1, bias: bool = True
) -> tuple[nn.ReflectionPad2d, nn.Conv2d]:
    """Return a padding that mirrors the image at its edges, and the 3x3 convolution behind it.

    They are two layers, so that positions in a sequence are those of checkpoints.
    """
    return nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3, stride, bias=bias)


def shift(layer: nn.Conv2d, offset: Tensor) -> nn.Conv2d:
    """Make the 1x1 convolution `layer` add `offset`, of shape (3,), to its channels; return it."""
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3).view(3, 3, 1, 1))
        layer.bias.copy_(offset)  # type: ignore[union-attr]
    return layer


class MeanShift(nn.Conv2d):
    """A frozen 1x1 convolution that adds a constant per channel.

    It is a class of its own because thop looks layers up by exact type: networks whose mean
    shift is a subclass of Conv2d have it in their Params, but not in their Flops.
    """

    def __init__(self, offset: Tensor) -> None:
        super().__init__(3, 3, 1)
        shift(self, offset)
        self.requires_grad_(False)


def upsampler(scale: int, feats: int, *, single: bool = False) -> nn.Sequential:
    """Return convolutions and pixel shuffles that enlarge `feats` channels by `scale`.

    That is 3, or a power of 2; 1 gives an empty sequence. Powers of 2 are made in steps of 2,
    unless a `single` step does all.
    """
    layers: list[nn.Module] = []
    for factor in shuffle_factors(scale, single=single):
        layers += [conv(feats, factor * factor * feats), nn.PixelShuffle(factor)]
    return nn.Sequential(*layers)


def shuffle_factors(scale: int, *, single: bool) -> list[int]:
    """Return by how much each of the pixel shuffles enlarges that give `scale`; see `upsampler`."""
    # bit_length() - 1 is the logarithm of a power of 2.
    return [scale] if single or scale == 3 else [2] * (scale.bit_length() - 1)


def scaled(residual: Tensor, factor: float) -> Tensor:
    """Return `residual` times `factor`, without an operation in the graph where that is 1."""
    return residual if factor == 1.0 else residual * factor


class Foldable(nn.Module):
    """A network as it is trained, whose branches and factors one layer each replaces afterwards."""

    def folded(self) -> dict[str, Tensor]:
        """Return the weights of the network that they leave, by its names of them."""
        raise NotImplementedError


def store_weight(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear) -> None:
    """Make `layer` hold ``weight_orig`` in place of its weight.

    So trainings call what is multiplied by a factor as the network runs.
    """
    layer.register_parameter("weight_orig", nn.Parameter(layer.weight))
    del layer.weight


class CenteredRange(nn.Module):
    """Move images between [0, 1] and the zero-mean range that BasicSR networks compute in.

    The mean is a tensor and not a layer: no parameters, nothing in the state dict, no Flops.
    """

    mean: Tensor

    def __init__(self, rgb_mean: tuple[float, float, float], white: float) -> None:
        super().__init__()
        self.white = white
        self.register_buffer("mean", torch.tensor(rgb_mean).view(1, 3, 1, 1), persistent=False)

    def enter(self, x: Tensor) -> Tensor:
        """Return (x - mean) * white; `x` is (N, 3, H, W) in [0, 1]."""
        return (x - self.mean) * self.white

    def leave(self, x: Tensor) -> Tensor:
        """Return x / white + mean: the inverse of `enter`."""
        return x / self.white + self.mean
