"""Search for the way of counting by which a printed cost is a network's: rule, shape or factor."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sr_bench import discovery
from sr_bench.core.card import ModelCard
from sr_bench.core.claim import Claim
from sr_bench.document.sizes import Size, read_size
from sr_bench.engine.judge.claim import fits
from sr_bench.errors import SrBenchError

if TYPE_CHECKING:
    from sr_bench.cost.count import CostCount

MACS, STANDARD = "macs", "standard"

KNOWN: tuple[tuple[str, float], ...] = (
    ("10/9", 10 / 9),  # scripts that divide by 0.9e9
    ("9/10", 9 / 10),
    ("2", 2.0),
    ("1/2", 0.5),  # MACs
    ("5/9", 5 / 9),  # MACs in scripts that divide by 0.9e9
    ("9/5", 9 / 5),
    ("20/9", 20 / 9),
    ("4", 4.0),
    ("1/4", 0.25),
    ("1e9/2^30", (1000 / 1024) ** 3),  # a G of 2^30
)
"""Ratios to the usual count that counting tools are known to cause, by name."""

_UNITS = (
    ("a thousand times", 1e3),
    ("a thousandth of", 1e-3),
    ("a hundred times", 100.0),
    ("a hundredth of", 0.01),
    ("MB in fp32, 4 times", 4.0),
    ("MiB in fp32, 3.815 times", 4e6 / 2**20),
    ("MB in fp16, 2 times", 2.0),
    ("in units of 2^20, 0.954 times", 1e6 / 2**20),
)
_TELLING = 0.005
"""Widest band, relative to the number, in which a factor is no chance."""

_USUAL_SIDES = (
    *((side, side) for side in (128, 224, 256, 512)),
    *((height, height * 16 // 9) for height in (360, 540, 720, 1080)),
)


@dataclass(frozen=True)
class Counting:
    """A way of counting that gives the printed number."""

    rule: str
    shape: str = ""
    """On which it does, such as ``3x128x128``; empty: on the one that was asked about."""
    factor: str = ""

    def __str__(self) -> str:
        called = {STANDARD: "2 x MAC", MACS: "MAC"}.get(self.rule, f"the count by {self.rule}")
        times = f"{self.factor} times " if self.factor else ""
        return times + called + (f" on {self.shape}" if self.shape else "")

    def advice(self, metric: str) -> str:
        """What to set in the card for `metric` to be so; nothing where no key says it."""
        fixed = {"macs": MACS, "ops": STANDARD}.get(metric, "")  # by no key
        if self.factor or fixed not in ("", self.rule):
            return ""
        told = {"rule": "" if fixed else self.rule, "shape": self.shape}
        keys = ", ".join(f'cost.{key} = "{value}"' for key, value in told.items() if value)
        return f" (set {keys})" if keys else ""


def counted(card: ModelCard, size: Size) -> "CostCount | None":
    """Count the network of `card` on `size`; None where that can't be done here.

    Measuring says so with all it has.
    """
    # Its library takes 1.5 s to import: only documents with a card wait for it.
    from sr_bench.engine.measure.cost import count

    try:
        return count(card, size)
    except SrBenchError:
        return None


def countings(
    card: ModelCard, claim: Claim, size: Size, printed: Iterable[Size] = ()
) -> list[Counting]:
    """Return the ways of counting that give the Flops of `claim`, at most one of each kind.

    First a rule on `size`, (channels, height, width); if there is none, a rule on another shape and
    a factor. `printed` are the shapes in the document, which are likelier than others.
    """
    count = counted(card, size)
    here = count.flops_by_rule() if count else {}
    usual_first = sorted(here, key=lambda name: (name != STANDARD, name == MACS))
    rules = [Counting(name) for name in usual_first if _agrees(card, claim, here[name])]
    if rules:
        return rules[:1]
    sizes = [card.counted_shape, *sorted(printed), *_related(size, card.scale), *_usual(size)]
    near = [other for other in dict.fromkeys(sizes) if _is_near(claim, here, size, other)]
    shapes = list(_on_shapes(card, claim, usual_first, near))
    factors = [
        Counting(name, factor=factor)
        for name in usual_first
        for factor, ratio in KNOWN
        if _agrees(card, claim, here[name] * ratio) and _is_telling(claim)
    ]
    return shapes[:1] + factors[:1]


def why_cost_differs(card: ModelCard, claim: Claim) -> str:
    """Return by what a printed cost of the network of `card` would be right; empty if by nothing.

    Several ways are joined to one phrase, which names rules as a card does.
    """
    if claim.metric == "params":
        count = counted(card, card.counted_shape)
        return next(_params(card, claim, count), "") if count else ""
    printed = filter(None, [read_size(claim.shape)])
    ways = countings(card, claim, card.counted_shape, printed)
    return " or ".join(f"{way}{way.advice(claim.metric)}" for way in ways)


def _params(card: ModelCard, claim: Claim, count: "CostCount") -> Iterator[str]:
    for rule in discovery.names("sr_bench.cost.rules"):
        of_tool = count.params_by(rule)
        if of_tool != count.params and _agrees(card, claim, of_tool / 1e6):
            yield f"{of_tool:,}, what the tool of {rule} sees: the network has {count.params:,}"
    # CARN's authors print 412 K for 414,811.
    weights = count.params - count.bias_params
    if count.bias_params and _agrees(card, claim, weights / 1e6):
        yield f"{weights:,} of its {count.params:,}, without the biases"
    for unit, factor in _UNITS:
        if _agrees(card, claim, count.params / 1e6 * factor) and _is_telling(claim):
            yield f"{unit} the {count.params:,} that the network has"


def _agrees(card: ModelCard, claim: Claim, value: float) -> bool:
    """Tell whether `value` is the printed number, by its digits and the card's slack."""
    return fits(claim, value, card.tolerance_for(claim.metric, claim.precision))


def _is_telling(claim: Claim) -> bool:
    """Tell whether the number has so many digits that a factor does not fit it by chance."""
    return 2 * claim.half_step <= _TELLING * claim.value


def _related(size: Size, scale: int) -> Iterator[Size]:
    """Yield the sizes that people take for the input's: the output's, and the other way round."""
    channels, height, width = size
    yield channels, height * scale, width * scale
    if not (height % scale or width % scale):
        yield channels, height // scale, width // scale
    # Papers count on the input whose output is 1280x720, or nearly so.
    yield channels, 720 // scale, round(1280 / scale)
    yield channels, 720 // scale, 1280 // scale


def _usual(size: Size) -> Iterator[Size]:
    for height, width in _USUAL_SIDES:
        yield size[0], height, width


def _is_near(claim: Claim, here: Mapping[str, float], size: Size, other: Size) -> bool:
    """Tell whether the printed number may be of another size: cost is all but linear in pixels."""
    area = other[1] * other[2] / (size[1] * size[2])
    values = (value * area for value in here.values())
    same_kind = other[0] == size[0] and other != size
    return same_kind and any(abs(v - claim.value) <= 0.05 * claim.value for v in values)


def _on_shapes(
    card: ModelCard, claim: Claim, rules: Sequence[str], sizes: Sequence[Size]
) -> Iterator[Counting]:
    """Yield the first size on which a rule, the usual one first, gives the number."""
    counts = {size: count for size in sizes if (count := counted(card, size))}
    for rule in rules:
        for size, count in counts.items():
            if _agrees(card, claim, count.by(rule)[1]):
                yield Counting(rule, "x".join(map(str, size)))
