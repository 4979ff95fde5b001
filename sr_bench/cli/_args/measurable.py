"""Which claims of suites can be measured here, and what the others lack."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sr_bench.text.printable import some

if TYPE_CHECKING:  # --help must not wait for what reads cards
    from sr_bench.core.missing import Lacking, Offer
    from sr_bench.engine.plan.suite import Suite

_NAMED = 2


@dataclass(frozen=True)
class Claims:
    """The claims of a suite, as a session with the default backend finds them."""

    suite: str
    count: int
    here: int
    """How many can be measured now."""
    lacking: "tuple[Lacking, ...]"
    """What others lack that can be brought."""
    refused: tuple[str, ...]
    """Why no step makes the rest measurable, or empty where something is wrong."""


def claims_of(suites: "Sequence[Suite]", args: argparse.Namespace) -> list[Claims]:
    """Return what can be measured of each of `suites` with the weights and data of `args`."""
    from sr_bench.engine.plan.cases import plan
    from sr_bench.engine.plan.options import Selection
    from sr_bench.engine.plan.refusals import why_not_here
    from sr_bench.engine.prepare.missing import MissingFinder

    chosen = Selection(weights=args.weights, data=args.data, trust_code=args.trust_code)
    folders = (folder for suite in suites for folder in suite.card.manifest_folders)
    finder = MissingFinder(chosen, tuple(dict.fromkeys(folders)))
    found = []
    for suite in suites:
        cases = [case for case in plan(suite, chosen) if case.claim]
        lacking = [finder.of(case) for case in cases]
        refused = [
            why_not_here(case, chosen, chosen.described(), "")
            for case, lacks in zip(cases, lacking, strict=True)
            if lacks is None
        ]
        brought = tuple(lacks for lacks in lacking if lacks)
        name, here = suite.card.family, len(cases) - len(brought) - len(refused)
        found.append(Claims(name, len(cases), here, brought, tuple(refused)))
    return found


def next_steps(claims: Sequence[Claims]) -> "list[tuple[Offer, set[str]]]":
    """Return what makes most claims measurable, the best first, each with the suites of these."""
    from sr_bench.core.missing import offers

    lacking = [(one.suite, lacks) for one in claims for lacks in one.lacking]
    found = offers(lacks for _, lacks in lacking)
    return [(offer, {lacking[place][0] for place in offer.numbers}) for offer in found]


def lacking_lines(claims: Sequence[Claims]) -> Iterator[str]:
    """Yield a line for each thing that claims lack, with how many, most first."""
    counts: Counter[tuple[str, ...]] = Counter()
    names: dict[tuple[str, ...], list[str]] = {}
    for lacks in (lacks for one in claims for lacks in one.lacking):
        keys = set()
        for part in lacks:
            # One folder holds weights, or datasets, of many.
            key = (part.kind, part.command, *part.options)
            keys.add(key)
            if part.name not in names.setdefault(key, []):
                names[key].append(part.name)
        counts.update(keys)
    for (kind, command, *options), count in counts.most_common():
        given = command or f"give pytest {' '.join(options)}"
        named = some(names[kind, command, *options], _NAMED)
        yield f"{count:3d} x {kind} {named}: {given}"
    refused = Counter(why for one in claims for why in one.refused if why)
    yield from (f"{count:3d} x {why}" for why, count in refused.most_common())
