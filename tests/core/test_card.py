"""A card answers which evaluation a row is about, and whether its number is a known gap."""

from pathlib import Path

import pytest

from sr_bench.core.card import Evaluation, KnownGap, ModelCard, SuiteCard
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol

FP32, FP16 = Precision.FP32, Precision.FP16
PAPER = Evaluation("div2k", EvalProtocol("paper"), precisions=(FP32,))
REST = Evaluation("div2k", EvalProtocol("rest"))
OTHER = Evaluation("set5", EvalProtocol("other"), claimed=False)


def card(*evaluations: Evaluation, gaps: tuple[KnownGap, ...] = ()) -> ModelCard:
    return ModelCard(
        "m", "zoo", Path("/z/zoo"), "M", "", 2, "edsr", evaluations=evaluations, known_gaps=gaps
    )


def test_the_first_claimed_evaluation_that_covers_the_precision_counts() -> None:
    model = card(OTHER, PAPER, REST)
    assert model.claimed_evaluation(FP32) is PAPER
    assert model.claimed_evaluation(FP16) is REST


@pytest.mark.parametrize("cell", ["", "-", "div2k", "div2k_x2"])
def test_a_dataset_cell_may_be_empty_or_carry_the_scale(cell: str) -> None:
    assert card(REST).claimed_evaluation(FP32, cell) is REST


@pytest.mark.parametrize("cell", ["div2k_x4", "set5"])
def test_a_dataset_that_no_claimed_evaluation_names_has_none(cell: str) -> None:
    assert card(REST, OTHER).claimed_evaluation(FP32, cell) is None


@pytest.mark.parametrize(
    ("told", "expected"), [("", "rest"), ("3x64x64", "rest"), ("multi_size", "whole")]
)
def test_rows_that_only_a_variant_tells_apart_may_have_an_evaluation_of_their_own(
    told: str, expected: str
) -> None:
    whole = Evaluation("div2k", EvalProtocol("whole"), variant="multi-size")
    evaluation = card(whole, REST).claimed_evaluation(FP32, "", told)
    assert evaluation
    assert evaluation.protocol.name == expected
    assert card(whole).claimed_evaluation(FP32) is None


def test_a_gap_is_of_one_metric_and_precision_and_if_it_says_so_of_one_dataset() -> None:
    wide = KnownGap("ssim", FP32, "why")
    narrow = KnownGap("psnr", FP32, "why", dataset="div2k")
    model = card(gaps=(wide, narrow))
    assert model.gap_for("ssim", FP32, "anything") is wide
    assert model.gap_for("psnr", FP32, "div2k") is narrow
    assert model.gap_for("psnr", FP32, "set5") is None
    assert model.gap_for("ssim", FP16, "div2k") is None


def test_a_gap_may_be_of_one_of_the_rows_that_share_a_label() -> None:
    gap = KnownGap("psnr", Precision.FP32, "of Matlab files", variant="Multi-size")
    model = card(gaps=(gap,))
    variants = ("multi_size", "3x64x64", "")
    found = [model.gap_for("psnr", "fp32", "set5", variant) for variant in variants]
    assert found == [gap, None, None]


def test_a_zoo_keeps_its_manifests_inside_its_suites_or_beside_them() -> None:
    suite = SuiteCard(Path("/z/zoo/card.toml"), "zoo", Path("/z/zoo/README.md"), ())
    places = ("/z/zoo/datasets", "/z/zoo", "/z/datasets", "/z")
    assert suite.manifest_folders == tuple(map(Path, places))
