"""For programs: the run, and a flat object for each record, with the columns of the CSV."""

import json

import pandas as pd

from sr_bench.core.codec import encode
from sr_bench.core.history import PastSession
from sr_bench.report.exports import frame


def render(session: PastSession, source: str) -> str:
    """Return the run and all its records, measured or not, as JSON."""
    rows = frame(session.records).astype(object).to_dict("records")
    records = [
        {name: None if value is pd.NA else value for name, value in row.items()} for row in rows
    ]
    value = {"source": source, **vars(session.info), "records": records}
    return json.dumps(encode(value), indent=1, allow_nan=False) + "\n"
