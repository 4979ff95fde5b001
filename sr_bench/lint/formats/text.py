"""For people: place, gravity, code and message on a line, then what to do."""

from sr_bench.lint.finding import Finding
from sr_bench.lint.run import Report


def render(report: Report, *, show_waived: bool) -> str:
    """Return the report as lines of text; control characters of documents are made visible."""
    shown = report.findings if show_waived else report.open
    lines = [*map(_visible, report.notices), *(line for one in shown for line in _lines(one))]
    return "\n".join([*lines, report.summary]) + "\n"


def _lines(finding: Finding) -> tuple[str, str]:
    first = f"{finding.source}: {finding.severity} {finding.code}: {finding.message}"
    then = f"waived: {finding.waived}" if finding.waived else finding.rule.advice
    return _visible(first), f"    {_visible(then)}"


def _visible(text: str) -> str:
    """Return `text` on one line, with what could steer a terminal spelled as an escape."""
    one_line = "; ".join(part.strip() for part in text.splitlines())
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in one_line
    )
