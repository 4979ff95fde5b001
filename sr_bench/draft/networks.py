"""Tell which network a row is about, where that is sure, and by which rule its cost was counted.

A built-in network is sure if the row's label names it and its parameters are the printed ones. No
hyper-parameter is guessed: those here are of published networks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import relpath
from pathlib import Path

from sr_bench import discovery
from sr_bench.core.card import Hyper, ModelCard, Tolerance
from sr_bench.core.claim import Claim, dataset_key
from sr_bench.core.metric import quantity
from sr_bench.document.sizes import Size
from sr_bench.draft.ends import Ends, read_ends
from sr_bench.engine.judge.claim import fits
from sr_bench.errors import SrBenchError

_RULES = "sr_bench.cost.rules"


@dataclass(frozen=True)
class Published:
    """A network as its authors released it."""

    label: str
    """What labels say, as a pattern for letters and digits alone."""
    about: str
    """What else the row, its links or its document must say; empty: nothing."""
    architecture: str
    hyper: Hyper
    value_range: float = 1.0


def _edsr(form: str, n_feats: int, n_resblocks: int, res_scale: float) -> Hyper:
    size: Hyper = {"n_feats": n_feats, "n_resblocks": n_resblocks, "res_scale": res_scale}
    return {"form": form, **size, "rgb_range": 255.0}


def _rcan(form: str, mean_shift: str, n_resgroups: int, n_resblocks: int, n_feats: int) -> Hyper:
    is_whole = n_resgroups == 10
    size: Hyper = {"n_resgroups": n_resgroups, "n_resblocks": n_resblocks, "n_feats": n_feats}
    block: Hyper = {"attention": is_whole, "reduction": 16 if is_whole else 0, "res_scale": 1.0}
    mean: Hyper = {"rgb_range": 255.0, "rgb_mean": "div2k", "mean_shift": mean_shift}
    head, upsample = ("stride1", "steps") if is_whole else ("stride2", "single")
    return {"form": form, **size, **block, **mean, "head": head, "upsample": upsample}


def _rrdb(n_blocks: int) -> Hyper:
    return {"n_feats": 64, "n_blocks": n_blocks, "growth": 32, "res_scale": 0.2}


_BASICSR, _NOT_BASICSR, _YULUN = "basicsr", "edsr-?pytorch|official|sanghyun", "official|yulun"

PUBLISHED: tuple[Published, ...] = (
    Published("edsrbaseline(x[234])?", _NOT_BASICSR, "edsr", _edsr("official", 64, 16, 1.0), 255.0),
    Published("edsr(x[234])?", _NOT_BASICSR, "edsr", _edsr("official", 256, 32, 0.1), 255.0),
    Published(r"(\d{3})?edsrmx[234]f64b16.*", "", "edsr", _edsr("basicsr", 64, 16, 1.0)),
    Published(r"(\d{3})?edsrlx[234]f256b32.*", "", "edsr", _edsr("basicsr", 256, 32, 0.1)),
    Published("edsrmx[234]", _BASICSR, "edsr", _edsr("basicsr", 64, 16, 1.0)),
    Published("edsrlx[234]", _BASICSR, "edsr", _edsr("basicsr", 256, 32, 0.1)),
    Published("edsrx1", _BASICSR, "edsr", _edsr("basicsr", 32, 9, 1.0)),
    Published("rcan(x[2348])?", _YULUN, "rcan", _rcan("official", "frozen", 10, 20, 64), 255.0),
    Published("rcan(x[234])?", _BASICSR, "rcan", _rcan("basicsr", "tensor", 10, 20, 64)),
    # SR4K, the trimmed RCAN of VastModelZOO: only its parameters tell it from RCAN.
    Published("rcan", _YULUN, "rcan", _rcan("official", "plain", 3, 2, 32), 255.0),
    Published("rcan2", _YULUN, "rcan", _rcan("official", "plain", 2, 2, 16), 255.0),
    Published("rcan", _BASICSR, "rcan", _rcan("basicsr", "tensor", 3, 2, 32)),
    Published("lesrcnn(x[234])?", "", "lesrcnn", {"n_feats": 64, "multi_scale": False}),
    Published("(real)?esr(gan|net)(x4)?(plus)?", "", "rrdbnet", _rrdb(23)),
    Published("bsr(gan|net)(x[24])?", "", "rrdbnet", _rrdb(23)),
    Published("realesrganx2plus", "", "rrdbnet", {**_rrdb(23), "unshuffle": True}),
    Published("df2k(jpeg)?|dped", "real-?sr", "rrdbnet", _rrdb(23)),
    Published("realesrganx4plusanime6b", "", "rrdbnet", _rrdb(6)),
)


@dataclass(frozen=True)
class Network:
    """What is known of a row's network."""

    architecture: str = ""
    hyper: Hyper = field(default_factory=dict)
    onnx: str = ""
    """The file, as the card names it."""
    value_range: float | None = None
    why: str = ""
    rule: str = ""
    """By which the printed Flops were counted; empty if none gives them."""
    shape: Size | None = None
    """On which they were."""
    cut_params: bool = False
    """Whether the document cut the printed parameters, instead of rounding them."""
    doubts: tuple[str, ...] = ()
    ends: Ends = field(default_factory=Ends)

    def shaped(self, shape: Size) -> Size:
        """Return `shape` with the channels that it reads."""
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
            network = Network(known.architecture, known.hyper, value_range=known.value_range)
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
    network = Network(onnx=name, why="given with --onnx", value_range=white, ends=ends)
    card = replace(_card(costs, network), onnx=file.resolve(), input=ends.input, output=ends.output)
    costs = replace(costs, shapes=tuple(network.shaped(shape) for shape in costs.shapes))
    try:
        found = _compared(costs, network, card)
    except SrBenchError as error:
        return replace(network, doubts=(f"{name} can't be counted: {error}",))
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
    )


def _compared(costs: Costs, network: Network, card: ModelCard) -> Network:
    """Return the network with what its count says; nothing if it is not the printed one.

    Raises:
        SrBenchError: It can't be counted.
    """
    from sr_bench.engine.measure.cost import count

    counts = count(card, next(iter(costs.shapes), (card.input.channels, 256, 256)))
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
    rule, shape = next(_rules(costs, card), ("", None))
    if (flops := costs.of("flops")) and not rule:
        doubts.append(_uncounted(flops, costs.shapes))
    if network.architecture and not (printed or rule):
        doubts.append(f"{name} is taken by the label alone: no printed Params or Flops prove it")
    cut, told = is_cut and not is_rounded, tuple(doubts)
    return replace(network, why=why, rule=rule, shape=shape, cut_params=cut, doubts=told)


def _uncounted(flops: Claim, shapes: Sequence[Size]) -> str:
    if not shapes:
        return f"nothing says what shape the {quantity(flops)} Flops are counted on: set cost.shape"
    sizes = ", ".join("x".join(map(str, each)) for each in shapes)
    return f"no counting rule gives the printed {quantity(flops)} Flops on {sizes}"


def _rules(costs: Costs, card: ModelCard) -> Iterator[tuple[str, Size]]:
    """Yield each rule and shape by which the network costs what is printed."""
    from sr_bench.engine.measure.cost import count

    flops = costs.of("flops")
    for shape in costs.shapes if flops else ():
        counts = count(card, shape)
        for rule in discovery.names(_RULES):
            if flops and fits(flops, counts.by(rule)[1], Tolerance()):
                yield rule, shape
