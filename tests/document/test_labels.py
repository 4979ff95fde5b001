"""Labels name a model, a backend and a precision."""

import pytest

from sr_bench.core.precision import Precision
from sr_bench.document.labels import Label, precision_twins, read_label, scale_of
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
        *((name, Label(name)) for name in ("EDSR+", "C++", "EDSR-fp16", "EDSR half", "A*B")),
        ("HAT<sup>+</sup>", Label("HAT+")),
        ("SR<sup>3</sup>Net", Label("SR3Net")),
        ("**EDSR** *(ours)*", Label("EDSR (ours)")),
        ("EDSR **ours**", Label("EDSR ours")),
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
        ("RCAN **vacc_int8_percentile**", "RCAN", "vacc", Precision("int8_percentile")),
        ("RCAN **vacc_int8_kl_divergence**", "RCAN", "vacc", Precision("int8_kl")),
        ("RCAN **vacc int8**", "RCAN", "vacc", Precision("int8")),
        ("RCAN w8a8", "RCAN", "", Precision("w8a8")),
        ("RCAN INT8", "RCAN", "", Precision("int8")),
        ("RCAN float", "RCAN", "", Precision.FP32),
        ("RCAN（FP16）", "RCAN", "", Precision.FP16),  # noqa: RUF001
        ("RCAN (ONNX, bf16)", "RCAN", "onnx", Precision("bf16")),
        ("RCAN INT8 (percentile)", "RCAN", "", Precision("int8_percentile")),
        ("RCAN(INT8, vacc)", "RCAN", "vacc", Precision("int8")),
        ("RCAN - TensorRT fp16", "RCAN", "tensorrt", Precision.FP16),
    ],
)
def test_a_precision_row_names_all_three(
    source: str, model: str, backend: str, precision: Precision
) -> None:
    label = read_label(source, where="x.md:1:1")
    assert label == Label(model, backend, precision)


@pytest.mark.parametrize(
    ("source", "mark"),
    [
        *(("[RCAN*](u)", "*"), ("RCAN†", "†"), ("RCAN ‡", "‡"), ("RCAN¹", "¹"), ("RCAN**", "**")),
        *(("RCAN [1]", "[1]"), ("RCAN[^a]", "[^a]"), ("[RCAN](u) [[3]](v)", "[3]")),
        *(("RCAN<sup>1</sup>", "[^1]"), ("RCAN<sup>*</sup>", "[^*]"), (r"RCAN\*", "*")),
        (r"RCAN$^\dagger$", r"$^\dagger$"),
        *(("RCAN<sup>(1)</sup>", "[^1]"), ("RCAN<sup>1, 2</sup>", "[^1][^2]"), ("RCAN (*)", "(*)")),
        *(("RCAN :fire:", ":fire:"), ("RCAN&dagger;", "†"), ("RCAN $^{1}$", "$^{1}$")),
        ("RCAN* **vacc fp16**", "*"),
        ("RCAN* (fp16)", "*"),
    ],
)
def test_a_footnote_mark_is_no_part_of_the_name(source: str, mark: str) -> None:
    label = read_label(source, where="x.md:1:1")
    assert (label.model, label.mark) == ("RCAN", mark)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        *(("bicubic_plusplus_3x", 3), ("CARN (x2)", 2), ("Real_x4plus_anime_6B", 4), ("Net-×8", 8)),  # noqa: RUF001
        *(("EDSR_Mx2_f64b16", 2), ("general-x4v3", 4), ("MDSR_x2_x3_x4", 0), ("ResNeXt_32x4d", 0)),
        *(("EDSRx2", 2), ("edsr_x2c64b16_1x16_300k_div2k", 2), ("EDSR_x1", 1), ("RDN_x16", 16)),
        *(("owl (scale: 4)", 4), ("owl, Scale = 3", 3), ("grayscale: 2", 0), ("owl scale: 2.5", 0)),
        *(("PPLCNet_x2_5", 0), ("shufflenet_x2.0", 0), ("3x128x128", 0), ("EDSR", 0)),
    ],
)
def test_a_scale_is_read_of_a_name_and_stays_in_it(name: str, scale: int) -> None:
    assert (read_label(name, where="x.md:1:1").model, scale_of(name)) == (name, scale)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("RCAN **vac fp16**", r"'vac' is neither a backend \(.*vacc.*\) nor part of a precision"),
        ("RCAN **fp61**", "'fp61' is neither a backend"),
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


@pytest.mark.parametrize(
    ("labels", "spelled"),
    [
        (["owl-fp32", "owl-int8"], ["owl fp32", "owl int8"]),
        (["a/owl_float_b1.rt", "a/owl_quant_b1.rt"], ["a/owl_b1.rt fp32", "a/owl_b1.rt int8"]),
        (["owl_fp32", "owl_fp16", "owl_w8a16"], ["owl fp32", "owl fp16", "owl w8a16"]),
        (["owl-int8", "owl-fp32"], [None, None]),  # whose row would have no model's row above
        (["owl-fp32", "wren-int8", "owl"], [None, None, None]),
        (["owl-fp16", "owl-int8"], [None, None]),
    ],
)
def test_labels_that_differ_in_a_precision_alone_are_of_one_model(
    labels: list[str], spelled: list[str | None]
) -> None:
    twins = precision_twins(labels)
    assert [twins.get(label) for label in labels] == spelled
