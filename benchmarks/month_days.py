"""What happens in the simulated month, and what the night after each day has to say of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from month_zoo import MODELS, Zoo

Do = Callable[[Zoo, datetime], Sequence[Sequence[str]]]
"""Changes the zoo at a time, and returns what is to be typed then: pytest's or our own words."""


@dataclass(frozen=True)
class Day:
    """What is done on a day."""

    what: str
    do: Do
    issue: Sequence[str] = ()
    """What the issue of the night has to say, as patterns; none: there must be no issue."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Likewise what commands, and the report's page of all families, have to say, by name."""
    cause: str = ""
    """What a trend page of the HTML report has to name as what changed."""


def _worse_weights(zoo: Zoo, when: datetime) -> list[list[str]]:
    zoo.train("beta", 0.09)
    zoo.commit("beta: train for a week longer", "Bo", when)
    return []


def _reverted(zoo: Zoo, when: datetime) -> list[list[str]]:
    zoo.revert("Bo", when)
    return []


def _newer_runtime(zoo: Zoo, _: datetime) -> list[list[str]]:
    zoo.install("1.1", levels=128)
    return []


def _pinned_runtime(zoo: Zoo, _: datetime) -> list[list[str]]:
    zoo.install("1.0")
    return []


def _same_runtime(zoo: Zoo, _: datetime) -> list[list[str]]:
    zoo.install("1.0.1")
    return []


def _edited(zoo: Zoo, when: datetime) -> list[list[str]]:
    (row,) = (line for line in zoo.readme.read_text("utf-8").splitlines() if "| alpha |" in line)
    psnr = row.split("|")[4].strip()
    zoo.edit(zoo.readme, psnr, f"{float(psnr) + 0.1:.4f}")
    zoo.commit("readme: polish the table", "Ann", when)
    return []


def _healed(zoo: Zoo, when: datetime) -> list[list[str]]:
    zoo.train("gamma", MODELS["gamma"])
    zoo.commit("gamma: the weights that were published", "Bo", when)
    return []


def _updated(zoo: Zoo, when: datetime) -> list[list[str]]:
    return [["sr-bench", "update", "last", "--reason", "as issue.md says"]]


def _lines_moved(zoo: Zoo, when: datetime) -> list[list[str]]:
    zoo.edit(zoo.readme, "# Three networks\n", "# Three networks\n\nMeasured every night.\n")
    zoo.commit("readme: say how it is measured", "Ann", when)
    return []


def _one_measured(zoo: Zoo, _: datetime) -> list[list[str]]:
    return [["pytest", "trio", "--backend=acme", "-k", "alpha and psnr"]]


WORSE = Day(
    "weights of beta get worse",
    _worse_weights,
    ("2 differs .*: beta_x2 .weights", "Changed: weights `", "Bo: beta: train for a week"),
    {
        "history": r"2 match -> differs: beta_x2 \(weights\)",
        "compare": "beta_x2 .* loss +weights",
        "check": "2 stale",
        "report": "README.md:[0-9]+:[0-9]+ .* beta_x2 .* differs",
    },
    "weights",
)
REVERTED = Day("they are reverted", _reverted)
UPDATED = Day(
    "acme-runtime is updated to 1.1",
    _newer_runtime,
    (
        "4 differs, 2 loss .*: alpha_x2, beta_x2, gamma_x2",
        "acme-runtime `1.0(.1)?` → `1.1`",
    ),
    {
        "history": "4 match -> differs: alpha_x2, beta_x2 .*acme-runtime 1.0(.1)? -> 1.1",
        "compare": "environment: acme-runtime 1.0(.1)? -> 1.1",
        "check": "4 stale",
        "report": "Failures: 4",
    },
    "acme-runtime 1.0(.1)? -> 1.1",
)
PINNED = Day("acme-runtime is pinned to 1.0", _pinned_runtime)
EDITED = Day(
    "a PSNR of alpha is edited by hand",
    _edited,
    (
        "1 differs .*: alpha_x2 .the document",
        r"Edited: `trio/README\.md:\d+:\d+`.*Ann: readme: polish the table",
        "did not move",
    ),
    {
        "history": "1 match -> differs: alpha_x2 .claimed",
        "compare": "alpha_x2 fp32 psnr .*: verdict match -> differs, claimed ",
        "check": "1 stale",
        "blame": "edited by hand since: the ledger wrote .*(.|\n)*Ann: readme: polish",
        "report": "README.md:[0-9]+:[0-9]+ .* alpha_x2 .* differs",
        "lint": r"README.md:\d+:\d+: warning SRB113: alpha",
    },
    "claimed ",
)
RESTORED = Day("sr-bench update, as issue.md says", _updated)
HEALED = Day(
    "better weights close the gap of gamma",
    _healed,
    ("2 gap_closed .*: gamma_x2 .weights", "issue 41", "Changed: weights `"),
    {
        "history": r"2 known_gap -> gap_closed: gamma_x2 \(weights\)",
        "compare": "gamma_x2 fp32 psnr .*: verdict known_gap -> gap_closed",
        "check": "2 stale",
        "report": "gamma_x2 .* gap_closed .* remove the known gap from the card .issue 41",
    },
    "weights",
)
CLOSED = Day("sr-bench update, as issue.md says", _updated)
LINES_MOVED = Day("lines of the README move", _lines_moved)
SAME_RUNTIME = Day("acme-runtime 1.0.1, the same numbers", _same_runtime)
ONE_MEASURED = Day("somebody measures alpha alone", _one_measured)

MONTH = {
    3: LINES_MOVED,
    6: WORSE,
    7: REVERTED,
    10: SAME_RUNTIME,
    13: UPDATED,
    14: PINNED,
    17: ONE_MEASURED,
    20: EDITED,
    21: RESTORED,
    26: HEALED,
    27: CLOSED,
}
"""By night: what was done on the day before."""

SHORT = dict(enumerate((WORSE, REVERTED, UPDATED, PINNED, EDITED, RESTORED, HEALED, CLOSED), 1))
