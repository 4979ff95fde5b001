"""Tell which network a row is about, where that is sure, and by which rule its cost was counted.

A built-in network is sure if the row's label names it and its parameters are the printed ones.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import relpath
from pathlib import Path

from sr_bench.core.card import Hyper, ModelCard, Tolerance
from sr_bench.core.claim import Claim, dataset_key
from sr_bench.core.metric import quantity
from sr_bench.core.network_io import NetworkOutput
from sr_bench.document.sizes import Size
from sr_bench.draft.ends import Ends, read_ends
from sr_bench.draft.own_classes import OwnClass
from sr_bench.draft.published import PUBLISHED
from sr_bench.engine.explain.counting import countings
from sr_bench.engine.judge.claim import fits
from sr_bench.errors import SrBenchError


@dataclass(frozen=True)
class Network:
    """What is known of a row's network."""

    architecture: str = ""
    hyper: Hyper = field(default_factory=dict)
    onnx: str = ""
    """The file, as the card names it."""
    value_range: float | None = None
    ends: Ends = field(default_factory=Ends)
    why: str = ""
    rule: str = ""
    """By which the printed Flops were counted; empty if none gives them."""
    shape: Size | None = None
    """On which they were."""
    cut_params: bool = False
    """Whether the document cut the printed parameters, instead of rounding them."""
    doubts: tuple[str, ...] = ()
    own: OwnClass | None = None
    """A class that may be it, where it is not known."""

    def shaped(self, shape: Size) -> Size:
        """Return `shape` with the channels that it reads; documents may not print them."""
        return self.ends.input.channels, *shape[1:]

    @property
    def known(self) -> bool:
        """Whether it can be measured."""
        return bool(self.architecture or self.onnx)


@dataclass(frozen=True)
class Costs:
    """What a row prints of its network."""

    label: str
    scale: int
    claims: tuple[Claim, ...]
    shapes: tuple[Size, ...]
    """On which Flops may have been counted, the likeliest first."""

    def of(self, metric: str) -> Claim | None:
        """Return what it prints of `metric`, if anything."""
        return next((claim for claim in self.claims if claim.metric == metric), None)


def identify(costs: Costs, about: str) -> Network:
    """Return the built-in network that a row names, if its printed parameters are that network's.

    `about` is the row's source with its link, and what the document is called.
    """
    letters = dataset_key(costs.label)
    other = Network()
    for known in PUBLISHED:
        if re.fullmatch(known.label, letters) and re.search(known.about, about, re.IGNORECASE):
            network = Network(
                known.architecture,
                known.hyper,
                value_range=known.value_range,
                ends=Ends(known.at(costs.scale), NetworkOutput(known.input.colour)),
            )
            try:
                found = _compared(costs, network, _card(costs, network))
            except SrBenchError:  # no such scale
                continue
            if found.known:
                return found
            other = other if other.doubts else found
    return other


def own_file(costs: Costs, file: Path, folder: Path) -> Network:
    """Return the network of a user's ONNX `file`, named from the `folder` of the card."""
    name = Path(relpath(file.resolve(), folder.resolve())).as_posix()
    ends = read_ends(file, name)
    white = 255.0 if all(ends.in_levels) else None
    network = Network(onnx=name, value_range=white, ends=ends)
    card = replace(_card(costs, network), onnx=file.resolve())
    try:
        found = _compared(costs, network, card)
    except SrBenchError as error:
        fault = f"{name} can't be counted: {error}".replace(str(file.resolve()), name)
        others = (doubt for doubt in ends.doubts if doubt not in fault)
        return replace(network, doubts=(*others, fault))
    return replace(found, doubts=(*ends.doubts, *found.doubts))


def _card(costs: Costs, network: Network) -> ModelCard:
    return ModelCard(
        name=costs.label,
        family="",
        folder=Path(),
        row="",
        row_source="",
        scale=costs.scale,
        architecture=network.architecture,
        hyper=network.hyper,
        input=network.ends.input,
        output=network.ends.output,
    )


def _compared(costs: Costs, network: Network, card: ModelCard) -> Network:
    """Return the network with what its count says; nothing if it is not the printed one.

    Raises:
        SrBenchError: It can't be counted.
    """
    from sr_bench.engine.measure.cost import count

    shapes = [network.shaped(shape) for shape in costs.shapes]
    counts = count(card, next(iter(shapes), network.shaped((3, 256, 256))))
    printed = None if counts.unknown_params else costs.of("params")
    why, exact = f"{counts.params:,} parameters by count", counts.params / 1e6
    name, doubts = network.onnx or f"{network.architecture} as published", []
    is_rounded = printed is not None and fits(printed, exact, Tolerance())
    is_cut = printed is not None and fits(printed, exact, Tolerance(digits="truncated"))
    if printed and (is_rounded or is_cut):
        why += f", {quantity(printed)} printed"
    elif printed:
        doubts.append(
            f"{name} has {counts.params:,} parameters, the document prints {quantity(printed)}:"
            " another network; give its hyper-parameters or an ONNX file"
        )
        if network.architecture:
            return Network(doubts=tuple(doubts))
    flops = costs.of("flops")
    rule, shape = next(_rules(flops, shapes, card), ("", None)) if flops else ("", None)
    if flops and not rule:
        doubts.append(_uncounted(flops, shapes, card))
    if network.architecture and not (printed or rule):
        doubts.append(f"{name} is taken by the label alone: no printed Params or Flops prove it")
    cut, told = is_cut and not is_rounded, tuple(doubts)
    return replace(network, why=why, rule=rule, shape=shape, cut_params=cut, doubts=told)


def _uncounted(flops: Claim, shapes: Sequence[Size], card: ModelCard) -> str:
    if not shapes:
        return f"nothing says what shape the {quantity(flops)} Flops are counted on: set cost.shape"
    sizes = ", ".join("x".join(map(str, each)) for each in shapes)
    ways = " or ".join(map(str, countings(card, flops, shapes[0])))
    known = f"; they are {ways}" if ways else ""
    return f"no counting rule gives the printed {quantity(flops)} Flops on {sizes}{known}"


def _rules(flops: Claim, shapes: Iterable[Size], card: ModelCard) -> Iterator[tuple[str, Size]]:
    """Yield each rule and shape by which the network costs what is printed."""
    from sr_bench.engine.measure.cost import count

    for shape in shapes:
        for rule, flops_g in count(card, shape).flops_by_rule().items():
            if fits(flops, flops_g, Tolerance()):
                yield rule, shape
