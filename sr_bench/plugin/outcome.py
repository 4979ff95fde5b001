"""How an item ended, as pytest's own reports tell it: headings, the short summary, JUnit."""

from typing import Any

from sr_bench.core.case import Case
from sr_bench.core.record import Record
from sr_bench.report.terminal.headline import card_path, headline, message, reason
from sr_bench.text.home import without_home
from sr_bench.text.printable import printable_line

Properties = list[tuple[str, str]]
"""Of a test case in a JUnit report: strings alone, which also travel from a worker."""


def asked(case: Case) -> Properties:
    """Return what JUnit says of `case` before it is answered; empty strings for what it lacks."""
    claim, place = case.claim, case.place
    return _properties(
        model=case.card.name,
        metric=case.metric,
        dataset=case.dataset,
        precision=case.precision,
        backend=case.backend,
        claimed=claim.text if claim else "",
        source=place or "",
    )


def answered(record: Record) -> Properties:
    """Return what JUnit says of the answer; empty strings for what it lacks."""
    measured, claim = record.verdict.measured, record.claim
    if measured is not None and claim:
        measured = claim.as_printed(measured)  # as what is claimed
    return _properties(
        measured="" if measured is None else measured,
        status=record.verdict.status,
        device=record.device,
        failure=record.detail.failure or "",
    )


def _properties(**values: object) -> Properties:
    texts = {name: without_home(printable_line(str(value))) for name, value in values.items()}
    return [(f"sr_{name}", text) for name, text in texts.items()]


def lead(report: Any, record: Record) -> None:
    """Let the failed `report` say the numbers of `record` first, in its heading and its message."""
    report.sr_headline = headline(record)
    path, line, _ = report.location
    report.location = (path, line, report.sr_headline)
    # What the lines of --tb=line, the summary and JUnit are made of: not a line of the plugin.
    if crash := getattr(report.longrepr, "reprcrash", None):
        source = record.source
        path, line = (source.path, source.line) if source else (card_path(record), 1)
        crash.path, crash.lineno, crash.message = printable_line(path), line, message(record)


def say_once(report: Any) -> None:
    """Leave of a failed report's message what the summary's line, after its heading, lacks yet.

    That is nothing where only the numbers differ. What else reads the message has done so.
    """
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash and hasattr(report, "sr_headline"):
        crash.message = reason(report.sr_record)
        if not crash.message:
            report.longrepr.reprcrash = None
