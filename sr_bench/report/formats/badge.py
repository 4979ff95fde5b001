"""For a README's badge: what shields.io reads from an address.

Source: https://shields.io/badges/endpoint-badge
"""

import json

from sr_bench.core.history import PastSession
from sr_bench.core.record import Status
from sr_bench.core.status import STALE, VERIFIED
from sr_bench.report.parts.order import FAILURES

_DOUBTFUL = (Status.UNDECIDED, Status.KNOWN_GAP)


def render(session: PastSession, source: str) -> str:
    """Return how many claims of `session` were verified, in the colour of the worst status."""
    claims = [record for record in session.records if record.claim]
    verified = [record for record in claims if record.verdict.status in VERIFIED]
    statuses = [record.verdict.status for record in session.records]
    failed = sum(status in FAILURES for status in statuses)
    message = f"{len(verified)} of {len(claims)} verified"
    message += f", {failed} failed" if failed else ""
    message += " (emulated)" if any(record.emulated for record in verified) else ""
    badge = {
        "schemaVersion": 1,
        "label": "sr-bench",
        "message": message,
        "color": _colour(statuses, bool(verified)),
        "isError": bool(failed),  # then no address can ask for another colour
    }
    return json.dumps(badge) + "\n"


def _colour(statuses: list[Status], any_verified: bool) -> str:
    """Return the colour of the worst of `statuses`; what was not run alone is no fault."""
    if any(status in FAILURES and status not in STALE for status in statuses):
        return "red"
    if any(status in STALE for status in statuses):
        return "orange"
    if any(status in _DOUBTFUL for status in statuses):
        return "yellow"
    if not any_verified:
        return "lightgrey"
    return "green" if Status.NOT_RUN in statuses else "brightgreen"
