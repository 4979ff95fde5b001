"""SRB004: a document of which nothing is read."""

from collections.abc import Iterator

from sr_bench.core.claim import Source
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject
from sr_bench.text.printable import counted

RULE = Rule(
    "SRB004",
    Severity.ERROR,
    "nothing in a document is read",
    "A document without a row that is read passes every other rule, and says nothing. Code blocks"
    " are no tables.",
    "name the columns as docs/reference/tables.md says, or leave the document out",
)
_MOST_NAMED = 20
_MOST_DRAFTED = 3


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding if no row is read and none is ignored, with the tables and their faults."""
    read = any(table.rows for table in subject.tables)
    rowless = subject.card is not None and not any(model.row for model in subject.card.models)
    ignored = any(one.ignored for one in subject.printed)
    if subject.faults or read or rowless or ignored:
        return
    tables = subject.unread_tables
    more = [f"and {len(tables) - _MOST_NAMED} more"] if len(tables) > _MOST_NAMED else []
    seen = "; ".join([*(f"line {table}" for table in tables[:_MOST_NAMED]), *more])
    message = f"no row is read; its tables are: {seen or 'none'}"
    if subject.results:
        results = counted(len(subject.results), "result")
        message += f"; its text prints {results}: name the document whose page it is with it"
    if subject.drafts:
        drafts = "\n".join(subject.drafts[:_MOST_DRAFTED])
        message += f"; or say in card.toml what one of them is:\n{drafts}"
    yield RULE.found(Source(subject.path, 1, 1), message)
