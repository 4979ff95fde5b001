"""A sign for each status, the same on every page."""

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
