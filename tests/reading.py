"""All claims of a document, for tests that look at nothing else."""

from sr_bench.core.claim import Claim
from sr_bench.document.claims import read
from sr_bench.document.tables import Document


def read_claims(document: Document) -> tuple[Claim, ...]:
    """Return every number of the tables that can be read, in reading order."""
    rows = (row for table in read(document).tables for row in table.rows)
    claims = (claim for row in rows for claim in row.claims)
    return tuple(sorted(claims, key=lambda claim: claim.source))
