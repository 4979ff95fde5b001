"""IMDN, as its users have it: distillation in steps, and channel attention by contrast (2019)."""

import torch
from torch import Tensor, nn


class ContrastAttention(nn.Module):
    """Weigh channels by the sum of their deviation and their mean."""

    def __init__(self, feats: int, reduction: int = 16) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            nn.Conv2d(feats, feats // reduction, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(feats // reduction, feats, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=(2, 3), keepdim=True)
        deviation = (x - mean).pow(2).mean(dim=(2, 3), keepdim=True).pow(0.5)
        return x * self.conv_du(deviation + mean)


class IMDB(nn.Module):
    """Keep 16 of 64 channels in each of three steps, and join them."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        self.kept = feats // 4
        rest = feats - self.kept
        self.c1 = nn.Conv2d(feats, feats, 3, padding=1)
        self.c2 = nn.Conv2d(rest, feats, 3, padding=1)
        self.c3 = nn.Conv2d(rest, feats, 3, padding=1)
        self.c4 = nn.Conv2d(rest, self.kept, 3, padding=1)
        self.c5 = nn.Conv2d(feats, feats, 1)
        self.act = nn.LeakyReLU(0.05, inplace=True)
        self.cca = ContrastAttention(self.kept * 4)

    def forward(self, x: Tensor) -> Tensor:
        kept, rest = [], x
        for layer in (self.c1, self.c2, self.c3):
            now, rest = self.act(layer(rest)).split((self.kept, self.c2.in_channels), dim=1)
            kept.append(now)
        joined = torch.cat((*kept, self.c4(rest)), dim=1)
        return self.c5(self.cca(joined)) + x


class IMDN(nn.Module):
    """Map RGB in 0-1 to `upscale` times its size."""

    def __init__(
        self, in_nc: int = 3, nf: int = 64, num_modules: int = 6, upscale: int = 4
    ) -> None:
        super().__init__()
        self.fea_conv = nn.Conv2d(in_nc, nf, 3, padding=1)
        for number in range(1, num_modules + 1):
            setattr(self, f"IMDB{number}", IMDB(nf))
        self.blocks = num_modules
        self.c = nn.Sequential(nn.Conv2d(nf * num_modules, nf, 1), nn.LeakyReLU(0.05, inplace=True))
        self.LR_conv = nn.Conv2d(nf, nf, 3, padding=1)
        self.upsampler = nn.Sequential(
            nn.Conv2d(nf, 3 * upscale**2, 3, padding=1), nn.PixelShuffle(upscale)
        )

    def forward(self, x: Tensor) -> Tensor:
        feats = self.fea_conv(x)
        outputs, now = [], feats
        for number in range(1, self.blocks + 1):
            now = getattr(self, f"IMDB{number}")(now)
            outputs.append(now)
        return self.upsampler(self.LR_conv(self.c(torch.cat(outputs, dim=1))) + feats)
