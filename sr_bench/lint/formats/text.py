"""For people: place, gravity, code and message on a line, then what to do."""

from sr_bench.lint.finding import Finding
from sr_bench.lint.run import Report
from sr_bench.text.printable import printable_line


def render(report: Report, *, show_waived: bool) -> str:
    """Return the report as lines of text; control characters of documents are made visible."""
    shown = report.findings if show_waived else report.open
    lines = [*map(_visible, report.notices), *map(_lines, shown), report.summary]
    return "\n".join(lines) + "\n"


def _lines(finding: Finding) -> str:
    first = f"{finding.source}: {finding.severity} {finding.code}: {finding.message}"
    then = f"waived: {finding.waived}" if finding.waived else finding.rule.advice
    return f"{_visible(first)}\n    {_visible(then)}"


def _visible(text: str) -> str:
    """Return `text` on one line, with what could steer a terminal spelled as an escape."""
    return printable_line("; ".join(part.strip() for part in text.splitlines()))
