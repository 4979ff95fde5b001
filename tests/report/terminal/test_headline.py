"""A headline says the numbers first, how it ended, and where that stands."""

from dataclasses import replace

import pytest

from sr_bench.core.baseline import Fall, Held
from sr_bench.core.detail import Detail
from sr_bench.core.device import Failure
from sr_bench.core.gate import Comparison, GateVerdict
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.report.terminal.headline import headline, message
from tests.report.records import CLAIM, record
from tests.report.terminal.test_gate import VERDICT


def failed(status: Status) -> Record:
    return record(replace(CLAIM, text="0.1999", metric="ssim"), 0.19283, status=status)


def lost(gate: GateVerdict | None = None, **detail: object) -> Record:
    base = record(None, 46.8, status=Status.LOSS, metric="fidelity")
    return replace(base, detail=Detail(gate=gate, **detail))


@pytest.mark.parametrize("status", [Status.DIFFERS, Status.BETTER, Status.GAP_CLOSED])
def test_a_claim_shows_both_numbers_as_the_document_prints_them(status: Status) -> None:
    assert headline(failed(status)) == f"0.1999 -> 0.1928 {status} (README.md:7:22)"


def test_what_has_no_value_shows_the_claim_and_the_class_of_the_fault() -> None:
    verdict = Verdict(Status.ERROR, "b.png is corrupt\nand more", claimed=0.1999)
    error = replace(failed(Status.ERROR), verdict=verdict, measurement=None)
    assert headline(error) == "0.1999 -> error (README.md:7:22)"
    assert message(error) == "0.1999 -> error: b.png is corrupt"
    crashed = replace(error, detail=Detail(failure=Failure.CRASHED))
    assert headline(crashed) == "0.1999 -> error: crashed (README.md:7:22)"
    unclaimed = replace(error, claim=None, metric="psnr")
    assert headline(unclaimed) == "m_x2 fp32 PSNR on set5_x2: error (zoo/card.toml)"


def test_a_message_says_what_the_numbers_are_about() -> None:
    about = "m_x2 fp32 SSIM on set5_x2"
    assert message(failed(Status.DIFFERS)) == f"0.1999 -> 0.1928 differs: {about}"


def test_a_gap_that_closed_without_a_claim_shows_its_value() -> None:
    closed = record(None, 46.8, status=Status.GAP_CLOSED, metric="fidelity")
    assert headline(closed) == "46.80 dB gap_closed (zoo/card.toml)"


def test_a_loss_shows_what_fell_and_its_limit() -> None:
    assert headline(lost(VERDICT)) == "38.20 dB < 52 dB fidelity: loss (zoo/card.toml)"


@pytest.mark.parametrize(
    ("worst", "shown"), [(0.2, "0.800 dB > 0.5 dB PSNR drop"), (9.0, "9.000 dB > 2 dB PSNR drop")]
)
def test_a_drop_shows_its_mean_or_the_image_that_may_not_lose_so_much(
    worst: float, shown: str
) -> None:
    limits = replace(VERDICT.limits, max_drop_db=0.5, max_image_drop_db=2.0)
    psnr = replace(VERDICT.psnr, mean=0.8, values=(worst,), left_out=())
    findings = tuple(
        replace(finding, status=Status.LOSS if finding.question == "psnr" else Status.WITHIN)
        for finding in VERDICT.findings
    )
    gate = replace(VERDICT, status=Status.LOSS, limits=limits, findings=findings, psnr=psnr)
    assert headline(lost(gate)) == f"{shown}: loss (zoo/card.toml)"


def test_what_is_worse_than_approved_names_the_baseline_s_line() -> None:
    fall = Fall("baby", "fidelity_db", 55.3, 54.4, 0.5, "zoo/gate_baseline.toml:12")
    held = Held(Status.LOSS, "worse than approved", (fall,))
    gate = replace(VERDICT, status=Status.WITHIN, findings=())
    expected = "55.3 -> 54.4 fidelity_db: loss (zoo/gate_baseline.toml:12)"
    assert headline(lost(gate, baseline=held)) == expected


def test_what_is_worse_than_an_earlier_run_shows_the_drop() -> None:
    drop = replace(VERDICT.psnr, mean=0.8)
    compared = Comparison(Status.LOSS, "less", "psnr", 0.1, drop, ("a",))
    gate = replace(VERDICT, status=Status.WITHIN, findings=())
    expected = "0.800 dB > 0.1 dB PSNR drop: loss (zoo/card.toml)"
    assert headline(lost(gate, compared=(compared,))) == expected


def test_no_name_in_a_headline_steers_the_terminal() -> None:
    place = replace(CLAIM.source, path="\x1b[2J\n\u202e.md")
    hostile = replace(failed(Status.DIFFERS), place=place)
    assert not set("\x1b\n\u202e") & set(headline(hostile) + message(hostile))
