"""The images that a run kept explain its claim, and nothing outside of its results is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.record import Kept
from sr_bench.engine.explain.kept import explain_kept
from sr_bench.engine.score.protocol import score_pair
from sr_bench.errors import ImageError
from sr_bench.imaging.files import write_png
from tests.report.records import CLAIM

NAMES = ("a", "b", "c")
RNG = np.random.default_rng(0)
HRS = [RNG.integers(0, 256, (24, 28, 3)).astype(np.uint8) for _ in NAMES]
SRS = [hr ^ 7 for hr in HRS]
PAPER = load_protocol("paper_y")
PAIRS = list(zip(SRS, HRS, strict=True))
PSNR = np.mean([score_pair(*pair, PAPER, 2, ("psnr",))["psnr"] for pair in PAIRS])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for index, (sr, hr) in enumerate(PAIRS):
        write_png(tmp_path / "outputs/sr" / f"{index:04d}.png", sr)
        write_png(tmp_path / "outputs/pairs" / f"{index:04d}-hr.png", hr)
    return tmp_path


KEPT = Kept("outputs/sr", "outputs/pairs")


def test_the_images_of_a_run_explain_its_claim(results: Path) -> None:
    claim = replace(CLAIM, text=f"{PSNR:.4f}")
    answer = explain_kept(results, KEPT, NAMES, [claim], 2)
    assert answer.matches[0].protocols == ("paper_y",)
    assert (answer.metric, answer.images, answer.scales) == ("psnr", 3, (2,))
    assert any("HR was kept in the size" in note for note in answer.notes)


def test_an_image_that_is_gone_is_named(results: Path) -> None:
    (results / "outputs/pairs/0001-hr.png").unlink()
    with pytest.raises(ImageError, match=r"0001-hr\.png"):
        explain_kept(results, KEPT, NAMES, [CLAIM], 2)


@pytest.mark.parametrize("kept", [Kept("../sr", "outputs/pairs"), Kept("outputs/sr", "/etc")])
def test_a_record_cannot_point_outside_of_the_results(results: Path, kept: Kept) -> None:
    with pytest.raises(ImageError, match="expected a folder below"):
        explain_kept(results, kept, NAMES, [CLAIM], 2)
