"""Read weight files without a card: what they hold, and what fits a network of given shapes."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from sr_bench.zoo.checkpoints.fit import Fit, fitting, told, wanted_by
from sr_bench.zoo.checkpoints.load import check_file, open_weights


class Net(nn.Module):
    """A network of parameters alone, named as they are given, with dots."""

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        super().__init__()
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape)))


def load_state(path: Path, *, sha256: str = "") -> dict[str, Tensor]:
    """Return every tensor of a file by its dotted name."""
    check_file(path, sha256)
    leaves, value_of = open_weights(path)
    return {name: value_of(leaf) for name, leaf in leaves.tensors.items()}


def fit_of(path: Path, key: str = "", net: nn.Module | None = None) -> Fit:
    """Return the entry of a file that is `net`, which has one parameter ``a`` of 2 values."""
    leaves, _ = open_weights(path)
    return fitting(leaves, [wanted_by(net or Net(a=(2,)))], key, str)


def told_of(path: Path, key: str = "", shapes: Mapping[str, tuple[int, ...]] | None = None) -> str:
    """Return what a record says about the fit of a file."""
    net = Net(**(shapes or {"a": (2,)}))
    leaves, _ = open_weights(path)
    return told(fitting(leaves, [wanted_by(net)], key, str), leaves, key)
