"""For code scanning: SARIF 2.1.0.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from pathlib import Path
from urllib.parse import quote

from sr_bench import __version__
from sr_bench.lint.finding import Finding, Rule
from sr_bench.lint.run import Report, rules

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report, *, show_waived: bool) -> str:
    """Return one run as JSON; waived findings are shown as suppressed results."""
    shown = report.findings if show_waived else report.open
    all_rules = rules()
    codes = [rule.code for rule in all_rules]
    driver = {
        "name": "sr-bench lint",
        "version": __version__,
        "rules": [_rule(rule) for rule in all_rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",  # the default would be UTF-16 units
        "results": [_result(finding, codes.index(finding.code)) for finding in shown],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.meaning},
        "help": {"text": rule.advice},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    place = finding.source
    location = {
        "artifactLocation": {"uri": _uri(place.path)},
        "region": {"startLine": place.line, "startColumn": place.column},
    }
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.message}; {finding.rule.advice}"},
        "locations": [{"physicalLocation": location}],
    }
    if finding.waived:
        # External: the reason stands in the card, not in the document itself.
        result["suppressions"] = [{"kind": "external", "justification": finding.waived}]
    return result


def _uri(path: str) -> str:
    # Relative where it can be: code scanning looks it up in the repository.
    return Path(path).as_uri() if Path(path).is_absolute() else quote(Path(path).as_posix())
