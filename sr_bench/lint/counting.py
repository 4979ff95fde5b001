"""Count the networks behind printed Flops and Params, by every convention that documents use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sr_bench import discovery
from sr_bench.core.card import ModelCard
from sr_bench.core.claim import Claim
from sr_bench.document.sizes import Size
from sr_bench.engine.judge.claim import fits
from sr_bench.errors import SrBenchError
from sr_bench.lint.entries import Entry

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

# Rules that also count biases and activations are up to 0.6 % above their plain ratio.
_NEAR = 0.006


@dataclass(frozen=True)
class CountedRow:
    """A row's cost numbers beside what its network really has."""

    row: str
    """Label of the model row."""
    model: ModelCard
    flops: Claim | None
    params: Claim | None
    size: Size
    """What was counted on: the printed shape, or the card's where the row prints none that the
    network takes."""
    flops_g: Mapping[str, float]
    """The Flops on `size`, in G, by convention."""
    exact_params: int

    @property
    def shape(self) -> str:
        """What was counted on, as messages spell it: ``3x128x128``."""
        return "x".join(map(str, self.size))

    @property
    def network(self) -> tuple[object, ...]:
        """Equal for rows of one network, whatever its weights."""
        model = self.model
        hyper = json.dumps(dict(model.hyper), sort_keys=True)
        return model.architecture, hyper, model.scale, model.onnx

    @property
    def conventions(self) -> tuple[str, ...]:
        """Every convention whose count agrees with the printed Flops, the card's first."""
        agreeing = [name for name, value in self.flops_g.items() if self.agrees(value)]
        return tuple(sorted(agreeing, key=lambda name: (name != self.model.flops_rule, name)))

    def agrees(self, value: float) -> bool:
        """Tell whether `value`, in G, is the printed number, by its digits and the card's slack."""
        if self.flops is None:
            return False
        tolerance = self.model.tolerance_for("flops", self.flops.precision)
        return fits(self.flops, value, tolerance)

    def at(self, size: Size) -> dict[str, float]:
        """Return the Flops on another size, in G, by convention; empty if it can't be counted."""
        count = _count(self.model, size)
        return _by_convention(count) if count else {}


def count_row(entry: Entry, model: ModelCard) -> CountedRow | None:
    """Return an entry with its network's count on the printed shape, or on the card's.

    None if it prints no cost, or if that can't be counted here.
    """
    flops, params = entry.claims.get("flops"), entry.claims.get("params")
    shapes = filter(None, (entry.size, model.counted_shape)) if flops or params else ()
    for size in shapes:
        if count := _count(model, size):
            told, flops_g = None if count.unknown_params else params, _by_convention(count)
            return CountedRow(entry.row, model, flops, told, size, flops_g, count.params)
    return None


def _count(model: ModelCard, size: Size) -> "CostCount | None":
    # The model's library takes 1.5 s to import: only documents with a card wait for it.
    from sr_bench.engine.measure.cost import count

    try:
        return count(model, size)
    except SrBenchError:  # measuring says so with all it has; here there is nothing to compare
        return None


def _by_convention(count: "CostCount") -> dict[str, float]:
    return {name: count.by(name)[1] for name in discovery.names("sr_bench.cost.rules")}


def times(printed: float, usual: float) -> str:
    """Return by how much `printed` exceeds `usual`, with the name of a known ratio.

    >>> times(1.1127, 1.0), times(1.37, 1.0)
    ('1.113 (10/9) times', '1.37 times')
    """
    if not usual:
        return "no multiple of"
    ratio = printed / usual
    text = f"{ratio:.4g}"
    name = next((name for name, value in KNOWN if abs(ratio / value - 1) <= _NEAR), text)
    return f"{text} times" if name == text else f"{text} ({name}) times"
