"""Show two runs side by side: what became worse, what is new or gone, and what changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isfinite

from sr_bench.core.case import STATIC_METRICS, TIMED_METRICS
from sr_bench.core.compare import CaseOutcome, Change, Compared, environment_changes
from sr_bench.core.gate import Drop, quantity
from sr_bench.core.history import SessionInfo
from sr_bench.core.metric import with_unit
from sr_bench.core.trend import started
from sr_bench.history.over_time import value_text
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import printable

_ORDER = (  # what needs a look comes first
    CaseOutcome.LOSS,
    CaseOutcome.VANISHED,
    CaseOutcome.UNDECIDED,
    CaseOutcome.NOT_COMPARABLE,
    CaseOutcome.NEW,
    CaseOutcome.GAIN,
    CaseOutcome.WITHIN,
    CaseOutcome.SAME,
)
QUIET = (CaseOutcome.WITHIN, CaseOutcome.SAME)
"""What is no news."""
_VERDICTS = 10  # as many that changed are named
_COLUMNS = ("model", "precision", "metric", "A", "B", "mean loss (95 %)", "worst image", "status")


def compared_lines(
    compared: Sequence[Compared], before: SessionInfo, now: SessionInfo, *, everything: bool
) -> list[str]:
    """Return the lines that show how `now` fares against `before`.

    Args:
        compared: The cases of both.
        before: The baseline, A.
        now: The newer run, B.
        everything: Show also the cases that are the same, or within their limits.
    """
    shown = worst_first(case for case in compared if everything or case.outcome not in QUIET)
    changes = environment_changes(before.environment, now.environment)
    changed = [f"environment: {', '.join(map(str, changes))}"] if changes else []
    likely = likely_cause(changes)
    rows = [[*case_cells(case), what_changed(case, likely)] for case in shown]
    table = plain_table((*_COLUMNS, "what changed"), rows, left=(0, 1, 2, 6, 7, 8)) if rows else []
    head = [f"A  {_run(before)}", f"B  {_run(now)}", *changed]
    verdicts = _verdicts(compared)
    parts = [[*head, ""], [*table, ""] * bool(table), [*verdicts, ""] * bool(verdicts)]
    return [*(printable(line) for part in parts for line in part), summary_line(compared)]


def _verdicts(compared: Sequence[Compared]) -> list[str]:
    """Return which verdicts changed, and where the document did."""
    judged = [case for case in compared if any(c.name == "verdict" for c in case.verdict)]
    lines = [
        f"{_case(case)}: {', '.join(map(str, case.verdict))}".replace("\n", " ")
        for case in judged[:_VERDICTS]
    ]
    more = len(judged) - _VERDICTS
    return [*lines, *([f"and {more} more verdicts changed"] if more > 0 else [])]


def _case(case: Compared) -> str:
    where = f" on {case.dataset}" if case.dataset else ""
    return f"{case.family}/{case.model} {case.precision} {case.metric}{where}"


def worst_first(compared: Iterable[Compared]) -> list[Compared]:
    """Return `compared` with what needs a look first, and of losses on images the largest."""

    def place(case: Compared) -> tuple[int, float]:
        found, place = case.comparison, _ORDER.index(case.outcome)
        if found is None or found.drop is None or case.outcome is not CaseOutcome.LOSS:
            return place, 0.0
        return place, -found.drop.mean / (found.limit or 1.0)  # metrics have units of their own

    return sorted(compared, key=place)


def likely_cause(changes: Sequence[Change]) -> str:
    """Return what to blame where a number moved and no input of it did: `changes` around it."""
    return "environment" if changes else "nothing that is recorded"


def summary_line(compared: Sequence[Compared]) -> str:
    """Return how many cases fared how."""
    counts = Counter(case.outcome for case in compared)
    parts = [f"{counts[outcome]} {outcome}" for outcome in _ORDER if counts[outcome]]
    return ", ".join(parts) or "neither run has a value"


def _run(info: SessionInfo) -> str:
    when = started(info)
    time = f"{when:%Y-%m-%d %H:%M} UTC" if when else "-"
    return "  ".join([info.run, time, info.environment.commit or "-"])


def case_cells(case: Compared) -> list[str]:
    """Return what the columns of a table say of `case`, up to its status."""
    emulated = " (emulated)" if case.device.startswith("emulated") else ""
    drop = case.comparison.drop if case.comparison else None
    worst = case.comparison.images[drop.worst_index] if case.comparison and drop else "-"
    return [
        f"{case.family}/{case.model}",
        case.precision,
        f"{case.metric} on {case.dataset}" if case.dataset else case.metric,
        value_text(case.metric, case.before),
        value_text(case.metric, case.now),
        _drop(case.metric, drop) if drop else _rise(case),
        worst,
        f"{case.outcome}{emulated}",
    ]


def _drop(metric: str, drop: Drop) -> str:
    mean = quantity(metric, drop.mean)
    if not isfinite(drop.low95):  # one image, or values without end, give no interval
        return f"{mean} (one image)" if drop.count == 1 else mean
    return f"{mean} ({drop.interval(metric)})"


def _rise(case: Compared) -> str:
    """Return by how much a cost or a time grew; ``-`` where that is no question."""
    grows = case.metric in (*STATIC_METRICS, *TIMED_METRICS)
    if case.before is None or case.now is None or case.now == case.before or not grows:
        return "-"
    size = with_unit(f"{abs(case.now - case.before):.3g}", case.metric)
    return f"{size} {'more' if case.now > case.before else 'less'}"


def what_changed(case: Compared, environment: str) -> str:
    """Return the inputs that differ, or why there are no two values to compare."""
    if case.outcome in (CaseOutcome.NEW, CaseOutcome.VANISHED, CaseOutcome.NOT_COMPARABLE):
        return case.sentence
    names = ", ".join(change.brief for change in case.inputs)
    return names if names or case.outcome in QUIET else environment
