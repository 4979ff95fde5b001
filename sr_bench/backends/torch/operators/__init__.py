"""The ONNX operators that torch runs: a table from name to what builds it from a node."""

from collections.abc import Mapping

from sr_bench.backends.torch.operators import layout, levels, pointwise, resize, window
from sr_bench.backends.torch.operators.node import Build

OPERATORS: Mapping[str, Build] = {
    **pointwise.TABLE,
    **layout.TABLE,
    **window.TABLE,
    **resize.TABLE,
    **levels.TABLE,
}
