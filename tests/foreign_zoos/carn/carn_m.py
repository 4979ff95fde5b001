"""CARN-M, as its users have it: cascades of residual blocks with grouped convolutions (2018)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

FEATS = 64


class MeanShift(nn.Module):
    """Subtract or add the mean colour of DIV2K by a 1x1 convolution."""

    def __init__(self, mean: tuple[float, ...], sign: int) -> None:
        super().__init__()
        self.shifter = nn.Conv2d(3, 3, 1)
        self.shifter.weight.data = torch.eye(3).view(3, 3, 1, 1)
        self.shifter.bias.data = torch.Tensor([sign * value for value in mean])

    def forward(self, x: Tensor) -> Tensor:
        return self.shifter(x)


class BasicBlock(nn.Module):
    """A 1x1 convolution and a ReLU."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(inputs, FEATS, 1), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class EResidualBlock(nn.Module):
    """Two grouped convolutions and a 1x1 one, inside a residual."""

    def __init__(self, group: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(FEATS, FEATS, 3, padding=1, groups=group),
            nn.ReLU(inplace=True),
            nn.Conv2d(FEATS, FEATS, 3, padding=1, groups=group),
            nn.ReLU(inplace=True),
            nn.Conv2d(FEATS, FEATS, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.body(x) + x)


class Block(nn.Module):
    """One residual block, used three times, whose outputs cascade."""

    def __init__(self, group: int) -> None:
        super().__init__()
        self.b1 = EResidualBlock(group)
        self.c1, self.c2, self.c3 = (BasicBlock(FEATS * count) for count in (2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        cascade = now = x
        for joint in (self.c1, self.c2, self.c3):
            cascade = torch.cat((cascade, self.b1(now)), dim=1)
            now = joint(cascade)
        return now


class Upsample(nn.Module):
    """A convolution, a ReLU and a pixel shuffle for each factor of 2, or one for 3."""

    def __init__(self, factors: tuple[int, ...], group: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for factor in factors:
            conv = nn.Conv2d(FEATS, FEATS * factor**2, 3, padding=1, groups=group)
            layers += [conv, nn.ReLU(inplace=True), nn.PixelShuffle(factor)]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Upsamplers(nn.Module):
    """One for each scale: all are in the weights."""

    def __init__(self, group: int) -> None:
        super().__init__()
        self.up2, self.up3 = Upsample((2,), group), Upsample((3,), group)
        self.up4 = Upsample((2, 2), group)


class CarnM(nn.Module):
    """Map RGB in 0-1 to `scale` times its size; the weights are one file for all scales."""

    def __init__(self, scale: int, group: int) -> None:
        super().__init__()
        mean = (0.4488, 0.4371, 0.4040)
        self.scale = scale
        self.sub_mean, self.add_mean = MeanShift(mean, -1), MeanShift(mean, 1)
        self.entry = nn.Conv2d(3, FEATS, 3, padding=1)
        self.b1, self.b2, self.b3 = (Block(group) for _ in range(3))
        self.c1, self.c2, self.c3 = (BasicBlock(FEATS * count) for count in (2, 3, 4))
        self.upsample = Upsamplers(group)
        self.exit = nn.Conv2d(FEATS, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        cascade = now = self.entry(self.sub_mean(x))
        for block, joint in ((self.b1, self.c1), (self.b2, self.c2), (self.b3, self.c3)):
            cascade = torch.cat((cascade, block(now)), dim=1)
            now = joint(cascade)
        enlarged = getattr(self.upsample, f"up{self.scale}")(now)
        return self.add_mean(self.exit(enlarged))
