"""ECBSR, of luma or RGB, as it is deployed: each block of five branches folded into a convolution.

Source: xindongzhang/ECBSR c60b1d2, models/plainsr.py and ecb.py, and XPixelGroup/BasicSR 651835a,
ecbsr_arch.py (parameter names and arithmetic). Checkpoints of both forms load: those of training
hold the branches, and are folded. The published networks are ECBSR-M*m*C*c*: ``n_convs = m`` (4 to
16), ``n_feats = c`` (8 to 64), ``activation = "prelu"``, ``identity = false``. Those of the authors
read and write luma in 0-255 (``colours = 1``), BasicSR's RGB in 0-1 too (``colours = 3``).
"""

import re

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import Foldable
from sr_bench.zoo.hyper import check_scale, read
from sr_bench.zoo.plain import PlainHyper, PlainNet

_LAYER = re.compile(r"backbone\.(\d+)\.(conv3x3\.|act\.|)")
_FILTERS = ("conv1x1_sbx", "conv1x1_sby", "conv1x1_lpl")  # 1x1, then a fixed 3x3 for each channel


@dataclass(config=STRICT, frozen=True)
class EcbsrHyper(PlainHyper):
    """Hyper-parameters of ECBSR."""

    identity: bool
    """Whether blocks that keep the number of channels were trained with a skip; it is folded too,
    and a checkpoint does not tell."""


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return the folded ECBSR for scale 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(EcbsrHyper, hyper, architecture="ecbsr")
    check_scale(scale, (2, 3, 4), architecture="ecbsr")
    return PlainNet(params.widths(scale), scale, params.activation)


def trained(hyper: Hyper, scale: int) -> Foldable:
    """Return the ECBSR with all branches, whose forward leaves them out.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return _Trained(read(EcbsrHyper, hyper, architecture="ecbsr"), scale)


def canonical_key(key: str) -> str:
    """Return the name that `PlainNet` gives to the parameter that a checkpoint calls `key`.

    >>> canonical_key("backbone.2.conv3x3.bias"), canonical_key("backbone.2.act.weight")
    ('body.4.bias', 'body.5.weight')
    """
    if not (match := _LAYER.match(key)):
        return key
    index = 2 * int(match[1]) + (match[2] == "act.")
    return f"body.{index}.{key[match.end() :]}"


class _Block(nn.Conv2d):
    """A 3x3 convolution with the branches that add to it in training."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        wide = 2 * outputs
        self.conv1x1_3x3 = _parameters(
            k0=(wide, inputs, 1, 1), b0=(wide,), k1=(outputs, wide, 3, 3), b1=(outputs,)
        )
        for branch in _FILTERS:
            first = {"k0": (outputs, inputs, 1, 1), "b0": (outputs,)}
            second = {"scale": (outputs, 1, 1, 1), "mask": (outputs, 1, 3, 3), "bias": (outputs,)}
            self.add_module(branch, _parameters(**first, **second))

    def folded(self, *, identity: bool) -> tuple[Tensor, Tensor]:
        """Return the kernel (O, I, 3, 3) and the bias (O) that all branches add up to."""
        wide, *filters = (b for b in self.children() if isinstance(b, nn.ParameterDict))
        parts = [(self.weight, self.bias), _chained(wide, wide["k1"], wide["b1"])]
        for branch in filters:
            each = branch["scale"] * branch["mask"]  # of its own channel alone
            own = torch.eye(self.out_channels)[:, :, None, None] * each
            parts.append(_chained(branch, own, branch["bias"]))
        kernel, bias = (torch.stack(side).sum(0) for side in zip(*parts, strict=True))
        if identity and self.in_channels == self.out_channels:
            kernel[:, :, 1, 1] += torch.eye(self.out_channels)
        return kernel, bias


def _parameters(**shapes: tuple[int, ...]) -> nn.ParameterDict:
    return nn.ParameterDict({name: torch.zeros(shape) for name, shape in shapes.items()})


def _chained(branch: nn.ParameterDict, second: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return the one convolution that a 1x1 and the 3x3 with weight `second` are in a row.

    The authors pad what the 1x1 gives by its bias, so that this holds at the border too.
    """
    kernel = torch.einsum("omyx,mi->oiyx", second, branch["k0"].flatten(1))
    return kernel, torch.einsum("omyx,m->o", second, branch["b0"]) + bias


class _Trained(PlainNet, Foldable):
    def __init__(self, hyper: EcbsrHyper, scale: int) -> None:
        super().__init__(hyper.widths(scale), scale, hyper.activation, layer=_Block)
        self.identity = hyper.identity

    @torch.no_grad()
    def folded(self) -> dict[str, Tensor]:
        state = self.state_dict()
        for name, block in self.named_modules():
            if isinstance(block, _Block):
                state = {key: v for key, v in state.items() if not key.startswith(f"{name}.")}
                kernel, bias = block.folded(identity=self.identity)
                state |= {f"{name}.weight": kernel, f"{name}.bias": bias}
        return state
