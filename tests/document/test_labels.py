"""Labels name a model, a backend and a precision."""

import pytest

from sr_bench.core.precision import Precision
from sr_bench.document.labels import Label, read_label
from sr_bench.errors import DocumentError


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("[LESRCNN_x2](https://example.org/LESRCNN)", Label("LESRCNN_x2")),
        ("**EDSR** large", Label("EDSR large")),
        ("**EDSR_x2**", Label("EDSR_x2")),
        ("EDSR max", Label("EDSR max")),
        ("torch", Label("torch")),
        ("fp16", Label("fp16")),
    ],
)
def test_a_model_row_names_its_model_alone(source: str, label: Label) -> None:
    assert read_label(source, where="x.md:1:1") == label


@pytest.mark.parametrize(
    ("source", "model", "backend", "precision"),
    [
        ("LESRCNN_x2 **vacc percentile int8**", "LESRCNN_x2", "vacc", Precision("int8_percentile")),
        ("DF2K **vacc int8 kl_divergence**", "DF2K", "vacc", Precision("int8_kl")),
        ("ESRGAN_x4 **vacc fp16**", "ESRGAN_x4", "vacc", Precision.FP16),
        ("RCAN **vacc max int8**", "RCAN", "vacc", Precision("int8_max")),
        ("RCAN **vacc-emulated int8 kl**", "RCAN", "vacc-emulated", Precision("int8_kl")),
        ("RCAN **onnxruntime fp16**", "RCAN", "onnxruntime", Precision.FP16),
        ("RCAN **onnxruntime**", "RCAN", "onnxruntime", Precision.FP32),
        ("RCAN **fp16**", "RCAN", "", Precision.FP16),
        ("RCAN *VACC INT8_MSE*", "RCAN", "vacc", Precision("int8_mse")),
        ("[RCAN](u) **vacc** **fp16**", "RCAN", "vacc", Precision.FP16),
        ("RCAN vacc int8 max", "RCAN", "vacc", Precision("int8_max")),
        ("RCAN Float16", "RCAN", "", Precision.FP16),
        ("EDSR max vacc fp16", "EDSR max", "vacc", Precision.FP16),
        ("EDSR baseline `entropy int8`", "EDSR baseline", "", Precision("int8_kl")),
    ],
)
def test_a_precision_row_names_all_three(
    source: str, model: str, backend: str, precision: Precision
) -> None:
    assert read_label(source, where="x.md:1:1") == Label(model, backend, precision, qualified=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("RCAN **vac fp16**", r"'vac' is neither a backend \(.*vacc.*\) nor part of a precision"),
        ("RCAN **fp61**", "'fp61' is neither a backend"),
        ("RCAN **vacc int8**", "int8 needs its calibration .* kl, max, mse, percentile"),
        ("RCAN vacc int8", "int8 needs its calibration"),
        ("RCAN **max**", "unknown precision 'max'; the valid ones are: fp32"),
        ("RCAN **fp16 int8 max**", "unknown precision 'fp16 int8 max'"),
        ("RCAN **torch vacc fp16**", "at most one backend, got torch, vacc"),
        ("", "expected a model's name in the first column, got an empty cell"),
    ],
)
def test_a_label_that_cannot_be_read_is_refused_with_its_place(source: str, message: str) -> None:
    with pytest.raises(DocumentError, match=rf"^zoo/README\.md:80:3: .*{message}"):
        read_label(source, where="zoo/README.md:80:3")


def test_a_label_of_thousands_of_precision_words_is_read_by_its_last_ones() -> None:
    assert read_label("RCAN " + "int8 max " * 3000, where="x").precision is Precision("int8_max")
    assert read_label("fp16 " * 3000, where="x").model.startswith("fp16 fp16")
