"""PFSRNet: three steps of a residual block and a transposed convolution, that enlarge faces by 8.

Source: DeokyunKim/Progressive-Face-Super-Resolution 8d7a354, model.py (parameter names and
arithmetic, of ``step=3, alpha=1``). Hyper-parameter of the published network: ``n_feats = 512``.
Input and output are RGB in -1 to 1. Checkpoints hold the outputs of the first two steps too, which
are left out, and weights that the authors scale as the network runs, which are stored scaled.
"""

import re
from collections.abc import Mapping
from math import sqrt

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv
from sr_bench.zoo.hyper import Count, check_scale, read

_SCALED = re.compile(r"(\.conv\.[03]\.weight)$")
_LAYER_IN_LAYER = re.compile(r"(\.conv\.\d)\.conv\.")


@dataclass(config=STRICT, frozen=True)
class PfsrHyper:
    """Hyper-parameters of PFSRNet."""

    n_feats: Count
    """Channels of the first step; each further step has half of the one before."""

    def __post_init__(self) -> None:
        if self.n_feats % 8:
            msg = f"n_feats is halved three times: expected a multiple of 8, got {self.n_feats}"
            raise ValueError(msg)


class _Block(nn.Module):
    """x + conv(x)."""

    def __init__(self, feats: int) -> None:
        super().__init__()
        layers = (_rectified(conv(feats, feats)) for _ in range(2))
        self.conv = nn.Sequential(*(layer for group in layers for layer in group))

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.conv(x)
        return residual + x


def _rectified(layer: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU()]


def _double(feats: int) -> list[nn.Module]:
    """Return the layers that give half the channels at twice the height and width."""
    return [_Block(feats), *_rectified(nn.ConvTranspose2d(feats, feats // 2, 4, 2, padding=1))]


class PfsrNet(nn.Module):
    """Map RGB (N, 3, H, W) in -1 to 1 to (N, 3, 8 * H, 8 * W) in the same range."""

    def __init__(self, hyper: PfsrHyper) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.step1 = nn.Sequential(*_rectified(conv(3, feats)), *_double(feats))
        self.step2 = nn.Sequential(*_double(feats // 2))
        self.step3 = nn.Sequential(*_double(feats // 4))
        self.to_rgb = conv(feats // 8, 3, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        out: Tensor = self.to_rgb(self.step3(self.step2(self.step1(x))))
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a PFSRNet of all three steps; its scale is 8.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(PfsrHyper, hyper, architecture="pfsrnet")
    check_scale(scale, (8,), architecture="pfsrnet")
    return PfsrNet(params)


def canonical_key(key: str) -> str:
    """Return our name of a parameter: the authors have layers in layers.

    >>> canonical_key("step1.3.conv.0.conv.weight_orig")
    'step1.3.conv.0.weight_orig'
    """
    return _LAYER_IN_LAYER.sub(r"\1.", key)


def training_state(hyper: Hyper, scale: int) -> dict[str, Tensor]:
    """Return the weights that have yet to be scaled, and the outputs of all steps.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    feats = read(PfsrHyper, hyper, architecture="pfsrnet").n_feats
    with torch.device("meta"):
        state = build(hyper, scale).state_dict()
        outputs = nn.ModuleList(conv(feats // 2**step, 3, kernel=1) for step in (1, 2, 3))
    inner = {
        _SCALED.sub(r"\1_orig", name): value
        for name, value in state.items()
        if not name.startswith("to_rgb.")
    }
    return inner | {f"to_rgb.{name}": value for name, value in outputs.state_dict().items()}


def folded(_hyper: Hyper, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights times sqrt(2 / fan_in), and of the outputs the last."""
    left = {}
    for name, value in state.items():
        if name.endswith("weight_orig"):
            left[name.removesuffix("_orig")] = value * sqrt(2 / value[0].numel())
        elif not name.startswith(("to_rgb.0.", "to_rgb.1.")):
            left[name.replace("to_rgb.2.", "to_rgb.")] = value
    return left
