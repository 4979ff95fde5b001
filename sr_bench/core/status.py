"""How a case ended, in one word."""

from enum import StrEnum


class Status(StrEnum):
    """How a case ended; what stands below each is what pytest makes of it, and what it means."""

    MATCH = "match"
    """Passes. It agrees with the printed digits, within the declared slack."""
    DIFFERS = "differs"
    """Fails. It is outside the tolerance."""
    BETTER = "better"
    """Fails; passes with ``--sr-allow-better``. It is outside the tolerance, but better: the
    document is stale."""
    KNOWN_GAP = "known_gap"
    """Xfail. The card declares that the number can't be reproduced, and why."""
    GAP_CLOSED = "gap_closed"
    """Fails. A known gap agrees now: remove it from the card."""
    NEW = "new"
    """Passes. It was measured; the document has no number for it."""
    NOT_RUN = "not_run"
    """Skips. Weights, data, device or a declaration of the card are missing, or nothing here
    measures it; it says what to do."""
    ERROR = "error"
    """Fails. An input is wrong."""
    WITHIN = "within"
    """Passes. A gate: the low precision stays within the card's limits."""
    LOSS = "loss"
    """Fails; warns with ``--sr-gate=warn``. A gate: it does not; the failure says which image,
    which limit, and why."""
    UNDECIDED = "undecided"
    """Skips. A gate: too few images, or too varied ones, to tell; it says what they could detect,
    and how many would tell. A printed time: the machine was busy."""


VERIFIED = (Status.MATCH, Status.WITHIN)
"""How a claim ends that holds."""

STALE = (Status.GAP_CLOSED, Status.BETTER)
"""How a claim ends where the document or its card lags behind what is better now."""
