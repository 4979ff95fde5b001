"""For spreadsheets: the table of ``--sr-report=csv``, a row for each record."""

from sr_bench.core.history import PastSession
from sr_bench.report.exports import records_csv


def render(session: PastSession, source: str) -> str:
    """Return all records of `session` as CSV, measured or not."""
    return records_csv(session)
