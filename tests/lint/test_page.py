"""docs/how-to/lint.md lists every rule, and codes are what they promise to be."""

import re
from pathlib import Path

from sr_bench.lint.run import rules


def test_the_page_lists_every_rule_with_its_severity_and_title(project_root: Path) -> None:
    page = (project_root / "docs" / "how-to" / "lint.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (SRB\d+)(?: \*)? \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    assert rows == [(rule.code, rule.severity.value, rule.title) for rule in rules()]


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.code for rule in rules()]
    assert len(set(codes)) == len(codes) >= 19
