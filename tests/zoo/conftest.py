"""Hand-made networks: every convolution zero, then the few taps that a test sets."""

from collections.abc import Callable

import pytest
import torch
from torch import nn


@pytest.fixture
def blank() -> Callable[[nn.Module], nn.Module]:
    """Return a function that zeroes all convolutions but the mean shift."""

    def zero(module: nn.Module) -> nn.Module:
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if "_mean" not in name:
                    parameter.zero_()
        return module.eval().requires_grad_(False)

    return zero


@pytest.fixture
def identity() -> Callable[[nn.Module, str], None]:
    """Return a function that makes a 3x3 convolution, named by path, copy its channels.

    Where it has more outputs than inputs, outputs r*i to r*i + r - 1 copy input i, so that a
    pixel shuffle after it repeats each pixel.
    """

    def copy(module: nn.Module, path: str) -> None:
        weight = module.get_submodule(path).weight
        repeat = max(1, weight.shape[0] // weight.shape[1])
        for out in range(min(weight.shape[0], repeat * weight.shape[1])):
            weight[out, out // repeat, 1, 1] = 1.0

    return copy
