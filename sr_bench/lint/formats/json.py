"""For programs: one JSON object."""

import json
from dataclasses import asdict

from sr_bench.lint.finding import Finding
from sr_bench.lint.run import Report

SCHEMA_VERSION = 1


def render(report: Report, *, show_waived: bool) -> str:
    """Return the report as JSON; waived findings carry their reason in ``waived``."""
    shown = report.findings if show_waived else report.open
    content = {
        "schema_version": SCHEMA_VERSION,
        "documents": list(report.documents),
        "notices": list(report.notices),
        "findings": [_finding(finding) for finding in shown],
        "waived": len(report.findings) - len(report.open),  # shown above or not
        "numbers": asdict(report.numbers),
        "summary": report.summary,
    }
    return json.dumps(content, indent=1) + "\n"


def _finding(finding: Finding) -> dict[str, str | int]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        **asdict(finding.source),
        "row": finding.row,
        "title": finding.rule.title,
        "message": finding.message,
        "advice": finding.rule.advice,
        "waived": finding.waived,
    }
