"""Write the draft of a card: what a person must decide first, then a table for each model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sr_bench.core.ignored import Ignored
from sr_bench.core.precision import Precision
from sr_bench.draft.choices import Protocol
from sr_bench.draft.datasets import Guess
from sr_bench.draft.found import Found
from sr_bench.draft.networks import Network
from sr_bench.draft.own_classes import OwnClass, is_scale
from sr_bench.text.toml import comment, key, pair

_NO_CLASS = OwnClass("module:Class")


_NO_IMAGES = (
    "The images; without them no number of images is measured. `sr-bench list` shows datasets:",
    "[[model.evaluation]]",
    'dataset = "..."',
    'protocol = "native_rgb"',
)


@dataclass(frozen=True)
class Evaluation:
    """Images and the name of their protocol."""

    dataset: Guess
    protocol: str
    why: str = ""
    precisions: tuple[Precision, ...] = ()
    variant: str = ""
    """Of the rows that it is only for, as claims have it."""


@dataclass(frozen=True)
class Calibration:
    """How a build file calibrates int8."""

    mode: str
    why: str
    bare: bool
    """Whether rows print int8 without a calibration: then this is taken for theirs."""
    on_device: bool
    """Whether a row is of the device that the file is for."""


@dataclass(frozen=True)
class Model:
    """One ``[[model]]``."""

    name: str
    row: str
    source: str
    scale: int
    why_scale: str
    network: Network
    checkpoint: Found | None
    """The weight file, where a page names one."""
    value_range: float
    why_range: str
    shape: str
    """That its cost is counted on; empty if nothing tells it."""
    evaluations: tuple[Evaluation, ...] = ()
    scores_images: bool = False
    """Whether its row prints numbers of images."""
    calibration: Calibration | None = None


@dataclass(frozen=True)
class Card:
    """A whole draft."""

    document: str
    """As the card names it."""
    models: tuple[Model, ...]
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    ignored: Ignored = field(default_factory=Ignored)
    tables: tuple[str, ...] = ()
    """A ``[[table]]`` for each table that is not read, to fill in."""
    doubts: tuple[str, ...] = ()
    """What a person must decide, each in a sentence."""

    def text(self) -> str:
        """Return the card.toml."""
        blocks = [self._head(), *self._ignores(), *map(_model, self.models)]
        blocks += [_protocol(name, each) for name, each in self.protocols.items()]
        return "\n\n".join("\n".join(block) for block in blocks) + "\n"

    def _head(self) -> list[str]:
        head = [*comment(f"A draft by sr-bench init, of {self.document}.")]
        head += ["#", "# To decide:"] if self.doubts else []
        head += [line for doubt in self.doubts for line in comment(doubt, first="# - ")]
        document = [] if self.document == "README.md" else [pair("document", self.document)]
        return [*head, pair("schema", 1), *document]

    def _ignores(self) -> Iterator[list[str]]:
        for part in ("columns", "rows", "tables"):
            if reasons := getattr(self.ignored, part):
                yield [f"[ignore_{part}]", *(pair(each, why) for each, why in reasons.items())]
        for table in self.tables:
            told = ["To have its numbers read, fill this in, and ignore it no more:"]
            yield [f"# {line.strip()}" for line in (*told, *table.split("\n"))]


def _model(model: Model) -> list[str]:
    lines = ["[[model]]", pair("name", model.name), pair("row", model.row)]
    if model.source:
        lines.append(pair("source", model.source))
    lines += [pair("scale", model.scale, model.why_scale), *_network(model.network, model.scale)]
    if not any("range" in keys for keys in _ends(model).values()):
        lines.append(pair("value_range", model.value_range, model.why_range))
    rule = model.network.rule
    if cost := {key: said for key, said in (("rule", rule), ("shape", model.shape)) if said}:
        lines.append(pair("cost", cost, "gives the printed Flops" if rule else ""))
    return [*lines, *_tables(model)]


def _network(network: Network, scale: int) -> Iterator[str]:
    for name in ("architecture", "onnx"):
        if given := getattr(network, name):
            yield pair(name, given, network.why)
    if not network.known:
        yield from (f"# {line}" for line in _unknown(network.own or _NO_CLASS, scale))


def _unknown(own: OwnClass, scale: int) -> Iterator[str]:
    yield "The network; without it nothing of this model is measured. A file:"
    yield 'onnx = "..."'
    yield "or a class of yours beside this card, with its arguments and weights:"
    yield pair("architecture", own.architecture)
    yield pair("hyper", {name: scale if is_scale(name) else "..." for name in own.arguments})
    yield "code = { trust = true }"
    yield pair("checkpoint", {"file": own.checkpoint})


def _ends(model: Model) -> Mapping[str, Mapping[str, object]]:
    return model.network.ends.tables(model.value_range)


def _tables(model: Model) -> Iterator[str]:
    """Yield the sub-tables, which end the keys of the model itself."""
    hyper = model.network.hyper
    if hyper:
        yield from ("", "[model.hyper]", *(pair(name, each) for name, each in hyper.items()))
    if hyper and model.checkpoint:
        file = pair("file", model.checkpoint.value, model.checkpoint.where)
        yield from ("", "[model.checkpoint]", file)
    for name, keys in _ends(model).items():
        yield from ("", f"[model.{name}]", *(pair(key, value) for key, value in keys.items()))
    if model.scores_images and not model.evaluations:
        yield from ("", *(f"# {line}" for line in _NO_IMAGES))
    for evaluation in model.evaluations:
        yield from ("", "[[model.evaluation]]")
        yield pair("dataset", evaluation.dataset.slug, evaluation.dataset.why)
        if evaluation.dataset.printed:
            yield pair("printed", evaluation.dataset.printed)
        yield pair("protocol", evaluation.protocol, evaluation.why)
        if evaluation.precisions:
            yield pair("precisions", [str(each) for each in evaluation.precisions])
        if evaluation.variant:
            yield pair("variant", evaluation.variant)
    if model.network.cut_params:
        digits = pair("digits", "truncated", "the count, cut after the last printed digit")
        yield from ("", "[model.tolerance.params]", digits)
    if (built := model.calibration) and built.bare:
        yield from ("", "[model.int8]", pair("observer", built.mode, built.why))
    if built and built.on_device:
        yield from ("", "[model.vacc]", pair("built_calibration", built.mode, built.why))


def _protocol(name: str, protocol: Protocol) -> list[str]:
    """Return the protocol, each choice with where it was read."""
    table = protocol.table()
    choices = (pair(each, table[each], protocol.choices[each].why) for each in table)
    return [f"[protocol.{key(name)}]", *choices]
