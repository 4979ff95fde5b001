"""The usual count: two operations per multiply-accumulate, nothing skipped."""

from sr_bench.cost.count import CostCount

DESCRIPTION = "2 operations per multiply-accumulate of every convolution and linear layer, / 1e9"


def ops(count: CostCount) -> int:
    """Return the operations that the rule counts."""
    return 2 * count.macs


def flops_g(count: CostCount) -> float:
    """Return the number in G."""
    return ops(count) / 1e9
