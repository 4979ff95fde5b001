"""Ids are greppable, and cases that one run answers share a key."""

from dataclasses import replace
from pathlib import Path

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol

CARD = ModelCard(
    "edsr_baseline_x2", "edsr", Path("/z/edsr"), "M", "", 2, "edsr", counted_shape=(3, 24, 32)
)
ON_DIV2K = Evaluation("div2k_valid", EvalProtocol("p"))
INT8 = Case(CARD, "psnr", Precision("int8_percentile"), "onnxruntime", ON_DIV2K)


def test_an_id_names_model_precision_dataset_and_metric() -> None:
    assert INT8.id == "edsr_baseline_x2-int8_percentile-div2k_valid_x2-psnr"


def test_the_id_of_flops_names_their_shape_and_that_of_params_none() -> None:
    flops = Case(CARD, "flops", Precision.FP32, "torch")
    assert flops.id == "edsr_baseline_x2-fp32-3x24x32-flops"
    assert replace(flops, metric="params").id == "edsr_baseline_x2-fp32-params"


def test_a_claim_about_a_backend_carries_its_word() -> None:
    source = Source("README.md", 1, 1)
    claim = Claim("psnr", "1.0", "M", "", Precision("int8_percentile"), "vacc", "", "", source)
    case = replace(INT8, claim=claim)
    assert case.id == "edsr_baseline_x2-vacc-int8_percentile-div2k_valid_x2-psnr"


def test_cost_claims_of_rows_that_differ_in_their_dataset_are_told_apart() -> None:
    claims = [
        Claim("params", "1.0", "M", "", Precision.FP32, "", "", dataset, Source("README.md", 1, 1))
        for dataset in ("set5", "set14")
    ]
    ids = [Case(CARD, "params", Precision.FP32, "torch", None, claim).id for claim in claims]
    assert ids == ["edsr_baseline_x2-fp32-set5-params", "edsr_baseline_x2-fp32-set14-params"]


def test_metrics_of_one_run_share_a_key_and_all_else_separates_them() -> None:
    others = (
        replace(INT8, precision=Precision.FP16),
        replace(INT8, backend="torch"),
        replace(INT8, evaluation=Evaluation("set5", EvalProtocol("p"))),
        replace(INT8, evaluation=Evaluation("div2k_valid", EvalProtocol("q"))),
        replace(INT8, card=replace(CARD, name="edsr_x2")),
        replace(INT8, card=replace(CARD, family="other")),
    )
    assert replace(INT8, metric="ssim").run_key == INT8.run_key
    assert len({INT8.run_key, *(case.run_key for case in others)}) == len(others) + 1


def test_a_cost_metric_has_no_run() -> None:
    assert Case(CARD, "flops", Precision.FP32, "torch").run_key == ""
