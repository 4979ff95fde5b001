"""A gate is shown as a row for each question, then the worst images."""

import math
import re
from dataclasses import replace

import pytest

from sr_bench.core.gate import Comparison, Drop, GateFinding, GateImage, GateVerdict
from sr_bench.core.int8 import Gate
from sr_bench.core.record import Status
from sr_bench.report.terminal.gate import comparison_lines, gate_lines

PSNR = Drop(0.0214, 0.0101, 0.0327, 0.0152, (0.01, 0.045, 0.0092))
SSIM = Drop(0.00012, -0.00003, 0.00027, 0.0002, (0.0003, 0.00004, 0.00002))
IMAGES = (
    GateImage("bird", 54.0, 54.5, 52.5, 0.01, 0.0003),
    GateImage("baby", 53.2, 53.4, 53.0, 0.045, 0.00004),
    GateImage("butterfly", 53.6, 54.9, 38.2, 0.0092, 0.00002),
)
VERDICT = GateVerdict(
    Status.LOSS,
    "a reason",
    Gate(52.0, 0.1, 0.0002),
    (
        GateFinding("fidelity", Status.LOSS, "a reason"),
        GateFinding("psnr", Status.WITHIN, "a reason"),
        GateFinding("ssim", Status.UNDECIDED, "a reason"),
    ),
    PSNR,
    SSIM,
    IMAGES,
)
INFINITE = (math.inf, -math.inf, 1e308)
COMPARED = Comparison(Status.LOSS, "a sentence", "psnr", 0.01, PSNR, ("bird", "baby", "butterfly"))


def with_images(count: int) -> GateVerdict:
    images = tuple(GateImage(f"{i:02}", 60.0 - i, 60.0, 61.0, 0.1, 0.1) for i in range(count))
    drop = Drop(0.1, 0.1, 0.1, 0.0, (0.1,) * count)
    return GateVerdict(Status.WITHIN, "", VERDICT.limits, VERDICT.findings, drop, drop, images)


def cells(lines: list[str]) -> list[list[str]]:
    """Return the cells of each line: what two spaces or more separate."""
    return [re.split(r" {2,}", line) for line in lines]


def test_a_verdict_is_shown_in_full() -> None:
    lines = gate_lines(VERDICT)
    assert cells(lines[:1] + lines[2:6]) == [
        ["", "mean", "95 % interval", "worst", "image", "limit", "detects", "verdict"],
        ["fidelity to fp32", "53.60 dB", "-", "53.20 dB", "baby", ">= 52 dB", "-", "within"],
        ["in the border ring", "47.90 dB", "-", "38.20 dB", "butterfly", ">= 52 dB", "-", "loss"],
        [
            *("PSNR drop", "0.021 dB", "0.010 to 0.033 dB", "0.045 dB", "baby"),
            *("<= 0.1 dB", "0.015 dB", "within"),
        ],
        [
            *("SSIM drop", "0.00012", "-0.00003 to 0.00027", "0.00030", "bird"),
            *("<= 0.0002", "0.00020", "undecided"),
        ],
    ]
    assert cells(lines[7:8] + lines[9:]) == [
        ["image", "fidelity", "inside", "ring", "PSNR drop", "SSIM drop"],
        ["butterfly", "53.60 dB", "54.90 dB", "38.20 dB", "0.009 dB", "0.00002"],
        ["bird", "54.00 dB", "54.50 dB", "52.50 dB", "0.010 dB", "0.00030"],
        ["baby", "53.20 dB", "53.40 dB", "53.00 dB", "0.045 dB", "0.00004"],
    ]


def test_numbers_stand_below_each_other() -> None:
    whole, ring = gate_lines(VERDICT)[2:4]
    assert whole.index("53.60 dB") == ring.index("47.90 dB")
    assert whole.index("within") == ring.index("loss")


def test_five_images_are_shown_from_the_worst() -> None:
    lines = gate_lines(with_images(14))
    assert [line.split()[0] for line in lines[-6:-1]] == ["13", "12", "11", "10", "09"]
    assert lines[-1] == "and 9 more of higher fidelity"


def test_five_of_five_images_leave_no_more() -> None:
    assert gate_lines(with_images(5))[-1].startswith("00 ")


def test_a_single_image_that_is_equal_is_shown_as_such() -> None:
    equal = (GateImage("one", math.inf, math.inf, math.inf, 0.0, 0.0),)
    drop = Drop(0.0, -math.inf, math.inf, math.inf, (0.0,))
    verdict = GateVerdict(Status.UNDECIDED, "", VERDICT.limits, VERDICT.findings, drop, drop, equal)
    text = "\n".join(gate_lines(verdict))
    assert "inf dB" in text
    assert "-inf to inf dB" in text
    assert "nan" not in text


@pytest.mark.parametrize("limit", [53.0, 54.0])
def test_the_rows_of_fidelity_are_judged_apart(limit: float) -> None:
    images = (GateImage("a", 54.0, 54.0, 53.0, 0.0, 0.0),)
    limits = Gate(limit, 0.1, 0.1)
    none = Drop(0.0, 0.0, 0.0, 0.0, (0.0,))
    shown = GateVerdict(Status.LOSS, "", limits, VERDICT.findings, none, none, images)
    whole, ring = gate_lines(shown)[2:4]
    assert whole.endswith("within")
    assert ring.endswith("within" if limit == 53.0 else "loss")


def test_a_comparison_is_shown_with_its_worst_images() -> None:
    lines = comparison_lines(COMPARED)
    assert cells(lines[2:3] + lines[4:5] + lines[6:]) == [
        [
            *("PSNR drop", "0.021 dB", "0.010 to 0.033 dB", "0.045 dB", "baby"),
            *("<= 0.01 dB", "0.015 dB", "loss"),
        ],
        ["image", "PSNR drop"],
        ["baby", "0.045 dB"],
        ["bird", "0.010 dB"],
        ["butterfly", "0.009 dB"],
    ]


def test_a_comparison_without_images_says_why() -> None:
    nothing = Comparison(Status.NOT_RUN, "no image is in both", "psnr", 0.1, None, ())
    assert comparison_lines(nothing) == ["no image is in both"]


def test_fidelities_of_a_damaged_record_are_shown_too() -> None:
    odd = tuple(replace(image, all_db=db) for image, db in zip(IMAGES, INFINITE, strict=True))
    assert "-inf dB" in gate_lines(replace(VERDICT, images=odd))[2]
