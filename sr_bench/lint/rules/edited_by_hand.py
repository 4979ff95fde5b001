"""SRB113: a number that was edited after an update wrote what was measured."""

from collections.abc import Iterator
from pathlib import Path

from sr_bench.core.cell import CellKey
from sr_bench.core.metric import metric_info
from sr_bench.history.ledger import Ledger, LedgerLine
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB113",
    Severity.WARNING,
    "a measured number was edited by hand",
    "The ledger beside the document says that sr-bench update wrote another number into this cell,"
    " which a run had measured. No run has measured what it prints now.",
    "measure it, and let sr-bench update write the number; sr-bench blame says where it is from",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each number that is not the one that the ledger wrote last."""
    lines: dict[tuple[str, str], list[LedgerLine]] = {}  # of each row: a ledger grows for years
    for line in subject.ledger.lines:
        lines.setdefault((line.row, line.metric), []).append(line)
    document = Path(subject.path).resolve().name
    for entry in subject.entries if lines else ():
        for metric, claim in entry.claims.items():
            about = Ledger(tuple(lines.get((claim.row, metric), ())))
            written = about.newest(document, CellKey.of(claim))
            if written and written.new != claim.text:
                yield RULE.found(
                    claim.source,
                    f"{entry.name}: {metric_info(metric).title} is printed as {claim.text}, and"
                    f" run {written.run} measured {written.new}",
                    row=entry.row,
                )
