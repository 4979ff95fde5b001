"""The command that measures records again."""

import shlex
from collections.abc import Sequence

from sr_bench.core.case import TIMED_METRICS
from sr_bench.core.record import Record, Status


def rerun(records: Sequence[Record], *, whole_cards: bool = False) -> str:
    """Return the line that measures `records` again, at least one and all by one backend.

    Args:
        records: They are named one by one.
        whole_cards: Their cards are, with all that these ask for.
    """
    ids = (record.node_id for record in records)
    nodes = dict.fromkeys(name.partition("::")[0] if whole_cards else name for name in ids)
    timed = any(
        record.metric in TIMED_METRICS and record.verdict.status is not Status.NOT_RUN
        for record in records
    )
    more = [f"--backend={records[0].backend}", *["--sr-latency"] * timed]
    return shlex.join(["pytest", *nodes, *more])
