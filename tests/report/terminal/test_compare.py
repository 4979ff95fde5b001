"""Two runs side by side: what is worse comes first, what is fine is counted."""

import re
from dataclasses import replace

from sr_bench.core.compare import CaseOutcome, Change, Compared
from sr_bench.core.gate import Comparison, Drop
from sr_bench.core.history import SessionInfo
from sr_bench.core.record import Status
from sr_bench.report.terminal.compare import compared_lines, summary_line
from tests.sessions import ENVIRONMENT

A = SessionInfo("run-a", "2026-11-20T09:14:30+00:00", ENVIRONMENT)
B = SessionInfo("run-b", "2026-11-21T09:14:30+00:00", replace(ENVIRONMENT, commit=""))
DROP = Drop(0.05, 0.04, 0.0612, 0.01, (0.04, 0.06))
LOSS = Compared(
    family="zoo",
    model="m_x2",
    metric="psnr",
    precision="fp16",
    dataset="set5_x2",
    protocol="paper_y",
    backend="torch",
    device="cpu",
    outcome=CaseOutcome.LOSS,
    sentence="a sentence",
    before=30.05,
    now=30.0,
    inputs=(Change("network", "1a" * 4, "2b" * 4), Change("code", "3c" * 4, "4d" * 4)),
    comparison=Comparison(Status.LOSS, "", "psnr", 0.01, DROP, ("baby", "bird")),
)


def plain(outcome: CaseOutcome, **changes: object) -> Compared:
    return replace(LOSS, outcome=outcome, inputs=(), comparison=None, **changes)


def cells(line: str) -> list[str]:
    """Return the cells of a line: what two spaces or more separate."""
    return re.split(r" {2,}", line)


def lines_of(*compared: Compared, now: SessionInfo = B, everything: bool = False) -> list[str]:
    return compared_lines(compared, A, now, everything=everything)


def test_a_loss_is_shown_in_full() -> None:
    lines = lines_of(LOSS)
    assert lines[:3] == [
        "A  run-a  2026-11-20 09:14 UTC  abc",
        "B  run-b  2026-11-21 09:14 UTC  -",
        "",
    ]
    assert cells(lines[3]) == [
        *("model", "precision", "metric", "A", "B", "mean loss (95 %)", "worst image"),
        *("status", "what changed"),
    ]
    assert cells(lines[5]) == [
        *("zoo/m_x2", "fp16", "psnr on set5_x2", "30.0500", "30.0000"),
        *("0.050 dB (0.040 to 0.061 dB)", "bird", "loss", "network, code"),
    ]
    assert lines[6:] == ["", "1 loss"]


def test_what_is_worse_comes_first_and_what_is_fine_is_counted() -> None:
    cases = [plain(outcome, model=outcome.value) for outcome in CaseOutcome]
    lines = lines_of(*cases)
    shown = [cells(line)[0] for line in lines[5:-2]]
    assert shown == [
        *("zoo/loss", "zoo/vanished", "zoo/undecided", "zoo/not_comparable", "zoo/new", "zoo/gain")
    ]
    assert lines[-1] == (
        "1 loss, 1 vanished, 1 undecided, 1 not_comparable, 1 new, 1 gain, 1 within, 1 same"
    )
    everything = lines_of(*cases, everything=True)
    assert [cells(line)[0] for line in everything[11:-2]] == ["zoo/within", "zoo/same"]


def test_nothing_to_show_is_one_line() -> None:
    assert lines_of(plain(CaseOutcome.SAME), plain(CaseOutcome.WITHIN))[2:] == [
        "",
        "1 within, 1 same",
    ]
    assert summary_line([]) == "neither run has a value"


def test_the_environment_is_shown_once() -> None:
    newer = replace(B, environment=replace(ENVIRONMENT, packages={"numpy": "2.1"}, cores=4))
    lines = lines_of(LOSS, plain(CaseOutcome.LOSS), now=newer)
    assert lines[2] == "environment: numpy 2.0 -> 2.1, cores 2 -> 4"
    assert [cells(line)[-1] for line in lines[6:8]] == ["network, code", "environment"]


def test_verdicts_that_changed_are_named_with_what_the_document_printed() -> None:
    verdict = (Change("verdict", "match", "differs"), Change("claimed", "30.05", "30.15"))
    edited = plain(CaseOutcome.SAME, verdict=verdict)
    only_printed = plain(CaseOutcome.SAME, verdict=verdict[1:])
    assert lines_of(edited, only_printed)[2:] == [
        "",
        "zoo/m_x2 fp16 psnr on set5_x2: verdict match -> differs, claimed 30.05 -> 30.15",
        "",
        "2 same",
    ]
    assert lines_of(*[edited] * 12)[12:15] == [
        "zoo/m_x2 fp16 psnr on set5_x2: verdict match -> differs, claimed 30.05 -> 30.15",
        "and 2 more verdicts changed",
        "",
    ]


def test_a_loss_without_a_cause_says_so() -> None:
    assert cells(lines_of(plain(CaseOutcome.LOSS))[5])[-1] == "nothing that is recorded"
    assert cells(lines_of(plain(CaseOutcome.SAME), everything=True)[5])[-1] == "same"


def test_what_cannot_be_compared_says_why() -> None:
    for outcome in (CaseOutcome.NEW, CaseOutcome.VANISHED, CaseOutcome.NOT_COMPARABLE):
        case = replace(LOSS, outcome=outcome, now=None, comparison=None)
        row = cells(lines_of(case)[5])
        assert row[4:] == ["-", "-", "-", outcome.value, "a sentence"]


def test_a_single_image_has_no_interval() -> None:
    inf = float("inf")
    assert LOSS.comparison is not None
    alone = replace(LOSS.comparison, drop=Drop(0.05, -inf, inf, inf, (0.05,)))
    perfect = replace(LOSS.comparison, drop=Drop(inf, inf, inf, inf, (0.0, inf)))
    row = [cells(lines_of(replace(LOSS, comparison=pair))[5])[5] for pair in (alone, perfect)]
    assert row == ["0.050 dB (one image)", "inf dB"]


def test_costs_and_times_say_how_much_more_they_are() -> None:
    cost = plain(CaseOutcome.LOSS, metric="flops", dataset="", before=10.0, now=12.5)
    row = cells(lines_of(cost)[5])
    assert row[2:6] == ["flops", "10.000", "12.500", "2.5 G more"]
    time = plain(CaseOutcome.GAIN, metric="latency", dataset="", before=10.0, now=8.0)
    assert cells(lines_of(time)[5])[5] == "2 ms less"
    same = plain(CaseOutcome.SAME, metric="flops", before=1.0, now=1.0)
    assert cells(lines_of(same, everything=True)[5])[5] == "-"


def test_an_emulation_says_so_in_its_row() -> None:
    assert cells(lines_of(replace(LOSS, device="emulated"))[5])[7] == "loss (emulated)"


def test_hostile_names_move_no_cursor() -> None:
    evil = plain(CaseOutcome.VANISHED, model="m\x1b[2J", sentence="x\ny\x07", dataset="\x9b")
    newer = replace(B, run="\x1b]0;x", environment=replace(ENVIRONMENT, packages={"\x1b": "1"}))
    lines = lines_of(evil, now=newer)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(lines))
    assert len(lines) == 9
