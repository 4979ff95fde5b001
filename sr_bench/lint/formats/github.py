"""For GitHub Actions: a workflow command for each finding, which annotates the line.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from sr_bench.files.github import Level, annotation
from sr_bench.lint.finding import Finding, Severity
from sr_bench.lint.run import Report

_LEVELS: dict[Severity, Level] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",  # GitHub has no milder one
}


def render(report: Report, *, show_waived: bool) -> str:
    """Return one command a line; waived findings are notices, if they are shown at all."""
    shown = report.findings if show_waived else report.open
    return "".join(f"{_command(finding)}\n" for finding in shown)


def _command(finding: Finding) -> str:
    then = f"waived: {finding.waived}" if finding.waived else finding.rule.advice
    return annotation(
        "notice" if finding.waived else _LEVELS[finding.severity],
        f"{finding.message}: {then}",
        title=f"{finding.code} {finding.rule.title}",
        place=finding.source,
    )
