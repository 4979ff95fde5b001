"""Rule A: what thop 0.0.31.post2005241907 counts, as the documents print it."""

from sr_bench.cost.count import CostCount

DESCRIPTION = (
    "thop 0.0.31: multiply-accumulates + 1 per output element of a biased convolution + 1 per "
    "LeakyReLU element + 2 per batch-normalised one + adaptive pooling, times 2 / 0.9e9; layers of "
    "a derived class are skipped"
)


def ops(count: CostCount) -> int:
    """Return the operations that the rule counts."""
    return (
        count.conv_macs
        + count.transposed_surplus
        + count.linear_macs
        + count.conv_bias_outputs
        + count.leaky_relu_elements
        + 2 * count.batch_norm_elements
        + count.adaptive_pool_ops
    )


def macs(count: CostCount) -> int:
    """Return what `thop.profile` calls MACs: all that the rule counts."""
    return ops(count)


def params(count: CostCount) -> int:
    """Return what `thop.profile` calls parameters: those of layers that it knows."""
    return count.params - count.unseen_params - count.late_params


def flops_g(count: CostCount) -> float:
    """Return the printed number, in G.

    Source: the export scripts of the documents print ``ops / 0.9e9 * 2``.
    """
    return ops(count) / 0.9e9 * 2
