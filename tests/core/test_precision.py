"""Every spelling of a precision that documents use is read as one of ours."""

import pytest

from sr_bench.core.precision import Precision


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("fp32", Precision.FP32),
        ("Float16", Precision.FP16),
        ("percentile int8", Precision.INT8_PERCENTILE),
        ("int8 kl_divergence", Precision.INT8_KL),
        ("INT8-Entropy", Precision.INT8_KL),
        ("int8_minmax", Precision.INT8_MAX),
        (" mse  int8 ", Precision.INT8_MSE),
    ],
)
def test_order_case_separators_and_synonyms_do_not_matter(text: str, precision: Precision) -> None:
    assert Precision.parse(text) is precision


@pytest.mark.parametrize("text", ["", "int8", "int4_max", "fp32 fp16", "max"])
def test_what_is_none_is_refused_with_the_valid_ones(text: str) -> None:
    with pytest.raises(ValueError, match="the valid ones are: fp32, fp16, int8_max"):
        Precision.parse(text)


@pytest.mark.parametrize("precision", Precision)
def test_each_is_read_back_as_it_is_spelled(precision: Precision) -> None:
    assert Precision.parse(str(precision)) is precision


def test_int8_names_its_calibration_and_the_others_have_none() -> None:
    assert (Precision.INT8_KL.dtype, Precision.INT8_KL.calibration) == ("int8", "kl")
    assert (Precision.FP16.dtype, Precision.FP16.calibration) == ("fp16", "")
