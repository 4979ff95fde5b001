"""What numbers lack to be measured, and which step makes most of them measurable."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Missing:
    """Something absent that a number can't be measured without, and what brings it."""

    kind: Literal["dataset", "weights", "backend", "code"]
    name: str
    """A dataset's slug, a file of weights, a backend, or the class whose code may not be run."""
    command: str = ""
    """What to run once, such as ``sr-bench fetch set5``; empty: nothing."""
    options: tuple[str, ...] = ()
    """What to give pytest, such as ``--sr-weights=DIR``."""
    size: int = 0
    """Bytes that `command` downloads; 0 if not known."""

    @property
    def step(self) -> tuple[str, ...]:
        """What is equal for all that one step brings: a folder of weights has many files."""
        name = "" if self.kind in ("weights", "code") else self.name
        return (self.kind, name, self.command, *self.options)


Lacking = tuple[Missing, ...]
"""All that one number lacks."""


@dataclass(frozen=True)
class Offer:
    """One or two steps, and what they make measurable."""

    missing: Lacking
    """What is brought, each once, in the order in which numbers lack it."""
    numbers: tuple[int, ...]
    """Positions of the numbers that then lack nothing."""


_MOST_STEPS, _SECOND_STEP = 2, 0.25

_Steps = frozenset[tuple[str, ...]]


def offers(numbers: Iterable[Lacking]) -> list[Offer]:
    """Return the steps that make `numbers` measurable, by how many each does, the best first.

    Each offer comes after those before it, and counts what these have not made measurable yet. Two
    steps are one offer where that makes a quarter more measurable than the best single step.

    Args:
        numbers: What each lacks; one that lacks nothing is measurable, and counts in no offer.
    """
    left = {place: lacking for place, lacking in enumerate(numbers) if lacking}
    found: list[Offer] = []
    brought: _Steps = frozenset()
    while left:
        steps = {
            place: frozenset(part.step for part in lacking) - brought
            for place, lacking in left.items()
        }
        best = _best(Counter(steps.values()))
        if best is None:
            break
        done = tuple(place for place, lacked in steps.items() if lacked <= best)
        missing = dict.fromkeys(n for place in done for n in left[place] if n.step in best)
        found.append(Offer(tuple(missing), done))
        brought |= best
        left = {place: lacking for place, lacking in left.items() if place not in done}
    return found


def _best(kinds: Counter[_Steps]) -> _Steps | None:
    """Return the steps, of numbers counted by all that they lack, that bring most for each."""

    def gain(steps: _Steps) -> tuple[float, int]:
        count = sum(count for other, count in kinds.items() if other <= steps)
        return count / (1 + _SECOND_STEP * (_effort(steps) - 1)), count

    return max((kind for kind in kinds if _effort(kind) <= _MOST_STEPS), key=gain, default=None)


def _effort(steps: _Steps) -> int:
    """Return how many of `steps` bring something: leave to run code is an option more."""
    return sum(kind != "code" for kind, *_ in steps)
