"""Count what a card's network costs: no weights, no compute, no backend."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache

from sr_bench.core.card import ModelCard
from sr_bench.core.case import COST_METRICS, FILE_METRIC
from sr_bench.core.record import Measurement
from sr_bench.cost.count import CostCount
from sr_bench.engine.prepare.code_digest import measuring, network_code
from sr_bench.engine.prepare.weights import external_files, network_digest, weights_path
from sr_bench.errors import BackendError
from sr_bench.files.hashing import sha256_json
from sr_bench.files.kept import Kept

Shape = tuple[int, int, int]


class Counts:
    """Counts of networks, each made once for the same network by the same code."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._counts: dict[str, CostCount] = {}

    def measured(self, card: ModelCard, metric: str) -> Measurement:
        """Return what the network of `card` costs by `metric`; raises as `count`."""
        if metric == FILE_METRIC:
            return _file_measurement(card)
        shape = card.counted_shape
        key = sha256_json([_network(card), shape, measuring()])
        if key not in self._counts:
            self._counts[key] = self._count(f"costs/{key}.json", card, shape)
        return cost_measurement(card, metric, self._counts[key])

    def _count(self, name: str, card: ModelCard, shape: Shape) -> CostCount:
        if (content := self._kept.read(name)) is not None:
            return CostCount(**json.loads(content))
        cost = count(card, shape)
        self._kept.write(name, json.dumps(asdict(cost)).encode())
        return cost


def count(card: ModelCard, shape: Shape) -> CostCount:
    """Return the operations at `shape` (channels, height, width) and the parameters of `card`.

    Raises:
        CardError: The hyper-parameters aren't those of the architecture, or a user's class fails.
        NotRunError: A user's ONNX file is absent, or the code of a class not to be run.
        BackendError: It can't be read or counted.
    """
    if not card.architecture:
        return _count_file(card, shape)
    return _count_network(_Network(_network(card), card), shape)


@dataclass(frozen=True)
class _Network:
    """A network of torch, equal to all that are built alike."""

    digest: str
    card: ModelCard = field(compare=False)


def _count_file(card: ModelCard, shape: Shape) -> CostCount:
    """Count the user's file of `card`, as it is measured; else whole: not all give an image."""
    from sr_bench.cost.onnx_graph import count_onnx
    from sr_bench.cost.onnx_shapes import read_model
    from sr_bench.files.onnx_canonical import canonical, is_canonical
    from sr_bench.files.onnx_card import Declared

    path, declared = weights_path(card, None), Declared(card.input, card.output)
    try:
        if not is_canonical(path, declared):
            return count_onnx(canonical(read_model(path), declared), shape)
    except BackendError as fault:
        try:
            return count_onnx(path, shape)
        except BackendError:
            raise fault from None
    return count_onnx(path, shape)


@cache
def _count_network(network: _Network, shape: Shape) -> CostCount:
    """Count a network once, however many rows have it."""
    from sr_bench.cost.module import count_built
    from sr_bench.zoo.build import build_network

    return count_built(lambda: build_network(network.card), shape)


def cost_measurement(card: ModelCard, metric: str, cost: CostCount) -> Measurement:
    """Return `cost` as Flops or MACs by the card's rule or as OPS, in G, or as Params, in M.

    Raises:
        BackendError: The parameters can't be told.
    """
    if metric == "params":
        if cost.unknown_params:
            raise BackendError(cost.unknown_params)
        return Measurement.of(metric, cost.params / 1e6, exact=cost.params)
    if metric == "macs":
        exact = cost.macs_by(card.flops_rule)
        return Measurement.of(metric, exact / 1e9, exact=exact, notes={"macs": float(cost.macs)})
    if metric == "ops":  # of accelerators, whose vendors count two for each MAC
        return Measurement.of(metric, 2 * cost.macs / 1e9, exact=2 * cost.macs)
    exact, flops_g = cost.by(card.flops_rule)
    notes = {"standard_g": 2 * cost.macs / 1e9, "macs": float(cost.macs)}
    return Measurement.of("flops", flops_g, exact=exact, notes=notes)


def _file_measurement(card: ModelCard) -> Measurement:
    """Return the bytes of the ONNX file of `card` and of those that hold its weights, in MB.

    Raises:
        NotRunError: The file is absent.
        CardError: It can't be read, or names a file that is not there.
    """
    path = weights_path(card, None)
    exact = sum(file.stat().st_size for file in (path, *external_files(path)))
    return Measurement.of(FILE_METRIC, exact / 1e6, exact=exact)


def cost_inputs(card: ModelCard, metric: str) -> Mapping[str, str]:
    """Return the digest of each thing that can change a cost metric of `card`, by name."""
    inputs = {"architecture": _network(card)}
    if metric in COST_METRICS and metric != "params":
        inputs |= {"rule": card.flops_rule, "shape": "x".join(map(str, card.counted_shape))}
    return inputs


def _network(card: ModelCard) -> str:
    """Return the digest of the network of `card`, without the weights of a checkpoint."""
    content = network_digest(card, weights_path(card, None)) if card.onnx else ""
    code = [network_code(card)] if card.own_class else []
    ends = [card.input.choices(), card.output.choices()] if card.onnx else []
    declared = [ends] if any(ends) else []  # which of a file are images, and how
    built = [card.architecture, dict(card.hyper), card.network_scale]
    return sha256_json([content, *built, *code, *declared])
