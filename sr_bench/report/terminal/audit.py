"""Show which known mistakes the tolerances of a run don't catch."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sr_bench.core.forensics import Audit, AuditedClaim, Trial
from sr_bench.core.metric import with_unit
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted, printable_line

MISTAKES = {
    "bgr": "channels of SR swapped",
    "shift_right": "SR shifted 1 px right",
    "shift_down": "SR shifted 1 px down",
    "dc": "SR one level brighter",
    "border_less": "border 1 px smaller",
    "border_more": "border 1 px larger",
    "luma": "Y rounded where it is to be float, or the reverse",
    "aggregation": "SSIM of the last image for the mean, or the reverse",
    "gt_kernel": "HR resized by another rule",
    "lr_kernel": "LR made by another rule",
}
"""What each mistake is, in the order of the table's columns."""


def audit_lines(audit: Audit) -> list[str]:
    """Return the table of mistakes and claims, and what to do about those that pass."""
    trials = [trial for claim in audit.claims for trial in claim.trials]
    used = [name for name in MISTAKES if any(trial.mistake == name for trial in trials)]
    missed = [claim for claim in audit.claims if claim.missed]
    return [
        *plain_table(
            ("claim", *used),
            [_row(claim, used) for claim in audit.claims],
            left=range(len(used) + 1),
        ),
        "",
        *(f"{name}: {MISTAKES[name]}" for name in used),
        "",
        *(line for claim in missed for line in _missed(claim)),
        *_not_tried(trials),
        *(f"left out: {printable_line(problem)}" for problem in audit.problems),
        _summary(trials, audit),
    ]


def _row(claim: AuditedClaim, names: Sequence[str]) -> list[str]:
    by_name = {trial.mistake: trial for trial in claim.trials}
    return [printable_line(claim.case_id), *(_cell(by_name.get(name), claim) for name in names)]


def _cell(trial: Trial | None, claim: AuditedClaim) -> str:
    if trial is None:
        return "-"
    if trial.value is None:
        return "not tried"
    return "caught" if trial.caught else f"NOT CAUGHT {_value(trial.value, claim)}"


def _value(value: float, claim: AuditedClaim, sign: str = "") -> str:
    decimals = len(claim.text.partition(".")[2]) + 2  # a mistake may not show in the printed ones
    return f"{value:{sign}.{decimals}f}"


def _missed(claim: AuditedClaim) -> Iterator[str]:
    claimed = float(claim.text)
    number = with_unit(printable_line(claim.text), claim.metric)
    place = printable_line(str(claim.source))
    yield f"{place}: {number}, tolerance {claim.tolerance:g}, lets pass:"
    for trial in claim.missed:
        if trial.value is not None:
            off = _value(trial.value - claimed, claim, "+")
            yield f"  {MISTAKES[trial.mistake]}: {_value(trial.value, claim)} ({off})"
    yield f"  {_advice(claim)}"


def _advice(claim: AuditedClaim) -> str:
    # No tolerance can be below what the printed digits round away, or what the value is off by.
    below = claim.catching or 0.0
    half_step = 0.5 * 0.1 ** len(claim.text.partition(".")[2])
    if below <= max(half_step, abs(claim.value - float(claim.text))):
        return "no tolerance would catch all, as the printed digits hide them: print more digits"
    return f"a tolerance below {below:.2g} would catch all"


def _not_tried(trials: Sequence[Trial]) -> Iterator[str]:
    reasons = Counter((trial.mistake, trial.why) for trial in trials if trial.value is None)
    for (name, why), count in sorted(reasons.items()):
        yield f"not tried: {name} in {counted(count, 'claim')}: {printable_line(why)}"


def _summary(trials: Sequence[Trial], audit: Audit) -> str:
    tried = [trial for trial in trials if trial.value is not None]
    caught = sum(trial.caught for trial in tried)
    return (
        f"run {printable_line(audit.run)}: of {len(tried)} mistakes in {len(audit.claims)} claims,"
        f" {caught} caught, {len(tried) - caught} not caught"
    )
