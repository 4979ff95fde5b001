"""PAN, as its users have it: residual blocks with attention for each pixel (Zhao et al. 2020)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

SLOPE = 0.2


class PixelAttention(nn.Module):
    """Weigh each value by a 1x1 convolution of all at its place."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(feats, feats, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.conv(x))


class PAConv(nn.Module):
    """A convolution, gated by the attention of its input."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        self.k2 = nn.Conv2d(feats, feats, 1)
        self.k3 = nn.Conv2d(feats, feats, 3, padding=1, bias=False)
        self.k4 = nn.Conv2d(feats, feats, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.k4(self.k3(x) * torch.sigmoid(self.k2(x)))


class SCPA(nn.Module):
    """A block of two branches inside a residual."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        half = feats // 2
        self.conv1_a = nn.Conv2d(feats, half, 1, bias=False)
        self.conv1_b = nn.Conv2d(feats, half, 1, bias=False)
        self.k1 = nn.Sequential(nn.Conv2d(half, half, 3, padding=1, bias=False))
        self.PAConv = PAConv(half)
        self.conv3 = nn.Conv2d(feats, feats, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        a = _leaky(self.k1(_leaky(self.conv1_a(x))))
        b = _leaky(self.PAConv(_leaky(self.conv1_b(x))))
        return self.conv3(torch.cat((a, b), dim=1)) + x


class PAN(nn.Module):
    """Map RGB in 0-1 to `scale` times its size, on top of bilinear enlargement."""

    def __init__(self, in_nc: int, out_nc: int, nf: int, unf: int, nb: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv_first = nn.Conv2d(in_nc, nf, 3, padding=1)
        self.SCPA_trunk = nn.Sequential(*(SCPA(nf) for _ in range(nb)))
        self.trunk_conv = nn.Conv2d(nf, nf, 3, padding=1)
        self.upconv1 = nn.Conv2d(nf, unf, 3, padding=1)
        self.att1 = PixelAttention(unf)
        self.HRconv1 = nn.Conv2d(unf, unf, 3, padding=1)
        if scale == 4:
            self.upconv2 = nn.Conv2d(unf, unf, 3, padding=1)
            self.att2 = PixelAttention(unf)
            self.HRconv2 = nn.Conv2d(unf, unf, 3, padding=1)
        self.conv_last = nn.Conv2d(unf, out_nc, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        feats = self.conv_first(x)
        feats = feats + self.trunk_conv(self.SCPA_trunk(feats))
        factor = 2 if self.scale == 4 else self.scale
        feats = self.upconv1(interpolate(feats, scale_factor=factor, mode="nearest"))
        feats = _leaky(self.HRconv1(_leaky(self.att1(feats))))
        if self.scale == 4:
            feats = self.upconv2(interpolate(feats, scale_factor=2, mode="nearest"))
            feats = _leaky(self.HRconv2(_leaky(self.att2(feats))))
        enlarged = interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return self.conv_last(feats) + enlarged


def _leaky(x: Tensor) -> Tensor:
    return nn.functional.leaky_relu(x, SLOPE)
