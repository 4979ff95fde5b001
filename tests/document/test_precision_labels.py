"""Labels and headers of precisions with remarks, and words in other spellings."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import parse_document
from tests.reading import read_claims


def claims(*rows: str, title: str = "wren") -> list[str]:
    """Return model, precision, metric, number and variant of each claim of a table read whole."""
    rule = "|".join("-" for _ in rows[0].split("|"))
    lines = "".join(f"| {row} |\n" for row in (rows[0], rule, *rows[1:]))
    document = parse_document(f"# {title}\n\n{lines}", "zoo/README.md")
    assert not list(unread_numbers(read(document).printed))
    return [
        f"{claim.row} {claim.precision} {claim.metric} {claim.text} {claim.variant}".strip()
        for claim in read_claims(document)
    ]


def test_precisions_that_are_equal_are_told_apart_by_their_remarks() -> None:
    rows = ("FP32 baseline | 31", "INT8 weights | 30.9", "INT8 weights + activations | 30.5")
    assert claims("Configuration | PSNR", *rows) == [
        "wren fp32 psnr 31",
        "wren int8 psnr 30.9 int8_weights",
        "wren int8 psnr 30.5 int8_weights_+_activations",
    ]


def test_a_name_behind_a_precision_is_a_model() -> None:
    found = claims("Model | PSNR", "FP32 owl | 31", "INT8 owl | 30.9")
    assert [one[:8] for one in found] == ["FP32 owl", "INT8 owl"]


def test_a_first_column_called_precision_names_precisions() -> None:
    found = claims("Precision | Latency | VRAM", "FP16 | 9 ms | 3 GB", "FP8 | 7 ms | 2 GB")
    assert found == [
        *("wren fp16 latency 9", "wren fp16 memory 3"),
        *("wren fp8 latency 7", "wren fp8 memory 2"),
    ]


def test_a_row_whose_numbers_all_have_a_sign_is_one_of_changes() -> None:
    rows = ("owl | 31 | 0.9", "gull | 31.2 | 0.8", "Δ gull - owl | +0.2 | -0.1")
    assert claims("Model | PSNR | SSIM", *rows)[-2:] == [
        "Δ gull - owl fp32 psnr_gain 0.2",
        "Δ gull - owl fp32 ssim_gain -0.1",
    ]


@pytest.mark.parametrize(
    ("header", "metric"),
    [("參數量", "params"), ("計算量(G)", "flops"), ("延遲(ms)", "latency"), ("峰值信噪比", "psnr")],
)
def test_words_are_known_in_traditional_characters(header: str, metric: str) -> None:
    assert claims(f"方法 | {header}", "owl | 12.5") == [f"owl fp32 {metric} 12.5"]


def test_what_a_change_is_measured_from_is_no_part_of_its_name() -> None:
    found = claims("Model | top-1 | Drop from FP32", "owl | 71.2 | 0.4")
    assert found == ["owl fp32 top1 71.2", "owl fp32 loss 0.4"]
