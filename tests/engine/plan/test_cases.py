"""The cases of a session: one for each claim, and what was asked for beyond them."""

from pathlib import Path

import pytest

from sr_bench.core.case import Case
from sr_bench.core.precision import Precision
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite

README = """
| Models | Flops(G) | PSNR(dB) | SSIM |
| :-- | --: | --: | --: |
| A | 1.0 | 30.1 | 0.9 |
| A **vacc int8 max** | - | 29 | - |
| B | - | 25.5 | - |
"""
CARD = """
schema = 1
[[model]]
name = "b"
row = "B"
scale = 4
architecture = "edsr"
evaluation = [{ dataset = "div2k_valid", protocol = "native_rgb" }]
[[model]]
name = "a"
row = "A"
scale = 2
architecture = "edsr"
[[model.evaluation]]
dataset = "div2k_valid"
protocol = "native_rgb"
[[model.evaluation]]
dataset = "set5"
protocol = "paper_y"
claimed = false
"""
CLAIMS_OF_A = [
    "a-fp32-3x256x256-flops",
    "a-fp32-div2k_valid_x2-psnr",
    "a-fp32-div2k_valid_x2-ssim",
    "a-vacc-int8_max-div2k_valid_x2-psnr",
]
CLAIM_OF_B = "b-fp32-div2k_valid_x4-psnr"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("zoo")
    (folder / "README.md").write_text(README)
    (folder / "card.toml").write_text(CARD)
    return load_suite(folder / "card.toml")


def ids(suite, **options: object) -> list[str]:
    return [case.id for case in plan(suite, Selection(**options))]


def case(suite, name: str, **options: object) -> Case:
    return next(case for case in plan(suite, Selection(**options)) if case.id == name)


def test_there_is_one_case_for_each_claim_in_the_order_of_the_document(suite) -> None:
    assert ids(suite) == [*CLAIMS_OF_A, CLAIM_OF_B]
    places = [case.claim.source for case in plan(suite, Selection())]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("patterns", "expected"), [(("a",), CLAIMS_OF_A), (("[b]",), [CLAIM_OF_B]), (("c*",), [])]
)
def test_models_are_chosen_by_pattern(suite, patterns, expected) -> None:
    assert ids(suite, models=patterns) == expected


def test_a_requested_precision_without_a_claim_is_a_new_case(suite) -> None:
    case_ids = ids(suite, models=("a",), precisions=(Precision.FP16,))
    assert case_ids == ["a-fp16-div2k_valid_x2-psnr", "a-fp16-div2k_valid_x2-ssim"]
    new = case(suite, case_ids[0], precisions=(Precision.FP16,))
    assert new.claim is None
    assert new.evaluation.protocol.name == "native_rgb"


def test_what_the_document_has_a_number_for_is_not_asked_twice(suite) -> None:
    case_ids = ids(suite, models=("a",), precisions=(Precision.FP32,))
    assert case_ids == CLAIMS_OF_A[:3]


def test_a_claim_about_another_backend_does_not_answer_a_request(suite) -> None:
    request = {"models": ("a",), "precisions": (Precision("int8_max"),)}
    assert ids(suite, backend="vacc", **request) == [
        "a-vacc-int8_max-div2k_valid_x2-psnr",
        "a-int8_max-div2k_valid_x2-ssim",
    ]
    assert "a-int8_max-div2k_valid_x2-psnr" in ids(suite, backend="torch", **request)


def test_a_dataset_of_the_card_is_measured_by_its_own_protocol(suite) -> None:
    case_ids = ids(suite, models=("a",), datasets=("set5",))
    assert case_ids == ["a-fp32-set5_x2-psnr", "a-fp32-set5_x2-ssim"]
    assert case(suite, case_ids[0], datasets=("set5",)).evaluation.protocol.name == "paper_y"


def test_another_dataset_is_measured_by_the_protocol_of_the_claims(suite) -> None:
    case_ids = ids(suite, models=("b",), datasets=("photos",))
    assert case_ids == ["b-fp32-photos_x4-psnr", "b-fp32-photos_x4-ssim"]
    new = case(suite, case_ids[0], datasets=("photos",))
    assert (new.evaluation.protocol.name, new.evaluation.claimed) == ("native_rgb", False)


def test_a_dataset_at_another_scale_is_not_for_this_model(suite) -> None:
    assert ids(suite, datasets=("photos_x4",)) == ["b-fp32-photos_x4-psnr", "b-fp32-photos_x4-ssim"]


def test_naming_a_dataset_leaves_out_cost_and_keeps_its_claims(suite) -> None:
    case_ids = ids(suite, datasets=("div2k_valid_x2",))
    assert case_ids == CLAIMS_OF_A[1:]


@pytest.mark.parametrize(
    "twice",
    [{"datasets": ("set5", "set5_x2")}, {"precisions": (Precision.FP16, Precision.FP16)}],
)
def test_what_is_named_twice_is_measured_once(suite, twice) -> None:
    case_ids = ids(suite, **twice)
    assert case_ids
    assert len(case_ids) == len(set(case_ids))


GATE = "\n[model.gate]\nmin_fidelity_db = 45\nmax_drop_db = 0.1\nmax_drop_ssim = 0.005\n"


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory):
    """Return the suite with a gate for model a."""
    folder: Path = tmp_path_factory.mktemp("gated")
    (folder / "README.md").write_text(README)
    (folder / "card.toml").write_text(CARD + GATE)
    return load_suite(folder / "card.toml")


def gates(suite, **options: object) -> list[str]:
    return [name for name in ids(suite, **options) if name.endswith("-fidelity")]


def test_a_gate_goes_with_each_low_precision_and_dataset_that_is_measured(gated) -> None:
    assert gates(gated, backend="vacc") == ["a-int8_max-div2k_valid_x2-fidelity"]
    request = {"precisions": (Precision.FP16, Precision.FP32), "datasets": ("set5", "div2k_valid")}
    assert gates(gated, **request) == [
        "a-fp16-set5_x2-fidelity",
        "a-fp16-div2k_valid_x2-fidelity",
    ]


def test_a_row_about_another_backend_brings_no_gate(gated) -> None:
    assert gates(gated, backend="onnxruntime") == []


def test_there_is_no_gate_without_limits_or_when_it_is_off(suite, gated) -> None:
    request = {"precisions": (Precision.FP16,)}
    assert gates(suite, **request) == []
    assert gates(gated, gate="off", **request) == []


def test_blank_cells_are_measured_if_asked(suite):
    blanks = [case for case in plan(suite, Selection(blanks=True)) if case.blank]
    assert [case.id for case in blanks] == [
        "b-fp32-3x256x256-flops",
        "b-fp32-div2k_valid_x4-ssim",
    ]
    assert [(case.place.line, case.place.column) for case in blanks] == [(6, 7), (6, 18)]
    assert not any(case.claim for case in blanks)


def test_a_blank_cell_of_a_devices_row_is_for_that_backend(suite):
    request = Selection(blanks=True, backend="vacc")
    assert "a-int8_max-div2k_valid_x2-ssim" in [case.id for case in plan(suite, request)]


def test_a_blank_cell_and_a_named_precision_are_one_case(suite):
    expected = ids(suite, blanks=True, backend="vacc", precisions=(Precision("int8_max"),))
    assert expected.count("a-int8_max-div2k_valid_x2-ssim") == 1


def test_a_precision_row_is_not_asked_for_its_cost(suite):
    assert not any("int8" in case and "flops" in case for case in ids(suite, blanks=True))
