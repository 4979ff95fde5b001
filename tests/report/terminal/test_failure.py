"""A failure says in under twelve lines what differs, by how much, and how to rerun it."""

import shlex
from dataclasses import replace

import pytest

from sr_bench.core.card import Tolerance
from sr_bench.core.detail import Detail
from sr_bench.core.forensics import Candidate, Forensics, Scoring
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.engine.judge.claim import judge
from sr_bench.report.terminal.failure import failure_text
from tests.report.records import CLAIM, record


def judged(value: float, tolerance: Tolerance = Tolerance(), text: str = "30.10") -> Record:  # noqa: B008 - frozen
    failed = record(replace(CLAIM, text=text), value)
    return replace(failed, verdict=judge(failed.claim, failed.measurement, tolerance=tolerance))


def smallest(text: str) -> float:
    return float(text.partition("the smallest that passes is ")[2].splitlines()[0])


def test_a_difference_is_shown_in_full() -> None:
    assert failure_text(judged(29.5)).splitlines() == [
        "README.md:7:22: m_x2 fp32 PSNR on set5_x2",
        "verdict    differs: differs from the document",
        "claimed    30.10 dB",
        "measured   29.5000 dB  (delta -0.6000 dB)",
        "tolerance  0.005 dB; the smallest that passes is 0.6",
        "protocol   paper_y, 2 images, onnxruntime (cpu)",
        "rerun      pytest zoo/card.toml::m --backend=onnxruntime",
    ]


def test_what_runs_it_again_can_be_copied_whatever_the_folder_is_called() -> None:
    failed = replace(judged(29.5), node_id="Ann's zoo/card.toml::m")
    rerun = failure_text(failed).splitlines()[-1]
    assert shlex.split(rerun)[1:3] == ["pytest", "Ann's zoo/card.toml::m"]


def test_kept_images_show_what_the_claim_may_be_about() -> None:
    failed = judged(30.2)
    match = Candidate(Scoring(border=3), 30.1012, ("paper_y",), ("border",), "rounded", 0.4)
    forensics = Forensics("psnr", "30.10", 2, (2,), 900, 9, (match,) * 9)
    lines = failure_text(replace(failed, detail=Detail(forensics=forensics))).splitlines()
    start = lines.index("forensics  could be chance: 9 of 900 ways of scoring the images, as")
    assert (
        lines[start + 1]
        == "           paper_y, but border 3 px: 30.1012 dB rounded, by chance 0.400"
    )
    assert lines[-1].startswith("rerun")
    assert len(lines) <= 16


def test_a_better_value_is_shown_with_the_edit() -> None:
    lines = failure_text(judged(30.2)).splitlines()
    assert "edit       README.md:7:22: 30.10 -> 30.20" in lines
    assert len(lines) < 12


@pytest.mark.parametrize(
    "value", [30.1050001, 29.0, 123.4567891234, 30.1 + 12.3456491, 3e-7, 1e30, -1e300]
)
def test_the_smallest_passing_tolerance_does_pass(value: float) -> None:
    claim = judged(value).claim
    slack = Tolerance(smallest(failure_text(judged(value))) - claim.half_step, "as advised")
    again = judge(claim, record(claim, value).measurement, tolerance=slack)
    assert again.status is Status.MATCH


def test_identical_images_are_shown_too() -> None:
    text = failure_text(judged(float("inf")))
    assert "measured   inf dB  (delta +inf dB)" in text
    assert "the smallest that passes is inf" in text


def test_a_document_that_cuts_digits_off_has_its_tolerance_upwards() -> None:
    text = failure_text(judged(30.095, Tolerance(digits="truncated")))
    assert "0.01 dB upwards, as the document cuts digits off; the smallest" in text
    assert smallest(text) == 0.005


def test_a_cost_metric_has_no_protocol() -> None:
    failed = record(replace(CLAIM, metric="flops", text="1.5"), 1.7, status=Status.DIFFERS)
    text = failure_text(failed)
    assert "m_x2 fp32 Flops\n" in text
    assert "protocol" not in text


def test_a_time_is_shown_with_what_it_was_taken_under() -> None:
    slow = record(replace(CLAIM, metric="latency", text="10.0"), 21.1, status=Status.DIFFERS)
    slow = replace(slow, dataset="", detail=Detail(shape="3x8x8", threads=2))
    lines = failure_text(slow).splitlines()
    assert lines[0] == "README.md:7:22: m_x2 fp32 latency"
    assert lines[-2:] == [
        "timed      3x8x8, 2 threads, onnxruntime (cpu)",
        "rerun      pytest zoo/card.toml::m --backend=onnxruntime --sr-latency",
    ]
    assert not any("smallest" in line or "protocol" in line for line in lines)


def test_a_reason_of_many_lines_stays_short() -> None:
    verdict = Verdict(Status.GAP_CLOSED, "line\n" * 30, 30.1, 30.1, 0.005)
    lines = failure_text(replace(record(), verdict=verdict)).splitlines()
    assert len(lines) < 12


def test_an_error_shows_its_message_cut_to_size() -> None:
    verdict = Verdict(Status.ERROR, "\n".join(f"fault {i}" for i in range(40)), claimed=30.1)
    lines = failure_text(replace(record(), verdict=verdict, measurement=None)).splitlines()
    assert lines[0].startswith("README.md:7:22: m_x2 fp32 PSNR on set5_x2")
    assert "fault 0" in lines
    assert lines[-1].startswith("rerun      pytest zoo/card.toml::m")
    assert lines[-2:-1] == ["fault 16"]


def test_an_error_without_a_claim_names_the_model() -> None:
    verdict = Verdict(Status.ERROR, "b.png is corrupt")
    text = failure_text(replace(record(None), verdict=verdict, measurement=None))
    assert text.startswith("m_x2 fp32 PSNR on set5_x2\n\nb.png is corrupt\n")


def test_no_name_in_a_failure_steers_the_terminal() -> None:
    hostile = replace(
        record(value=29.0, status=Status.DIFFERS), dataset="\x1b[2J\u202e", node_id="\x9b"
    )
    assert not set("\x1b\u202e\x9b") & set(failure_text(hostile))
