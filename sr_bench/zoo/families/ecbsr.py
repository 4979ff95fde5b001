"""ECBSR as it is deployed: each block of five branches folded into one 3x3 convolution.

Source: xindongzhang/ECBSR c60b1d2, models/plainsr.py and ecb.py, and XPixelGroup/BasicSR 651835a,
ecbsr_arch.py (parameter names and arithmetic). Checkpoints of both forms load: those of training
hold the branches, and are folded. The published networks are ECBSR-M*m*C*c*: ``n_convs = m`` (4 to
16), ``n_feats = c`` (8 to 64), ``activation = "prelu"``, ``identity = false``. Those of the authors
read and write luma in 0-255 (``colours = 1``), BasicSR's RGB in 0-1 too (``colours = 3``).
"""

import re
from collections.abc import Mapping

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.hyper import check_scale, read
from sr_bench.zoo.plain import PlainHyper, PlainNet

_LAYER = re.compile(r"backbone\.(\d+)\.(conv3x3\.|act\.|)")
_FILTERS = ("conv1x1_sbx", "conv1x1_sby", "conv1x1_lpl")  # 1x1, then a fixed 3x3 for each channel
_WIDER = 2  # channels of the first branch between its two convolutions, for each of the output's


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


def canonical_key(key: str) -> str:
    """Return the name that `PlainNet` gives to the parameter that a checkpoint calls `key`.

    >>> canonical_key("backbone.2.conv3x3.bias"), canonical_key("backbone.2.act.weight")
    ('body.4.bias', 'body.5.weight')
    """
    if not (match := _LAYER.match(key)):
        return key
    index = 2 * int(match[1]) + (match[2] == "act.")
    return f"body.{index}.{key[match.end() :]}"


def training_state(hyper: Hyper, scale: int) -> dict[str, Tensor]:
    """Return the weights that the network has in training, without values: those of all branches.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    with torch.device("meta"):
        state = build(hyper, scale).state_dict()
        return state | {
            f"{layer}{branch}": torch.empty(shape)
            for layer, kernel in _layers(state)
            for branch, shape in _branches(*kernel.shape[:2]).items()
        }


def folded(hyper: Hyper, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `state`, of the training, with all branches of a block in its one convolution.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    identity = read(EcbsrHyper, hyper, architecture="ecbsr").identity
    left = dict(state)
    for layer, own in _layers(state):
        block = {branch: left.pop(layer + branch) for branch in _branches(*own.shape[:2])}
        kernel, bias = _sum(block)
        left[f"{layer}weight"] = own + kernel + _skip(kernel, identity=identity)
        left[f"{layer}bias"] = left[f"{layer}bias"] + bias
    return left


def _layers(state: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    """Return the start of the names of each convolution of the deployed network, and its kernel."""
    kernels = ((name, value) for name, value in state.items() if name.endswith(".weight"))
    return [(name.removesuffix("weight"), value) for name, value in kernels if value.ndim == 4]


def _branches(outputs: int, inputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what the branches of a block have."""
    wide = _WIDER * outputs
    shapes: dict[str, tuple[int, ...]] = {
        "conv1x1_3x3.k0": (wide, inputs, 1, 1),
        "conv1x1_3x3.b0": (wide,),
        "conv1x1_3x3.k1": (outputs, wide, 3, 3),
        "conv1x1_3x3.b1": (outputs,),
    }
    for branch in _FILTERS:
        shapes |= {f"{branch}.k0": (outputs, inputs, 1, 1), f"{branch}.b0": (outputs,)}
        shapes |= {f"{branch}.scale": (outputs, 1, 1, 1), f"{branch}.bias": (outputs,)}
        shapes |= {f"{branch}.mask": (outputs, 1, 3, 3)}
    return shapes


def _sum(block: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the kernel (O, I, 3, 3) and bias (O) that the branches add up to."""
    wide = block["conv1x1_3x3.k1"]
    parts = [_chained(block, "conv1x1_3x3", wide, block["conv1x1_3x3.b1"])]
    for branch in _FILTERS:
        each = block[f"{branch}.scale"] * block[f"{branch}.mask"]  # (O, 1, 3, 3)
        own = torch.eye(len(each))[:, :, None, None] * each  # of its own channel alone
        parts.append(_chained(block, branch, own, block[f"{branch}.bias"]))
    kernels, biases = zip(*parts, strict=True)
    return torch.stack(kernels).sum(0), torch.stack(biases).sum(0)


def _chained(
    block: Mapping[str, Tensor], branch: str, second: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the one convolution that a 1x1 and the 3x3 with weight `second` are in a row.

    The authors pad what the 1x1 gives by its bias, so that this holds at the border too.
    """
    first = block[f"{branch}.k0"].flatten(1)  # (M, I)
    kernel = torch.einsum("omyx,mi->oiyx", second, first)
    return kernel, torch.einsum("omyx,m->o", second, block[f"{branch}.b0"]) + bias


def _skip(kernel: Tensor, *, identity: bool) -> Tensor:
    """Return the kernel that copies each channel; zero where the block has no skip."""
    skip = torch.zeros_like(kernel)
    if identity and kernel.shape[0] == kernel.shape[1]:
        skip[:, :, 1, 1] = torch.eye(len(kernel))
    return skip
