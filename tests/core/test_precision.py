"""Every spelling of a precision that documents use is read as one of ours."""

import pickle

import pytest

from sr_bench.core.claim import Claim, Source
from sr_bench.core.codec import decode, encode
from sr_bench.core.precision import Precision


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("fp32", Precision.FP32),
        ("Float16", Precision.FP16),
        ("percentile int8", Precision("int8_percentile")),
        ("int8 kl_divergence", Precision("int8_kl")),
        ("INT8-Entropy", Precision("int8_kl")),
        ("int8_minmax", Precision("int8_max")),
        (" mse  int8 ", Precision("int8_mse")),
    ],
)
def test_order_case_separators_and_synonyms_do_not_matter(text: str, precision: Precision) -> None:
    assert Precision.parse(text) is precision


@pytest.mark.parametrize("text", ["", "int8", "int4_max", "fp32 fp16", "max"])
def test_an_unknown_precision_is_refused_with_the_valid_ones(text: str) -> None:
    with pytest.raises(ValueError, match="the valid ones are: fp32, fp16, int8_kl"):
        Precision.parse(text)


@pytest.mark.parametrize("precision", Precision.all())
def test_each_is_read_back_as_it_is_spelled(precision: Precision) -> None:
    assert Precision.parse(str(precision)) is precision


def test_there_is_one_object_of_each_precision_even_after_pickling() -> None:
    low = Precision("int8_kl")
    assert low is Precision(low) is pickle.loads(pickle.dumps(low))


def test_a_record_of_an_absent_observer_can_be_read() -> None:
    claim = Claim("psnr", "1", "M", "", Precision("int8_gone"), "", "", "", Source("R.md", 1, 1))
    assert decode(Claim, encode(claim)) == claim
    with pytest.raises(ValueError, match=r"unknown precision 'int8_gone'; .* int8_kl, int8_max"):
        Precision.parse("int8_gone")


def test_int8_names_its_calibration_and_the_others_have_none() -> None:
    assert (Precision("int8_kl").dtype, Precision("int8_kl").calibration) == ("int8", "kl")
    assert (Precision.FP16.dtype, Precision.FP16.calibration) == ("fp16", "")
    assert type(Precision.FP16.dtype) is str  # a YAML file holds it


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("INT8", "int8"),
        ("w8a8", "w8a8"),
        ("W8-A16", "w8a16"),
        ("w8a16_mixed_fp16", "w8a16_mixed_fp16"),
        ("a16w4", "w4a16"),
        ("BFloat16", "bf16"),
        ("Mixed Precision", "mixed"),
        ("int8 QAT", "int8_qat"),
        ("fp8_e4m3", "fp8_e4m3"),
        ("uint8", "uint8"),
        ("int8 kl_divergence", "int8_kl"),
        ("float32", "fp32"),
    ],
)
def test_what_a_document_prints_may_be_more_than_what_can_be_measured(
    text: str, spelled: str
) -> None:
    printed = Precision.parse_printed(text)
    assert printed == spelled
    assert printed is Precision(spelled) is pickle.loads(pickle.dumps(printed))
    assert printed.is_measured == (spelled in ("fp32", "int8_kl"))
    assert decode(Precision, encode(printed)) is printed


@pytest.mark.parametrize("text", ["", "w8", "int88", "int8 max kl", "x2", "max", "mixed up"])
def test_what_is_no_precision_in_any_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unknown precision"):
        Precision.parse_printed(text)


def test_an_int8_of_whichever_calibration_is_told_from_one_that_nothing_here_has() -> None:
    spelled = map(Precision, ("int8", "w8a8", "int8_ptq", "int8_qat", "int4", "int8_kl"))
    assert [str(one) for one in spelled if one.is_bare_int8] == ["int8", "w8a8", "int8_ptq"]
