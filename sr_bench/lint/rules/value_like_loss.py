"""SRB112: numbers under the header of a metric that read like losses."""

from collections.abc import Iterator

from sr_bench.core.claim import Claim
from sr_bench.core.metric import image_metrics, metric_info, quantity
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject
from sr_bench.text.printable import counted

RULE = Rule(
    "SRB112",
    Severity.WARNING,
    "values read like losses",
    "In a column of values all are below a sixth of the fp32 values beside them, or below zero:"
    " what the precision loses stands there under the name of what it has, and is taken for that.",
    "print the values, or name the column a drop or a loss",
)

_SHARE = 1 / 6  # no precision that is printed at all keeps so little


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each column of a precision whose values all read like losses."""
    tables = {
        claim.source: table.table.line
        for table in subject.tables
        for row in table.rows
        for claim in row.claims
    }
    columns: dict[tuple[object, ...], list[tuple[Entry, Claim, Claim]]] = {}
    for full, low in subject.pairs:
        for metric in low.claims.keys() & full.claims.keys() & set(image_metrics()):
            if metric_info(metric).higher_is_better:
                value = low.claims[metric]
                table = tables[value.source]
                key = (table, metric, low.precision, low.backend, low.device, low.dataset)
                columns.setdefault(key, []).append((low, value, full.claims[metric]))
    for column in columns.values():
        if all(_like_loss(*values) for _, *values in column):
            entry, printed, of_full = column[0]
            title = metric_info(printed.metric).title
            more = f"; likewise {counted(len(column) - 1, 'more row')}" if column[1:] else ""
            yield RULE.found(
                printed.source,
                f"{entry.name}: {title} {quantity(printed)} beside fp32's {of_full.text} reads like"
                f" a loss{more}",
                row=entry.row,
            )


def _like_loss(value: Claim, full: Claim) -> bool:
    return full.value > 0 and value.value + value.half_step < _SHARE * full.value
