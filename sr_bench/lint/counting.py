"""Count the networks behind printed Flops and Params, by every convention that documents use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sr_bench.core.card import ModelCard
from sr_bench.core.claim import Claim
from sr_bench.document.sizes import Size
from sr_bench.engine.explain.counting import KNOWN, counted
from sr_bench.engine.judge.claim import fits
from sr_bench.lint.entries import Entry

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


def count_row(entry: Entry, model: ModelCard) -> CountedRow | None:
    """Return an entry with its network's count on the printed shape, or on the card's.

    None if it prints no cost, or if that can't be counted here.
    """
    flops, params = entry.claims.get("flops"), entry.claims.get("params")
    shapes = filter(None, (entry.size, model.counted_shape)) if flops or params else ()
    for size in shapes:
        if count := counted(model, size):
            told = None if count.unknown_params else params
            flops_g = count.flops_by_rule()
            return CountedRow(entry.row, model, flops, told, size, flops_g, count.params)
    return None


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
