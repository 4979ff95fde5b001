"""For people: place, gravity, code and message on a line, then what to do."""

from typing import Final

from sr_bench.lint.finding import Finding
from sr_bench.lint.run import Report
from sr_bench.text.printable import printable_line

_DRAFT: Final = "\n    [[table]]"
"""What begins the lines of a message that are to be pasted as they stand."""


def render(report: Report, *, show_waived: bool) -> str:
    """Return the report as lines of text; control characters of documents are made visible."""
    shown = report.findings if show_waived else report.open
    lines = [*map(_visible, report.notices), *map(_lines, shown), report.summary]
    return "\n".join(lines) + "\n"


def _lines(finding: Finding) -> str:
    message, begins, draft = finding.message.partition(_DRAFT)
    first = f"{finding.source}: {finding.severity} {finding.code}: {message}"
    then = f"waived: {finding.waived}" if finding.waived else finding.rule.advice
    to_paste = map(printable_line, f"{begins}{draft}".lstrip("\n").splitlines())
    return "\n".join([_visible(first), *to_paste, f"    {_visible(then)}"])


def _visible(text: str) -> str:
    """Return `text` on one line, with what could steer a terminal spelled as an escape."""
    return printable_line("; ".join(part.strip() for part in text.splitlines()))
