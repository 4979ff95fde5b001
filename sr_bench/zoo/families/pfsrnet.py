"""PFSRNet: three steps of a residual block and a transposed convolution, that enlarge faces by 8.

Source: DeokyunKim/Progressive-Face-Super-Resolution 8d7a354, model.py (parameter names and
arithmetic, of ``step=3, alpha=1``). Hyper-parameter of the published network: ``n_feats = 512``.
Input and output are RGB in -1 to 1. Checkpoints hold the outputs of the first two steps too, which
are left out, and weights that the authors scale as the network runs, which are stored scaled.
"""

import re
from math import sqrt

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import Foldable, conv, store_weight
from sr_bench.zoo.hyper import Count, check_scale, read

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
        self.to_rgb: nn.Module = conv(feats // 8, 3, kernel=1)

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


def trained(hyper: Hyper, _scale: int) -> Foldable:
    """Return the PFSRNet that has an output for each step, and unscaled weights.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return _Trained(read(PfsrHyper, hyper, architecture="pfsrnet"))


def canonical_key(key: str) -> str:
    """Return our name of a parameter: the authors have layers in layers.

    >>> canonical_key("step1.3.conv.0.conv.weight_orig")
    'step1.3.conv.0.weight_orig'
    """
    return _LAYER_IN_LAYER.sub(r"\1.", key)


class _Trained(PfsrNet, Foldable):
    def __init__(self, hyper: PfsrHyper) -> None:
        super().__init__(hyper)
        widths = (hyper.n_feats // 2**step for step in (1, 2, 3))
        self.to_rgb = nn.ModuleList(conv(width, 3, kernel=1) for width in widths)
        for block in self.modules():
            for layer in block.conv if isinstance(block, _Block) else ():
                if isinstance(layer, nn.Conv2d):
                    store_weight(layer)

    def folded(self) -> dict[str, Tensor]:
        """Return the weights times sqrt(2 / fan_in), and of the outputs the last."""
        state = {}
        for name, value in self.state_dict().items():
            place, _, part = name.rpartition(".")
            if part == "weight_orig":
                state[f"{place}.weight"] = value * sqrt(2 / value[0].numel())
            elif not name.startswith(("to_rgb.0.", "to_rgb.1.")):
                state[name.replace("to_rgb.2.", "to_rgb.")] = value
        return state
