"""Networks as people write them: bare functions, values in constructors, evaluation mode."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from sr_bench.cost.module import count_built, count_module
from sr_bench.cost.rules import standard, thop_0_1_1
from sr_bench.errors import BackendError

SHAPE = (3, 6, 5)
_CONV = 6 * 5 * 3 * 27
"""What a 3x3 convolution of 3 to 3 channels multiplies."""


class Merged(nn.Module):
    """A 1x1 and a 3x3 convolution, merged into one kernel at each call as ECBSR's are."""

    def __init__(self) -> None:
        super().__init__()
        self.k0 = nn.Parameter(torch.rand(8, 3, 1, 1))
        self.k1 = nn.Parameter(torch.rand(3, 8, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        kernel = functional.conv2d(self.k1, self.k0.permute(1, 0, 2, 3))
        padded = torch.zeros_like(functional.pad(x, (1, 1, 1, 1)))
        padded[:, :, 1:-1, 1:-1] = x
        return functional.conv2d(padded, weight=kernel)


def test_a_function_counts_on_what_depends_on_the_image_and_thop_does_not_see_it() -> None:
    count = count_module(Merged(), SHAPE)
    assert (count.macs, count.subclass_macs, count.params) == (_CONV, _CONV, 24 + 216)
    assert (standard.ops(count), thop_0_1_1.ops(count)) == (2 * _CONV, 0)


@pytest.mark.parametrize(
    ("function", "macs"),
    [
        (lambda x: functional.conv_transpose2d(x, torch.ones(3, 2, 4, 4), stride=2), 90 * 32),
        (lambda x: torch.conv2d(input=x, weight=torch.ones(6, 1, 3, 3), groups=3), 6 * 12 * 9),
        (lambda x: functional.linear(x.flatten(1), torch.ones(7, 90), bias=None), 7 * 90),
        (
            lambda x: functional.conv2d(functional.relu(x).split(1, 1)[2], torch.ones(1, 1, 6, 5)),
            30,
        ),
        (lambda x: torch.ones(1, 3, 6, 5) @ torch.ones(5, 2) + x.mean(), 0),
    ],
)
def test_each_function_counts_as_its_layer(function: Callable, macs: int) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    assert count_built(Net, SHAPE).macs == macs


def test_a_deformable_convolution_of_torchvision_is_one() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            weight = torch.ones(3, 3, 3, 3)
            operators = torch.ops.torchvision
            return operators.deform_conv2d(operators.deform_conv2d.default(x, weight), weight)

    with torch.library._scoped_library("torchvision", "FRAGMENT") as library:
        library.define("deform_conv2d(Tensor input, Tensor weight) -> Tensor")
        library.impl("deform_conv2d", lambda x, _weight: torch.empty_like(x), "Meta")
        assert count_built(Net, SHAPE).subclass_macs == 2 * _CONV


def test_the_linear_layers_of_multi_head_attention_are_counted() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2)

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(2).permute(2, 0, 1).repeat(1, 1, 8)[:, :, :8]
            return self.attention(tokens, tokens, tokens)[0]

    assert count_built(Net, SHAPE).macs == 30 * 4 * 64


class FromValues(nn.Module):
    """Reads values and sets data in its constructor, as no tensor of the meta device allows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.conv.weight.data = torch.from_numpy(np.ones((3, 3, 3, 3), np.float32))
        self.gain = float(self.conv.weight.detach().sum()) / self.conv.bias.detach().numpy().size

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.gain


class ByValue(nn.Module):
    """Asks for a value in its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(input=x) if x.max().item() < 1 else x


class Normalised(nn.Module):
    """Normalises one value for each channel, which only evaluation can; shares and derives."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = parametrizations.weight_norm(nn.Conv2d(3, 3, 3, padding=1))
        self.norm, self.late = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.late.weight = self.norm.weight
        self.register_buffer("step_counter", torch.tensor(7))

    def forward(self, x: Tensor) -> Tensor:
        return self.late(self.norm(functional.adaptive_avg_pool2d(self.conv(x), 1)))


@pytest.mark.parametrize(
    ("kind", "params"), [(FromValues, 84), (ByValue, 84), (Normalised, 84 + 3 + 9)]
)
def test_what_needs_values_or_evaluation_mode_is_counted(
    kind: type[nn.Module], params: int
) -> None:
    seed = torch.initial_seed()
    count = count_built(kind, SHAPE)
    assert (count.macs, count.params, torch.initial_seed()) == (_CONV, params, seed)


def test_a_layer_that_waits_for_its_first_input_is_refused_in_a_line() -> None:
    with pytest.raises(BackendError, match=r"can't count LazyConv2d on .* 3x6x5: ValueError: "):
        count_built(lambda: nn.LazyConv2d(3, 3), SHAPE)


def test_a_forward_with_other_arguments_is_named_by_its_line() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor, scale: int) -> Tensor:
            return x * scale

    with pytest.raises(BackendError, match=rf"{__file__}:\d+: TypeError: .*'scale'"):
        count_built(Net, SHAPE)


def test_an_error_of_the_forward_names_its_line() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.view(7)

    with pytest.raises(BackendError, match=rf"Net on .* 3x6x5: {__file__}:\d+: RuntimeError: "):
        count_built(Net, SHAPE)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_torchscript_is_refused_as_its_layers_are_hidden() -> None:
    with pytest.raises(BackendError, match=r"can't count .*: TorchScript hides its layers"):
        count_built(lambda: torch.jit.script(nn.Conv2d(3, 3, 3)), SHAPE)
