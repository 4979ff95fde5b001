"""Waive the findings that a card knows of, and find the waivers that waive nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sr_bench.core.card import SuiteCard
from sr_bench.core.claim import Source
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB002",
    Severity.WARNING,
    "a waiver matches no finding",
    "The card waives a finding that isn't there, or no longer: it would hide the next one of its"
    " kind. Waivers of SRB110 and SRB205 may be idle, as those depend on other documents.",
    "remove the waiver from the card",
)

_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*waive[ \t]*\]\]", re.MULTILINE)


def waive(subject: Subject, findings: Sequence[Finding], rules: Sequence[Rule]) -> list[Finding]:
    """Return `findings` with what the subject's own card waives, and those about idle waivers."""
    card = subject.card
    if card is None or not subject.waivable:
        return list(findings)
    judged = []
    for finding in findings:
        reasons = (w.reason for w in card.waivers if w.covers(finding.code, finding.row))
        judged.append(replace(finding, waived=next(reasons, "")))
    # Rules say nothing of what can't be read, so that no waiver of it is known to be idle.
    unread = any(one.unread for one in subject.printed)
    return judged if subject.faults or unread else [*judged, *_idle(card, findings, rules)]


def _idle(card: SuiteCard, findings: Sequence[Finding], rules: Sequence[Rule]) -> Iterator[Finding]:
    known = {rule.code: rule for rule in rules}
    for index, waiver in enumerate(card.waivers):
        if waiver.code not in known:
            codes = ", ".join(sorted(known))
            message = f"there is no rule {waiver.code}; the rules are {codes}"
        elif known[waiver.code].across or any(waiver.covers(f.code, f.row) for f in findings):
            continue
        else:
            row = f" on row {waiver.row!r}" if waiver.row else ""
            message = f"there is no finding {waiver.code}{row} to waive: {waiver.reason}"
        yield RULE.found(_place(card, index), message, row=waiver.row)


def _place(card: SuiteCard, index: int) -> Source:
    text = card.path.read_text(encoding="utf-8-sig")  # a BOM would hide a table in line 1
    starts = [match.start() for match in _TABLE.finditer(text)]
    # Written another way, such as an array of inline tables, it is somewhere in the file.
    line = text.count("\n", 0, starts[index]) + 1 if len(starts) == len(card.waivers) else 1
    return Source(str(card.path), line, 1)
