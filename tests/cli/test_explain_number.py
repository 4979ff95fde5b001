"""``sr-bench explain-number`` says which way of scoring leads to a printed number."""

from pathlib import Path

import numpy as np
import pytest

from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.protocol import score_pair
from sr_bench.imaging.files import write_levels, write_png

LUMA = EvalProtocol("luma", colour="y_float", border=3)


def image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (36, 40, 3)).astype(np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, Path, str, Path]:
    for seed, name in enumerate("ab"):
        write_png(tmp_path / "hr" / f"{name}.png", image(seed))
        write_png(tmp_path / "sr" / f"{name}_x3.png", image(seed) ^ (5 + seed))
    return "--sr", tmp_path / "sr", "--hr", tmp_path / "hr"


def luma(metric: str = "psnr") -> float:
    return float(
        np.mean(
            [
                score_pair(image(seed) ^ (5 + seed), image(seed), LUMA, 3, (metric,))[metric]
                for seed in range(2)
            ]
        )
    )


NAMES = ("--sr-name", "{stem}_x3")


def test_the_protocol_of_a_number_is_named(sr_bench, folders) -> None:
    result = sr_bench("explain-number", f"{luma():.4f}", *folders, *NAMES, "--scale=3")
    assert (result.code, result.err) == (0, "")
    assert "ways of scoring 2 images give PSNR" in result.out
    row = next(line for line in result.out.splitlines() if f"{luma():.6f}" in line)
    assert row.split()[1:] == ["rounded", row.split()[2], "paper_y"]


def test_ssim_is_known_by_its_size_and_psnr_by_the_option(sr_bench, folders) -> None:
    args = (*folders, *NAMES, "--scale=3", "--json")
    explained = sr_bench("explain-number", f"{luma('ssim'):.6f}", *args).json
    assert explained["metric"] == "ssim"
    assert "paper_y" in [name for match in explained["matches"] for name in match["protocols"]]
    asked = sr_bench("explain-number", "0.5", *args, "--metric=psnr").json
    assert (asked["metric"], asked["matches"]) == ("psnr", [])
    assert len(asked["nearest"]) == 3


def test_numbers_of_a_row_count_together(sr_bench, folders) -> None:
    row = (f"{luma():.2f}", f"{luma('ssim'):.4f}")
    result = sr_bench("explain-number", *row, *folders, *NAMES, "--scale=3")
    assert result.out.startswith("explained: ")
    assert f"PSNR {row[0]} dB beside SSIM {row[1]}" in result.out.splitlines()[0]
    assert f"{luma():.4f}, {luma('ssim'):.6f}" in result.out


def test_without_a_scale_the_ones_that_were_tried_are_listed(sr_bench, folders) -> None:
    result = sr_bench("explain-number", f"{luma():.4f}", *folders, *NAMES)
    assert "paper_y at x3" in result.out
    assert "no scale was given; borders that follow it were tried for x2, x3, x4" in result.out


def test_outputs_of_16_bits_are_scored_rounded_and_truncated(sr_bench, folders) -> None:
    for seed, name in enumerate("ab"):
        levels = (image(seed) ^ (5 + seed)).astype(np.float32)
        write_levels(folders[1] / f"{name}_x3.png", levels)
    result = sr_bench("explain-number", "30", *folders, *NAMES, "--json")
    assert result.json["notes"] == []
    assert result.json["tried"] > 5000


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("thirty",), 2, "'thirty': expected a number as it is printed"),
        (("30", "--scale=0"), 2, "--scale 0: expected an upscaling factor"),
        (
            ("30", "--metric=flops"),
            2,
            "--metric 'flops' is unknown; the valid ones are: psnr, ssim",
        ),
        (
            ("30", "--sr-name={stem}_x4"),
            1,
            "expected images named '{stem}_x4', got 2 of other names",
        ),
    ],
)
def test_a_wrong_option_says_what_was_expected(sr_bench, folders, args, code, message) -> None:
    result = sr_bench("explain-number", *folders, *NAMES, *args)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


def test_a_corrupt_image_is_named(sr_bench, folders) -> None:
    (folders[3] / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    result = sr_bench("explain-number", "30", *folders, *NAMES)
    assert result.code == 1
    assert "b.png" in result.err


def test_progress_is_for_people_who_wait(sr_bench, folders, monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    result = sr_bench("explain-number", "30", *folders, *NAMES, "--json")
    shown = [line.rstrip() for line in result.err.splitlines()]
    assert shown == ["scored 1 of 2 images", "scored 2 of 2 images"]
    assert result.err.endswith("\n")
    assert result.json["images"] == 2
