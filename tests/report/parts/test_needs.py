"""What needs a person is grouped by its cause: since when, and what changed then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sr_bench.core.compare import CaseOutcome, Change, Compared
from sr_bench.core.history import HistoryEntry, PastSession, SessionInfo, point
from sr_bench.core.record import Record, Status
from sr_bench.report.parts.needs import Worse, needs, summary
from tests.report.records import CLAIM, record
from tests.report.sessions import past_session

Night = Sequence[Record]


def of(
    model: str, status: Status, value: float = 30.1, text: str = "30.10", **inputs: str
) -> Record:
    base = record(replace(CLAIM, text=text), value, status=status)
    return replace(base, model=model, case_id=f"{model}-psnr", inputs=inputs)


def info(night: int) -> SessionInfo:
    day = date(2026, 11, night)
    base = past_session([]).info
    return replace(base, run=f"run-{night}", started=f"{day}T02:00:00+00:00")


def month(*nights: Night) -> tuple[PastSession, list[HistoryEntry]]:
    """Return the last of `nights`, and all of them as history keeps them."""
    entries = [
        HistoryEntry(info(number), tuple(map(point, night)))
        for number, night in enumerate(nights, 1)
    ]
    return replace(past_session(nights[-1]), info=info(len(nights))), entries


def lost(before: float, now: float, outcome: CaseOutcome = CaseOutcome.LOSS) -> Worse:
    what = ("zoo", "a", "psnr", "fp32", "set5_x2", "paper_y", "onnxruntime", "cpu")
    changed = (Change("weights", "aaaabbbb", "ccccdddd"),)
    return info(1), Compared(*what, outcome, "worse", before, now, changed, was="match")


def test_nothing_is_needed_where_nothing_failed() -> None:
    quiet = [of("a", Status.MATCH), of("b", Status.KNOWN_GAP), of("c", Status.NEW)]
    assert needs(*month(quiet, quiet)) == ()


def test_a_failure_has_the_first_run_that_failed_the_last_that_did_not_and_what_changed() -> None:
    good, bad = of("a", Status.MATCH, weights="v1"), of("a", Status.DIFFERS, 29.0, weights="v2")
    (need,) = needs(*month([good], [good], [bad], [bad]))
    assert need.cause.before is not None
    assert (need.cause.first.run, need.cause.before.run) == ("run-3", "run-2")
    assert [*map(str, need.cause.changed)] == ["weights v1 -> v2"]
    (finding,) = need.findings
    assert (finding.before, finding.was) == (30.1, "match")


def test_another_failure_is_news_though_the_number_failed_before() -> None:
    gap, closed = of("a", Status.KNOWN_GAP, 29.0), of("a", Status.GAP_CLOSED)
    (need,) = needs(*month([gap], [closed], [of("a", Status.DIFFERS, 28.0)]))
    assert (need.cause.first.run, need.findings[0].was) == ("run-3", "gap_closed")


def test_a_failure_as_old_as_history_has_no_last_good_run() -> None:
    bad = of("a", Status.DIFFERS)
    (need,) = needs(*month([bad], [bad]))
    assert (need.cause.first.run, need.cause.before) == ("run-1", None)
    assert summary([need]) == "1 differs since 2026-11-01: a"


def test_numbers_of_one_cause_are_together_and_an_edited_document_is_one() -> None:
    good = [of(name, Status.MATCH) for name in "abc"]
    edited = [of(name, Status.DIFFERS, text=text) for name, text in (("a", "31.0"), ("b", "32.0"))]
    closed = of("c", Status.GAP_CLOSED, weights="v2")
    first, second = needs(*month(good, [*edited, closed]))
    assert (first.cause.edited, first.cause.changed, len(first.findings)) == (True, (), 2)
    assert second.cause.ended == "gap_closed"
    assert summary([first, second]) == (
        "2 differs since 2026-11-02: a, b (the document);"
        " 1 gap_closed since 2026-11-02: c (weights absent -> v2)"
    )


def test_a_loss_within_the_claim_is_told_by_the_comparison_alone() -> None:
    session, entries = month([of("a", Status.MATCH)], [of("a", Status.MATCH, 30.09)])
    (need,) = needs(session, entries, [lost(30.1, 30.09)])
    assert (need.cause.judged, need.cause.ended, need.findings[0].before) == (False, "loss", 30.1)
    assert summary([need]) == "1 loss since 2026-11-02: a (weights)"


def test_a_loss_that_its_claim_tells_is_told_once() -> None:
    session, entries = month([of("a", Status.MATCH)], [of("a", Status.DIFFERS, 29.0)])
    (need,) = needs(session, entries, [lost(30.1, 29.0)])
    assert need.cause.judged


def test_a_run_that_history_has_lost_is_told_without_a_past() -> None:
    session, _ = month([of("a", Status.ERROR)])
    (need,) = needs(session, [])
    assert (need.cause.first, need.cause.before) == (session.info, None)


def test_many_causes_are_counted() -> None:
    good = [of(name, Status.MATCH) for name in "abcde"]
    bad = [of(name, Status.DIFFERS, weights=name) for name in "abcde"]
    assert summary(needs(*month(good, bad))).endswith("; 2 other causes")
