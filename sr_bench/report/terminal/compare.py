"""Show two runs side by side: what became worse, what is new or gone, and what changed."""

from collections import Counter
from collections.abc import Sequence
from math import isfinite

from sr_bench.core.case import COST_METRICS, LATENCY_METRIC
from sr_bench.core.compare import CaseOutcome, Compared, environment_changes
from sr_bench.core.gate import Drop, digits, quantity
from sr_bench.core.history import RunInfo
from sr_bench.core.metric import with_unit
from sr_bench.core.trend import started
from sr_bench.report.terminal.history import value_text
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import printable

_ORDER = (
    CaseOutcome.LOSS,
    CaseOutcome.VANISHED,
    CaseOutcome.UNDECIDED,
    CaseOutcome.NOT_COMPARABLE,
    CaseOutcome.NEW,
    CaseOutcome.GAIN,
    CaseOutcome.WITHIN,
    CaseOutcome.SAME,
)
"""What needs a look comes first."""

_QUIET = (CaseOutcome.WITHIN, CaseOutcome.SAME)
_COLUMNS = ("model", "precision", "metric", "A", "B", "mean loss (95 %)", "worst image", "status")


def compared_lines(
    compared: Sequence[Compared], before: RunInfo, now: RunInfo, *, everything: bool
) -> list[str]:
    """Return the lines that show how `now` fares against `before`.

    Args:
        compared: The cases of both.
        before: The baseline, A.
        now: The newer run, B.
        everything: Show also the cases that are the same, or within their limits.
    """
    shown = [one for one in compared if everything or one.outcome not in _QUIET]
    shown.sort(key=lambda one: _ORDER.index(one.outcome))
    changes = environment_changes(before.environment, now.environment)
    changed = [f"environment: {', '.join(map(str, changes))}"] if changes else []
    likely = "environment" if changes else "nothing that is recorded"
    rows = [[*_cells(one), _what_changed(one, likely)] for one in shown]
    table = plain_table((*_COLUMNS, "what changed"), rows, left=(0, 1, 2, 6, 7, 8)) if rows else []
    head = [f"A  {_run(before)}", f"B  {_run(now)}", *changed]
    return [*map(printable, head), "", *table, *([""] if table else []), summary_line(compared)]


def summary_line(compared: Sequence[Compared]) -> str:
    """Return how many cases fared how."""
    counts = Counter(one.outcome for one in compared)
    told = [f"{counts[outcome]} {outcome}" for outcome in _ORDER if counts[outcome]]
    return ", ".join(told) or "neither run has a value"


def _run(info: RunInfo) -> str:
    when = started(info)
    return "  ".join(
        [info.run, f"{when:%Y-%m-%d %H:%M} UTC" if when else "-", info.environment.commit or "-"]
    )


def _cells(one: Compared) -> list[str]:
    emulated = " (emulated)" if one.device.startswith("emulated") else ""
    drop = one.comparison.drop if one.comparison else None
    worst = one.comparison.images[drop.worst_index] if one.comparison and drop else "-"
    return [
        f"{one.family}/{one.model}",
        one.precision,
        f"{one.metric} on {one.dataset}" if one.dataset else one.metric,
        value_text(one.metric, one.before),
        value_text(one.metric, one.now),
        _drop(one.metric, drop) if drop else _rise(one),
        worst,
        f"{one.outcome}{emulated}",
    ]


def _drop(metric: str, drop: Drop) -> str:
    mean = quantity(metric, drop.mean)
    if not isfinite(drop.low95):
        return f"{mean} (one image)" if drop.count == 1 else mean
    return f"{mean} ({digits(metric, drop.low95)} to {digits(metric, drop.high95)})"


def _rise(one: Compared) -> str:
    """Return by how much a cost or a time grew; ``-`` where that is no question."""
    grows = one.metric in (*COST_METRICS, LATENCY_METRIC)
    if one.before is None or one.now is None or not grows:
        return "-"
    size = with_unit(f"{abs(one.now - one.before):.3g}", one.metric)
    return "-" if one.now == one.before else f"{size} {'more' if one.now > one.before else 'less'}"


def _what_changed(one: Compared, environment: str) -> str:
    """Return the inputs that differ, or why there are no two values to compare."""
    if one.outcome in (CaseOutcome.NEW, CaseOutcome.VANISHED, CaseOutcome.NOT_COMPARABLE):
        return one.sentence
    names = ", ".join(change.name for change in one.inputs)
    return names if names or one.outcome in _QUIET else environment
