"""A way of scoring is declared by the keys of a card's protocol, if a protocol can say it."""

import tomllib
from dataclasses import replace

import pytest

from sr_bench.cards.protocol_files import parse_protocol
from sr_bench.core.forensics import Candidate, Scoring
from sr_bench.report.terminal.scoring_words import as_protocol

PSNR, SSIM = Scoring(window=""), Scoring(window="gaussian")


def declared(scoring: Scoring, change: str) -> str:
    way = Candidate(scoring, 30.0, ("realsr_seed at x4", "another"), (change,))
    return as_protocol(way, "ssim" if scoring.window else "psnr")


@pytest.mark.parametrize(
    ("scoring", "change", "key", "value"),
    [
        (replace(PSNR, border=3), "border", "border", 3),
        (replace(PSNR, aggregation="pooled"), "aggregation", "psnr_aggregation", "pooled"),
        (replace(PSNR, aggregation=16), "aggregation", "psnr_aggregation", 16),
        (replace(SSIM, aggregation="mean"), "aggregation", "ssim_aggregation", "mean"),
        (replace(SSIM, window="uniform7"), "window", "ssim_window", "uniform7"),
        (replace(PSNR, resize="pil_box"), "resize", "gt_resize", "pil_box"),
    ],
    ids=["border", "pooled", "batches", "mean", "window", "resize"],
)
def test_what_a_protocol_can_say_is_said_as_the_card_reads_it(
    scoring: Scoring, change: str, key: str, value: object
) -> None:
    line = declared(scoring, change)
    assert line.startswith('base = "realsr_seed", ')
    table = tomllib.loads(line.replace(", ", "\n"))
    assert getattr(parse_protocol("ours", table, where="here"), key) == value


@pytest.mark.parametrize(
    ("scoring", "change"),
    [
        (replace(PSNR, aggregation="median"), "aggregation"),
        (replace(PSNR, aggregation="last_image"), "aggregation"),
        (replace(SSIM, aggregation="pooled"), "aggregation"),
        (replace(PSNR, resize="crop"), "resize"),
        (replace(PSNR, peak=219.0), "peak"),
    ],
    ids=["median", "last", "pooled", "crop", "peak"],
)
def test_of_what_no_protocol_says_nothing_is_declared(scoring: Scoring, change: str) -> None:
    assert declared(scoring, change) == ""
