"""What a document prints and nobody can measure is a case that says what to declare or to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.cards.load import load_card
from sr_bench.core.backend import BackendInfo
from sr_bench.core.case import Case
from sr_bench.core.claim import Blank, Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.document.tables import parse_document
from sr_bench.engine.plan.cases import latency_cases, plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.refusals import why_not_here
from sr_bench.engine.plan.suite import Suite

ONNX = 'onnx = "a.onnx"\n'
ON_SET5 = '[[model.evaluation]]\ndataset = "set5"\nprotocol = "paper_y"\n'
PRINTED = Claim(
    "psnr", "30.1", "A", "", Precision.FP32, "", "", "", Source("README.md", 3, 5), scale=2
)
HERE = BackendInfo("onnxruntime", "1.20", "cpu", emulated=False, note="")
CPU = "Acme Core 7 (R)"
TIMED = '[model.latency]\ndevice = "Acme Core*"\nshape = "3x90x160"\n'


@pytest.fixture
def cases(tmp_path: Path):
    def cases(*claims: Claim, card: str = ONNX + ON_SET5, **options: object) -> list[Case]:
        path = tmp_path / "card.toml"
        path.write_text(f'schema = 1\n[[model]]\nname = "a"\nrow = "A"\nscale = 2\n{card}')
        suite = load_card(path)
        document = parse_document("", "README.md")
        bound = Suite(suite, document, ((suite.models[0], claims),))
        return list(plan(bound, Selection(**options)))

    return cases


def about(**fields: object) -> Claim:
    return replace(PRINTED, **fields)


def here(case: Case, **options: object) -> str:
    return why_not_here(case, Selection(**options), HERE, CPU)


def test_a_metric_that_nothing_measures_is_a_case_that_says_so(cases) -> None:
    (case,) = cases(about(metric="top1", dataset="ImageNet 1k"))
    assert case.id == "a-fp32-ImageNet 1k-top1"
    assert case.refusal == "sr-bench does not measure 'top1'"
    assert (case.run_key, case.dataset) == ("", "ImageNet 1k")


def test_a_card_without_a_network_refuses_all_of_its_claims_and_times_nothing(cases) -> None:
    found = cases(PRINTED, about(metric="flops"), about(precision=Precision.FP16), card=ON_SET5)
    assert {case.refusal.partition(":")[0] for case in found} == {
        "the card gives no network for this model"
    }
    assert found[0].id == "a-fp32-set5_x2-psnr"  # as with a network: an id stays
    assert list(latency_cases(found, "onnxruntime")) == []


@pytest.mark.parametrize("printed", ["int8", "w8a8"])
def test_an_int8_without_a_calibration_needs_one_in_the_card(cases, printed: str) -> None:
    (case,) = cases(about(precision=Precision(printed)))
    assert f"the document prints {printed} and no calibration" in case.refusal
    assert 'observer = "kl" under [model.int8]' in case.refusal
    card = ONNX + '[model.int8]\nobserver = "kl_divergence"\n' + ON_SET5
    (case,) = cases(about(precision=Precision(printed)), card=card)
    assert (case.refusal, case.precision) == ("", Precision("int8_kl"))
    assert case.id == f"a-{printed}-set5_x2-psnr"


def test_rows_of_int8_with_and_without_a_calibration_are_two_items_of_one_run(cases) -> None:
    card = ONNX + '[model.int8]\nobserver = "kl"\n' + ON_SET5
    bare, named = (about(precision=Precision(text)) for text in ("int8", "int8_kl"))
    first, second = cases(bare, named, card=card)
    assert first.id != second.id
    assert first.run_key == second.run_key


@pytest.mark.parametrize("printed", ["int4", "w8a16", "bf16", "int8_qat"])
def test_a_precision_that_is_only_printed_is_refused_but_not_a_cost_in_its_row(
    cases, printed: str
) -> None:
    precision = Precision(printed)
    image, cost = cases(about(precision=precision), about(metric="params", precision=precision))
    assert image.refusal.startswith(f"nothing here computes in {printed}; what can be measured: fp")
    assert cost.refusal == ""


def test_no_gate_and_no_time_is_asked_of_what_is_refused(cases) -> None:
    limits = "min_fidelity_db = 30\nmax_drop_db = 1\nmax_drop_ssim = 1\n"
    card = ONNX + ON_SET5 + "[model.gate]\n" + limits
    claims = [about(precision=Precision(text)) for text in ("int4", "fp16")]
    found = cases(*claims, card=card)
    assert [case.id for case in found if case.metric == "fidelity"] == ["a-fp16-set5_x2-fidelity"]
    assert [case.precision for case in latency_cases(found, "onnxruntime")] == ["fp16"]


def test_a_dataset_that_no_evaluation_has_is_refused_with_what_to_add(cases) -> None:
    (case,) = cases(about(dataset="DIV2K100"))
    assert case.refusal == (
        "no [[model.evaluation]] of the card covers PSNR of fp32 on 'DIV2K100': add one, with"
        ' printed = "DIV2K100" if its folder has another name'
    )
    card = ONNX + ON_SET5 + 'printed = "div2k 100"\n'
    (case,) = cases(about(dataset="DIV2K100"), card=card)
    assert (case.refusal, case.id) == ("", "a-fp32-set5_x2-psnr")


def test_device_and_variant_tell_ids_apart_and_an_id_without_them_stays(cases) -> None:
    card = ONNX + ON_SET5 + '[model.devices]\n"Samsung S25" = "*"\n'
    found = cases(PRINTED, about(device="Samsung S25"), about(variant="3x720x1280"), card=card)
    assert [case.id for case in found] == [
        "a-fp32-set5_x2-psnr",
        "a-Samsung_S25-fp32-set5_x2-psnr",
        "a-3x720x1280-fp32-set5_x2-psnr",
    ]


def test_a_number_of_a_device_is_judged_only_on_the_one_that_the_card_declares(cases) -> None:
    claim = about(device="Acme phone")
    (case,) = cases(claim)
    assert "the document prints PSNR on 'Acme phone': name it in the card" in case.refusal
    (case,) = cases(claim, card=ONNX + ON_SET5 + '[model.devices]\n"Acme phone" = "cuda"\n')
    assert here(case) == f"this number is of Acme phone; this session runs on {CPU}"
    (case,) = cases(claim, card=ONNX + ON_SET5 + '[model.devices]\n"Acme phone" = "acme core*"\n')
    assert here(case) == ""


@pytest.mark.parametrize("metric", ["latency", "fps", "memory"])
def test_a_time_needs_its_device_in_the_card_and_the_option_in_the_session(
    cases, metric: str
) -> None:
    (case,) = cases(about(metric=metric), card=ONNX)
    assert case.refusal.endswith(
        " and no device and no input size: say it in the card, under [model.latency], such as"
        ' device = "AMD EPYC*", shape = "3x256x256"'
    )
    (case,) = cases(about(metric=metric, shape="3x64x96"), card=ONNX)
    assert case.refusal.endswith(
        'no device: say it in the card, under [model.latency], such as device = "AMD EPYC*"'
    )
    (case,) = cases(about(metric=metric), card=ONNX + TIMED)
    assert here(case) == "latency is measured with --sr-latency"
    assert here(case, latency=True) == ""
    assert case.id == f"a-fp32-{metric}"  # not the id of what is timed and nobody prints


def test_a_time_is_of_the_shape_and_the_batch_that_are_printed_or_that_the_card_says(cases) -> None:
    on_core = ONNX + '[model.latency]\ndevice = "acme core*"\n'
    (case,) = cases(about(metric="fps", shape="3x64x96", variant="Batch Size=8"), card=on_core)
    assert (case.shape, case.batch, here(case, latency=True)) == ("3x64x96", 8, "")
    batched = ONNX + TIMED + "batch = 4\n"
    (case,) = cases(about(metric="fps"), card=batched)
    assert (case.shape, case.batch) == ("3x90x160", 4)
    (case,) = cases(about(metric="fps", shape="160x90"), card=batched)  # the width first
    assert (case.shape, here(case, latency=True)) == ("3x90x160", "")
    blank = Blank("fps", Precision.FP32, "", "", Source("README.md", 3, 5), shape="3x64x96")
    assert replace(case, claim=None, blank=blank).shape == "3x90x160"
    asked = replace(case.card, latency=replace(case.card.latency, shape=None))
    assert replace(case, card=asked, claim=None, blank=blank).shape == "3x64x96"
    (case,) = cases(about(metric="fps", shape="1x3x720x1280"), card=batched)
    assert here(case, latency=True) == (
        "this number is of 1x3x720x1280, and 3x90x160 is timed: shape under [model.latency] sets it"
    )
    (case,) = cases(about(metric="fps", shape="16x3x64x96"), card=on_core)
    assert (case.shape, case.batch, here(case, latency=True)) == ("3x64x96", 16, "")
    (case,) = cases(about(metric="fps", variant="b8"), card=batched)
    assert here(case, latency=True) == (
        "this number is of a batch of 8, and one of 4 is timed: batch under [model.latency] sets it"
    )


@pytest.mark.parametrize(
    ("printed", "timed"), [("", "3x90x160"), ("160x90", "3x90x160"), ("3x64x96", "3x64x96")]
)
def test_the_only_size_that_a_network_takes_may_be_printed_with_the_width_first(
    cases, printed: str, timed: str
) -> None:
    card = ONNX + '[model.latency]\ndevice = "X"\n[model.input]\nsize = [90, 160]\n'
    (case,) = cases(about(metric="fps", shape=printed), card=card)
    assert (case.refusal, case.shape) == ("", timed)


def test_a_time_is_judged_on_no_device_but_its_own(cases) -> None:
    elsewhere = ONNX + TIMED.replace("Acme Core*", "Acme Core 9*")
    (case,) = cases(about(metric="latency"), card=elsewhere)
    assert here(case, latency=True) == f"this number is of Acme Core 9*; this session runs on {CPU}"
    blank = Blank("latency", Precision.FP32, "", "", Source("README.md", 3, 5))
    assert "of Acme Core 9*" in here(replace(case, claim=None, blank=blank), latency=True)
    printed = about(metric="latency", device="My board", shape="3x64x64")
    named = '[model.devices]\n"My board" = "NVIDIA H200"\n'
    (case,) = cases(printed, card=ONNX + named)
    gpu = replace(HERE, device="cuda", hardware="NVIDIA T4")
    assert why_not_here(case, Selection(latency=True), gpu, CPU) == (
        "this number is of My board, NVIDIA H200; this session runs on NVIDIA T4"
    )
    its_own = replace(gpu, hardware="NVIDIA H200")
    assert why_not_here(case, Selection(latency=True), its_own, CPU) == ""
    kind = replace(case, card=replace(case.card, devices={"My board": "npu"}))
    npu = replace(HERE, device="npu", hardware="NPU 9")
    assert why_not_here(kind, Selection(latency=True), npu, CPU).endswith("runs on NPU 9")
    (case,) = cases(printed, card=ONNX + named.replace("NVIDIA H200", "cuda"))
    assert case.refusal.startswith("latency is compared on one device alone, and 'cuda' of the")


def test_a_time_of_another_backend_says_so(cases) -> None:
    (case,) = cases(about(metric="latency"), card=ONNX + TIMED + 'backend = "ncnn"\n')
    assert here(case, latency=True) == "this row claims a ncnn number; rerun with --backend=ncnn"


def test_the_size_of_a_model_is_known_of_the_file_that_the_card_names(cases) -> None:
    size = about(metric="model_size", device="any phone")
    others = replace(size, precision=Precision.FP16), replace(size, backend="vacc")
    here, low, device = cases(size, *others)
    assert here.refusal == ""
    assert "no ONNX file of fp16" in low.refusal
    assert "no file of the card" in device.refusal


def test_rows_of_a_backend_that_does_not_exist_say_so(cases) -> None:
    (case,) = cases(about(backend="tflite"))
    assert here(case) == (
        "this row claims a tflite number; no backend has that name, only mnn, ncnn,"
        " onnxruntime, openvino, replay, torch, tract, vacc"
    )
    (case,) = cases(about(backend="vacc"))
    assert here(case) == "this row claims a vacc number; rerun with --backend=vacc"


def test_two_tables_that_print_one_number_have_an_item_for_each(cases) -> None:
    first, second = cases(PRINTED, about(dataset="Set-5", text="30.12"))
    assert [first.id, second.id] == ["a-fp32-set5_x2-psnr", "a-fp32-set5_x2-psnr-2"]
    assert first.run_key == second.run_key


def test_a_backend_may_be_printed_in_two_words(cases) -> None:
    (case,) = cases(about(backend="onnx runtime"))
    assert here(case) == ""


def test_a_replay_answers_for_the_device_that_was_recorded(cases) -> None:
    card = ONNX + ON_SET5 + '[model.devices]\n"Acme phone" = "vacc"\n'
    (case,) = cases(about(device="Acme phone"), card=card)
    replayed = replace(HERE, device="vacc, replayed")
    assert why_not_here(case, Selection(), replayed, CPU) == ""
    assert "runs on emulated" in why_not_here(
        case, Selection(), replace(HERE, device="emulated"), CPU
    )
