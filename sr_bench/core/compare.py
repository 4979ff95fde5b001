"""Two runs side by side: what changed between them, and whether a case is worse than it was."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sr_bench.core.case import COST_METRICS
from sr_bench.core.gate import Comparison
from sr_bench.core.history import Environment, PastSession, Point
from sr_bench.core.int8 import DropLimit
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Record

NEVER_COMPARABLE = ("data", "protocol", "shape", "rule")
"""Inputs that decide what is asked: where one differs, two values answer different questions."""

_DIGEST_SHOWN = 8  # digits of a digest that tell two apart
_DIGEST = re.compile("[0-9a-f]{16,}")  # whole, or as history keeps it
_CUT = re.compile(f"(?![0-9]+$)[0-9a-f]{{{_DIGEST_SHOWN}}}")  # digits alone may be a version


class CaseOutcome(StrEnum):
    """How a case fares against an earlier run."""

    SAME = "same"
    """The same inputs, and the same values to the last digit."""
    WITHIN = "within"
    """Not worse than the limit allows."""
    GAIN = "gain"
    """Better, by surely more than the limit."""
    LOSS = "loss"
    """Worse than the limit allows."""
    UNDECIDED = "undecided"
    """The images are too few, or too unlike, to tell."""
    NOT_COMPARABLE = "not_comparable"
    """What is measured changed, or can't be known to be the same."""
    NEW = "new"
    """Only the newer run has a value."""
    VANISHED = "vanished"
    """Only the earlier run has a value."""


@dataclass(frozen=True)
class LossLimits:
    """How much worse a case may be before that is a loss."""

    psnr_db: float = 0.01
    """Mean drop."""
    ssim: float = 0.0005
    """Mean drop."""
    fidelity_db: float = 0.5
    """Mean drop."""
    latency_percent: float = 10.0
    """Rise of the median."""
    image_psnr_db: float | None = None
    """Drop of any image; None: no limit."""
    image_ssim: float | None = None
    """Drop of any image; None: no limit."""

    def of(self, metric: str) -> DropLimit:
        """Return how much images may lose: by most metrics, what these declare."""
        given = {
            "psnr": DropLimit(self.psnr_db, self.image_psnr_db),
            "ssim": DropLimit(self.ssim, self.image_ssim),
            "fidelity": DropLimit(self.fidelity_db),
        }
        return given.get(metric) or DropLimit(metric_info(metric).allowed_loss)


@dataclass(frozen=True)
class Change:
    """One thing that differs between two runs."""

    name: str
    before: str
    """Empty if it was absent."""
    now: str
    """Empty if it is absent."""

    def __str__(self) -> str:
        return f"{self.name} {self.before or 'absent'} -> {self.now or 'absent'}"

    @property
    def brief(self) -> str:
        """What differs; of digests, which tell nobody anything, the name alone."""
        return self.name if _CUT.fullmatch(self.now or self.before) else str(self)


@dataclass(frozen=True)
class Compared:
    """One case of two runs; each value is in the metric's unit, None where nothing was measured."""

    family: str
    model: str
    metric: str
    precision: str
    dataset: str
    protocol: str
    backend: str
    device: str
    """Of the newer run, or of the earlier one if that alone has a value."""
    outcome: CaseOutcome
    sentence: str
    before: float | None
    now: float | None
    inputs: tuple[Change, ...] = ()
    """Digests of inputs that differ: the likely causes of a change."""
    comparison: Comparison | None = None
    """Image by image, where there are images and they may be compared."""
    was: str = ""
    """Status in the earlier run; empty if the case is not in it."""
    verdict: tuple[Change, ...] = ()
    """How the status changed, and what the document printed where it prints another number."""

    @property
    def comparable(self) -> bool:
        """Whether the two values could be set against each other."""
        values = self.before is not None and self.now is not None
        return values and self.outcome is not CaseOutcome.NOT_COMPARABLE

    @property
    def bad(self) -> bool:
        """Whether the newer run is worse, or lacks the value."""
        return self.outcome in (CaseOutcome.LOSS, CaseOutcome.VANISHED)


@dataclass(frozen=True)
class ComparedRuns:
    """A run beside an earlier one."""

    before: PastSession
    now: PastSession
    cases: tuple[Compared, ...]
    missing: int = 0
    """Values of the earlier run that the newer one was not asked for; `cases` has none of them."""


def case_key(value: Record | Point | Compared) -> tuple[str, ...]:
    """Return what is equal for two values of one case and backend; no backend computes costs."""
    backend = "" if value.metric in COST_METRICS else value.backend
    case = (value.family, value.model, value.metric, value.precision, value.dataset)
    return (*case, value.protocol, backend)


def input_changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the inputs of a case that differ, by name; digests are cut to a few digits.

    The code of a backend is left out where its version says that it is another one.
    """
    changed = {change.name: change for change in _changes(before, now)}
    if "backend" in changed:
        changed.pop("backend_code", None)
    return tuple(
        Change(change.name, _short(change.before), _short(change.now))
        for change in changed.values()
    )


def _short(text: str) -> str:
    return text[:_DIGEST_SHOWN] if _DIGEST.fullmatch(text) else text


def environment_changes(before: Environment, now: Environment) -> tuple[Change, ...]:
    """Return what may move a number and differs: packages, python, system, cpu and cores."""
    machine = ("python", "system", "cpu", "cores")
    packages = _changes(before.packages, now.packages)
    if all(getattr(before, name) == getattr(now, name) for name in machine):
        return packages
    machines = ({name: str(getattr(one, name)) for name in machine} for one in (before, now))
    return (*packages, *_changes(*machines))


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Change, ...]:
    if before == now:  # most nights
        return ()
    return tuple(
        Change(name, before.get(name, ""), now.get(name, ""))
        for name in dict.fromkeys((*before, *now))
        if before.get(name) != now.get(name)
    )
