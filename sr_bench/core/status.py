"""How a case ended, in one word."""

from enum import StrEnum


class Status(StrEnum):
    """How a case ended."""

    MATCH = "match"
    DIFFERS = "differs"
    BETTER = "better"
    KNOWN_GAP = "known_gap"
    GAP_CLOSED = "gap_closed"
    NEW = "new"
    NOT_RUN = "not_run"
    ERROR = "error"
    WITHIN = "within"
    LOSS = "loss"
    UNDECIDED = "undecided"
