"""A sign for each status and direction, the same on every page."""

from sr_bench.core.compare import CaseOutcome
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Status

MARKS = {
    Status.MATCH: "✓",
    Status.WITHIN: "✓",
    Status.BETTER: "▲",
    Status.NEW: "+",
    Status.GAP_CLOSED: "◆",
    Status.KNOWN_GAP: "≈",
    Status.UNDECIDED: "?",
    Status.NOT_RUN: "○",
    Status.DIFFERS: "✗",
    Status.LOSS: "▼",
    Status.ERROR: "!",
}
"""Beside each status, so that colour alone never carries it."""

OUTCOME_MARKS = {
    CaseOutcome.VANISHED: "✗",
    CaseOutcome.NOT_COMPARABLE: "≠",
    CaseOutcome.GAIN: "▲",
    CaseOutcome.SAME: "✓",
}
"""The same of how a case fares against an earlier run, where that is no status, too."""


def titled(metric: str) -> str:
    """Return `metric` as people write it, with an arrow if lower is better: ``MAE ↓``."""
    info = metric_info(metric)
    return info.title if info.drops else f"{info.title} ↓"


def heading(metric: str) -> str:
    """Return `metric` as `titled`, with its unit, as above a column: ``latency (ms) ↓``."""
    info = metric_info(metric)
    title = f"{info.title} ({info.unit})" if info.unit else info.title
    return title if info.drops else f"{title} ↓"


def loss_name(metric: str) -> str:
    """Return what a loss by `metric` is called: ``PSNR drop``, ``MAE rise``."""
    info = metric_info(metric)
    return f"{info.title} {'drop' if info.drops else 'rise'}"
