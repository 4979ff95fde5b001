"""Counting rules: what each adds up, on numbers that distinguish the parts."""

import pytest

from sr_bench import discovery
from sr_bench.cost.count import CostCount

COUNT = CostCount(
    conv_macs=1_000_000,
    linear_macs=200_000,
    subclass_macs=30_000,
    transposed_surplus=4_000,
    conv_bias_outputs=500,
    leaky_relu_elements=60,
    prelu_elements=8_000_000,
    batch_norm_elements=10_000_000,
    norm_ops=300_000_000,
    adaptive_pool_ops=7,
    params=1_111,
    late_params=10,
    unseen_params=100,
)


@pytest.mark.parametrize(
    ("rule", "ops", "divisor"),
    [
        ("thop_0_0_31", 21_204_567, 0.45e9),
        ("thop_0_1_1", 309_204_007, 0.45e9),
        ("macs", 1_230_000, 1e9),
        ("standard", 2 * 1_230_000, 1e9),
    ],
)
def test_a_rule_adds_its_parts(rule: str, ops: int, divisor: float) -> None:
    module = discovery.load("sr_bench.cost.rules", rule)
    assert module.ops(COUNT) == ops
    assert module.flops_g(COUNT) == pytest.approx(ops / divisor, rel=1e-15)


def test_every_rule_describes_itself() -> None:
    rules = discovery.names("sr_bench.cost.rules")
    assert rules == ("macs", "standard", "thop_0_0_31", "thop_0_1_1")
    assert all(discovery.load("sr_bench.cost.rules", rule).DESCRIPTION for rule in rules)


@pytest.mark.parametrize(
    ("rule", "params"), [("standard", 1_111), ("thop_0_1_1", 1_011), ("thop_0_0_31", 1_001)]
)
def test_a_tool_overlooks_the_parameters_of_layers_that_it_does_not_know(
    rule: str, params: int
) -> None:
    assert COUNT.params_by(rule) == params
