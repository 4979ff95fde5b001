"""Multiply-accumulates themselves, which many papers print as FLOPs or Mult-Adds."""

from sr_bench.cost.count import CostCount

DESCRIPTION = "multiply-accumulates of every convolution and linear layer, / 1e9"


def ops(count: CostCount) -> int:
    """Return the operations that the rule counts."""
    return count.macs


def flops_g(count: CostCount) -> float:
    """Return the number in G."""
    return ops(count) / 1e9
