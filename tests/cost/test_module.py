"""Counting torch modules: the documents' numbers, torch's own counter, hand-computed layers."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sr_bench import discovery
from sr_bench.cost.count import CostCount
from sr_bench.cost.module import count_module
from sr_bench.errors import BackendError
from tests.cost.zoo_models import MODELS, TRUNCATED, Printed, small


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def printed(request: pytest.FixtureRequest) -> Printed:
    return request.param


def test_every_printed_flops_is_met_to_its_last_digit(printed: Printed) -> None:
    rule = discovery.load("sr_bench.cost.rules", printed.rule)
    count = count_module(printed.module(), printed.shape)
    assert f"{rule.flops_g(count):.3f}" == printed.flops_g


def test_every_params_is_exact(printed: Printed) -> None:
    assert count_module(printed.module(), printed.shape).params == printed.params


@pytest.mark.parametrize(
    ("name", "params"),
    [("ecbsr_plain_x2", 2_708), ("msrn_x2", 102_579), ("animevideov3", 620_336)],
)
def test_the_parameters_that_thop_printed_lack_those_of_layers_it_does_not_know(
    name: str, params: int
) -> None:
    row = MODELS[name]
    assert count_module(row.module(), row.shape).params_by(row.rule) == params


@pytest.mark.parametrize("name", [name for name, row in MODELS.items() if row.params_m])
def test_every_printed_params_is_met_to_its_last_digit(name: str) -> None:
    row = MODELS[name]
    digits = len(row.params_m.partition(".")[2])
    millions = row.params / 1e6
    cut = int(millions * 10**digits) / 10**digits if name in TRUNCATED else millions
    assert f"{cut:.{digits}f}" == row.params_m


@pytest.mark.parametrize(
    "name", ["edsr_baseline_x4", "sr4k_official", "lesrcnn_x3", "esrgan_x4", "msrn_x2"]
)
def test_the_macs_are_those_of_torchs_own_counter(name: str) -> None:
    module = MODELS[name].module()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, 3, 48, 32, device="meta"))
    assert 2 * count_module(module, (3, 48, 32)).macs == counter.get_total_flops()


def test_channel_attention_is_counted_as_torchs_own_counter_does() -> None:
    module = small("rcan_official_x2").to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, 3, 16, 16, device="meta"))
    assert 2 * count_module(module, (3, 16, 16)).macs == counter.get_total_flops()


def test_each_kind_of_layer_is_counted_as_computed_by_hand() -> None:
    net = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),  # 6x5x4 out, 2*9 MACs each
        nn.LeakyReLU(0.2),  # 6x5x4
        nn.PReLU(6),  # 6x5x4
        nn.ConvTranspose2d(6, 2, 2, stride=2),  # 6x5x4 in, 2*4 MACs each; 2x10x8 out
        nn.BatchNorm2d(2),  # 2x10x8
        nn.InstanceNorm2d(2),
        nn.AdaptiveAvgPool2d(1),  # 2 sums of 80 and a division each
        nn.Flatten(),
        nn.Linear(2, 5),
    )
    assert count_module(net, (4, 10, 8)) == CostCount(
        conv_macs=120 * 18 + 120 * 8,
        linear_macs=10,
        subclass_macs=0,
        transposed_surplus=160 * 6 * 4 - 120 * 8,
        conv_bias_outputs=120 + 160,
        leaky_relu_elements=120,
        prelu_elements=120,
        batch_norm_elements=160,
        norm_ops=4 * 160 + 2 * 160,
        adaptive_pool_ops=2 * 81,
        params=(6 * 2 * 9 + 6) + 6 + (6 * 2 * 4 + 2) + 4 + 15,
        late_params=6,
        unseen_params=0,
        bias_params=6 + 2 + 5,
    )


def test_a_subclass_of_a_convolution_is_kept_apart() -> None:
    class Shift(nn.Conv2d):
        pass

    count = count_module(nn.Sequential(Shift(3, 3, 1), nn.Conv2d(3, 2, 1)), (3, 4, 5))
    assert (count.subclass_macs, count.conv_macs, count.conv_bias_outputs) == (180, 120, 40)
    assert (count.macs, count.params, count.unseen_params) == (300, 20, 12)


class _Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1, bias=False)
        self.alias = self.layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.alias(self.layer(x))
        return out


def test_a_layer_that_is_called_twice_costs_twice_and_has_its_params_once() -> None:
    count = count_module(_Twice(), (3, 2, 2))
    assert (count.conv_macs, count.params) == (2 * 36, 9)


def test_counting_leaves_a_module_with_weights_as_it_was() -> None:
    module = small("rrdbnet_x4")
    x = torch.rand(1, 3, 8, 8)
    before = module(x)
    count_module(module, (3, 1080, 1920))
    assert torch.equal(module(x), before)
    assert not any(layer._forward_hooks for layer in module.modules())


def test_a_shape_that_the_network_refuses_is_named() -> None:
    with pytest.raises(BackendError, match=r"can't count Sequential on the input shape 1x8x8"):
        count_module(nn.Sequential(nn.Conv2d(3, 3, 3)), (1, 8, 8))
