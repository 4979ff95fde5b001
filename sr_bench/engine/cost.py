"""Count what a card's network costs: no weights, no compute, no backend."""

import json
from collections.abc import Mapping
from functools import cache

from sr_bench import discovery
from sr_bench.core.card import ModelCard
from sr_bench.core.claim import UNITS
from sr_bench.core.record import Measurement
from sr_bench.cost.count import CostCount
from sr_bench.engine.weights import weights_path
from sr_bench.files.hashing import sha256_file, sha256_json

Shape = tuple[int, int, int]


def count(card: ModelCard, shape: Shape) -> CostCount:
    """Return the operations at `shape` (channels, height, width) and the parameters of `card`.

    Raises:
        CardError: The hyper-parameters aren't those of the architecture.
        NotRunError: A user's ONNX file is absent.
        BackendError: It can't be read or counted.
    """
    if card.onnx is not None:
        from sr_bench.cost.onnx_graph import count_onnx

        return count_onnx(weights_path(card, None), shape)
    hyper = json.dumps(dict(card.hyper), sort_keys=True)
    return _count_network(card.architecture, hyper, card.scale, shape)


@cache
def _count_network(architecture: str, hyper: str, scale: int, shape: Shape) -> CostCount:
    """Count a built-in network once, however many rows have it; `hyper` is JSON."""
    import torch

    from sr_bench.cost.module import count_module
    from sr_bench.cost.shapes import ShapesOnly
    from sr_bench.zoo.build import build

    with torch.device("meta"), ShapesOnly():
        module = build(architecture, json.loads(hyper), scale)
    return count_module(module, shape)


def cost_measurement(card: ModelCard, metric: str, found: CostCount) -> Measurement:
    """Return `found` as the Flops by the card's rule, in G, or as the parameters, in M."""
    if metric == "params":
        return Measurement("params", UNITS["params"], found.params / 1e6, exact=found.params)
    rule = discovery.load("sr_bench.cost.rules", card.flops_rule)
    return Measurement(
        "flops",
        UNITS["flops"],
        rule.flops_g(found),
        exact=rule.ops(found),
        notes={"standard_g": 2 * found.macs / 1e9, "macs": float(found.macs)},
    )


def cost_inputs(card: ModelCard, metric: str) -> Mapping[str, str]:
    """Return the digest of each thing that can change a cost metric of `card`, by name."""
    content = sha256_file(card.onnx) if card.onnx else ""
    network = [content, card.architecture, dict(card.hyper), card.scale]
    found = {"architecture": sha256_json(network)}
    if metric == "flops":
        found |= {"rule": card.flops_rule, "shape": "x".join(map(str, card.counted_shape))}
    return found
