"""Columns of losses are held against the values beside them, and values that read like losses."""

from pathlib import Path

import pytest

from sr_bench.lint.finding import Severity
from tests.lint.pages import look, of, page

COLUMNS = "Model | Float PSNR | Hardware PSNR | PSNR drop"


@pytest.mark.parametrize(
    ("row", "count"),
    [
        ("31.20 | 30.80 | 0.40", 0),
        ("31.20 | 30.80 | -0.40", 0),
        ("31.20 | 30.80 | 0.41", 0),  # cut off, not rounded
        ("31.20 | 30.80 | 1.28", 0),  # in percent
        ("31.20 | 30.80 | 0.90", 1),
        ("31.20 | - | 0.90", 0),
        ("31.20 | 30.80 | -", 0),
    ],
)
def test_a_loss_must_be_the_difference_of_the_values_beside_it(
    tmp_path: Path, row: str, count: int
) -> None:
    findings = of(look(tmp_path, page(f"Net | {row}", columns=COLUMNS)), "SRB111")
    assert len(findings) == count
    assert all("31.20 dB and 30.80 dB differ by 0.40" in finding.message for finding in findings)


def test_the_loss_of_a_low_precision_row_is_that_of_its_own_value(tmp_path: Path) -> None:
    rows = ("Net | 31.20 | -", "Net **fp16** | 31.10 | 0.10", "Net **max int8** | 30.00 | 0.10")
    text = page(*rows, columns="Model | PSNR | PSNR loss")
    assert [one.source.line for one in of(look(tmp_path, text), "SRB111")] == [5]


def test_the_loss_of_a_metric_that_nothing_measures_is_held_against_it_too(tmp_path: Path) -> None:
    text = page("Net | 76.2 | 75.1 | 0.1", columns="Model | FP32 top1 | INT8 top1 | top1 loss")
    (finding,) = of(look(tmp_path, text), "SRB111")
    assert "76.2 and 75.1 differ by 1.1" in finding.message


@pytest.mark.parametrize(("header", "loss", "count"), [("Drop", "0.9", 1), ("掉点", "0.4", 0)])
def test_a_header_of_a_loss_alone_is_of_the_one_metric_with_two_values(
    tmp_path: Path, header: str, loss: str, count: int
) -> None:
    columns = f"Model | FP32 PSNR | INT8 PSNR | {header} | FPS"
    findings = of(
        look(tmp_path, page(f"Net | 31.20 | 30.80 | {loss} | 5", columns=columns)), "SRB111"
    )
    assert [finding.severity for finding in findings] == [Severity.NOTE] * count


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [("0.4", "0.3", 1), ("-0.4", "0.3", 1), ("0.4", "30.9", 0), ("6.0", "0.3", 0)],
)
def test_a_column_of_values_that_all_read_like_losses_is_found(
    tmp_path: Path, first: str, second: str, count: int
) -> None:
    rows = (f"A | 31.2 | {first}", f"B | 32.2 | {second}")
    text = page(*rows, columns="Model | FP32 PSNR | INT8 max PSNR")
    other = page("C | 31.2 | 30.8", columns="Model | FP32 PSNR | INT8 max PSNR")
    findings = of(look(tmp_path, f"{text}\n{other}"), "SRB112")
    assert len(findings) == count
    assert all(finding.message.endswith("likewise 1 more row") for finding in findings)
