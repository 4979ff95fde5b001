"""Every format has place, code, severity and message, and no document can break out of it."""

import json
from dataclasses import replace

import pytest

from sr_bench import discovery
from sr_bench.core.claim import Source
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.run import Report, rules

RULE = next(rule for rule in rules() if rule.code == "SRB101")
HOSTILE = "a\x1b[31m \u202e 100%\r\n::error::b, c:d\u2028e"
FINDING = RULE.found(Source("my zoo/a,b:c.md", 3, 9), HOSTILE, row="Net")
WAIVED = replace(FINDING, waived="known", message="stale words", severity=Severity.NOTE)


def render(name: str, *findings: Finding, show_waived: bool = False) -> str:
    report = Report(("a.md",), findings, ("a.md: bound\x07",))
    module = discovery.load("sr_bench.lint.formats", name)
    return module.render(report, show_waived=show_waived)


@pytest.mark.parametrize("name", discovery.names("sr_bench.lint.formats"))
def test_waived_findings_are_shown_when_asked_for(name: str) -> None:
    assert "stale words" not in render(name, WAIVED)
    shown = render(name, WAIVED, show_waived=True)
    assert "stale words" in shown
    assert "known" in shown


def test_text_is_two_lines_a_finding_and_a_summary() -> None:
    notice, first, second, summary = render("text", FINDING).splitlines()
    assert first.startswith("my zoo/a,b:c.md:3:9: warning SRB101: a\\x1b[31m \\u202e 100%; ::error")
    assert second == f"    {RULE.advice}"
    assert summary.startswith("1 document: 0 errors, 1 warning, 0 notes; 0 findings waived; 0 numb")
    assert notice == "a.md: bound\\x07"
    assert "    waived: known" in render("text", WAIVED, show_waived=True)


def test_json_has_every_field() -> None:
    finding = json.loads(render("json", FINDING, WAIVED))
    assert finding["schema_version"] == 1
    assert (finding["documents"], finding["waived"]) == (["a.md"], 1)
    assert finding["findings"] == [
        {
            "code": "SRB101",
            "severity": "warning",
            "path": "my zoo/a,b:c.md",
            "line": 3,
            "column": 9,
            "row": "Net",
            "title": RULE.title,
            "message": HOSTILE,
            "advice": RULE.advice,
            "waived": "",
        }
    ]


def test_a_github_annotation_is_one_line_with_what_would_end_it_escaped() -> None:
    (line,) = render("github", FINDING).split("\n")[:-1]
    place = "file=my zoo/a%2Cb%3Ac.md,line=3,col=9,title=SRB101 a low precision is above fp32"
    spelled = r"a\x1b[31m \u202e 100%25%0D%0A::error::b, c:d\u2028e"
    assert line.startswith(f"::warning {place}::{spelled}")
    assert render("github", replace(FINDING, severity=Severity.NOTE)).startswith("::notice ")
    assert render("github", replace(FINDING, severity=Severity.ERROR)).startswith("::error ")
    waived = replace(WAIVED, severity=Severity.WARNING)
    assert render("github", waived, show_waived=True).startswith("::notice ")


def test_sarif_has_what_its_schema_requires() -> None:
    log = json.loads(render("sarif", FINDING, WAIVED, show_waived=True))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.code for rule in rules()]
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    first, waived = run["results"]
    assert first["level"] in ("none", "note", "warning", "error")
    assert driver["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "SRB101"
    assert first["message"]["text"].startswith(HOSTILE)
    location = first["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "my%20zoo/a%2Cb%3Ac.md"
    assert location["region"] == {"startLine": 3, "startColumn": 9}
    assert run["columnKind"] == "unicodeCodePoints"
    assert "suppressions" not in first
    assert waived["suppressions"] == [{"kind": "external", "justification": "known"}]


def test_sarif_names_an_absolute_path_as_a_uri() -> None:
    finding = replace(FINDING, source=Source("/tmp/a b.md", 1, 1))
    (run,) = json.loads(render("sarif", finding))["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "file:///tmp/a%20b.md"


@pytest.mark.parametrize(
    ("severity", "limit", "reached"),
    [("error", "warning", True), ("warning", "warning", True), ("note", "warning", False)],
)
def test_a_severity_reaches_a_limit_that_is_milder(
    severity: str, limit: str, reached: bool
) -> None:
    assert Severity(severity).reaches(Severity(limit)) == reached


def test_a_finding_has_its_rules_severity_unless_it_says_otherwise() -> None:
    rule = Rule("SRB900", Severity.ERROR, "t", "m", "a")
    assert rule.found(Source("a", 1, 1), "m").severity is Severity.ERROR
    assert rule.found(Source("a", 1, 1), "m", severity=Severity.NOTE).severity is Severity.NOTE
