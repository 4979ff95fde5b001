"""A column is what its cells are where its header has two meanings."""

from collections.abc import Iterable

import pytest

from sr_bench.document.cell import Cell
from sr_bench.document.claims import read
from sr_bench.document.columns import Below, Column
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.orientation import by_cells
from sr_bench.document.phrases import column_role, read_phrase
from sr_bench.document.row_keys import of_benchmarks
from sr_bench.document.tables import parse_document
from tests.reading import read_claims


def below(texts: Iterable[str]) -> Below:
    """Return a column of `texts`."""
    return Below([Cell(text, 1, 1, 0, len(text)) for text in texts])


@pytest.mark.parametrize(
    ("header", "cells", "role", "metrics"),
    [
        ("Runtime", ["0.021s", "~0.01"], "number", ["latency"]),
        ("Runtime", ["12", "9"], "number", ["latency"]),
        ("Runtime", ["TFLITE", "QNN 2"], "runtime", ["latency"]),
        ("Hardware", ["30.8", "29.1"], "number", []),
        ("Hardware", ["310", "910"], "device", []),
        ("Quantized", ["30.8"], "number", []),
        ("Precision", ["0.86", "0.91"], "number", ["precision"]),
        ("Precision", ["INT8", "w8a16"], "precision", ["precision"]),
        ("精度", ["77.79"], "number", ["accuracy"]),
        ("精度", ["fp16", "int8"], "precision", ["accuracy"]),
        ("Size", ["3.0 MB"], "number", ["model_size"]),
        ("Size", ["3x128x128"], "shape", []),
        ("Runtime", ["12.3 &plusmn; 0.1 ms", "-"], "number", ["latency"]),
        ("Runtime", ["ONNX 1.2"], "runtime", ["latency"]),
        ("GPU", ["12,345 ms"], "number", []),
        ("GPU", ["310", "910"], "device", []),
        ("GPU", ["3060M"], "device", []),
    ],
)
def test_a_header_of_two_meanings_is_told_by_its_cells(
    header: str, cells: list[str], role: str, metrics: list[str]
) -> None:
    column = by_cells(Column(header, column_role(header), read_phrase(header)), below(cells))
    assert column.role == role
    assert [measure.metric for measure in column.says.measures] == metrics


@pytest.mark.parametrize(
    ("headers", "cells", "metric"),
    [
        (["Set5", "BSD100 x4"], [["38.00", "**32.1**", "-"], ["27.92"]], "psnr"),
        (["Set5", "BSD100 x4"], [["38.00", "37.12 / 0.91"], ["27.92"]], "psnr"),
        (
            ["Set5", "Set14"],
            [["38.00 dB", "37.12 (0.91)"], ["<b>33.9</b> &plusmn; 0.1", "33,92"]],
            "psnr",
        ),
        (["Set5", "Set14"], [["38.00 ms"], ["33.9"]], ""),
        (["Set5", "Set14"], [["38.00 / 33.1"], ["33.9"]], ""),
        (["Set5", "Set14"], [["38.00", "≥34"], ["33.017055"]], "psnr"),
        (["Set5", "Set14"], [["38", "34"], ["33.01"]], ""),
        (["Set5", "Set14"], [["0.9614"], ["0.9605"]], ""),
        (["Set5", "Set14"], [["32.92"], ["3.1"]], ""),
        (["Set5", "Set14"], [["32.92"], ["-"]], ""),
        (["Set5", "Params"], [["32.92"], ["31.1"]], ""),
        (["COCO", "VOC"], [["38.1"], ["39.2"]], ""),
    ],
)
def test_decibels_of_benchmarks_need_no_word_for_psnr(
    headers: list[str], cells: list[list[str]], metric: str
) -> None:
    columns = tuple(Column(header, "number", read_phrase(header)) for header in headers)
    measures = of_benchmarks(columns, list(map(below, cells)))[0].says.measures
    assert (measures[0].metric if measures else "") == metric


def test_a_table_of_benchmarks_is_of_psnr_at_the_scale_of_its_caption() -> None:
    text = (
        "**Benchmark results on SRx4 without x2 pretraining, of models from ImageNet.**\n"
        "| Model | Params(M) | Set5 | Set14 |\n|-|-|-|-|\n| A | 11.9 | 32.92 | 29.09 |\n"
    )
    claim = read_claims(parse_document(text, "x.md"))[-1]
    assert (claim.metric, claim.dataset, claim.scale) == ("psnr", "Set14", 4)


def test_a_number_within_the_words_of_a_label_makes_it_no_result() -> None:
    text = "| Scene | Day PSNR |\n|-|-|\n| dark (n=9) | 30.1 |\n| foggy (n=5) | 31.2 |\n"
    reading = read(parse_document(text, "x.md"))
    claims = [c for table in reading.tables for row in table.rows for c in row.claims]
    assert [(claim.text, claim.row) for claim in claims] == [
        ("30.1", "dark (n=9)"),
        ("31.2", "foggy (n=5)"),
    ]
    assert not any(one.unread for one in reading.printed)


@pytest.mark.parametrize(
    ("datasets", "numbers", "metric"),
    [
        (("Set5", "DIV2K validation"), ("28.43", "31.62"), "psnr"),
        (("Set5", "mine"), ("28.43", "31.62"), ""),
        (("Set5", "Set14"), ("0.91", "0.93"), ""),
        (("Set5", "Set5"), ("28.43", "31.62"), ""),
    ],
)
def test_benchmarks_down_a_table_tell_the_same(
    datasets: tuple[str, str], numbers: tuple[str, str], metric: str
) -> None:
    columns = (Column("Dataset", "dataset"), Column("EDSR", "number", Dimensions(model="EDSR")))
    measures = of_benchmarks(columns, (below(datasets), below(numbers)))[1].says.measures
    assert (measures[0].metric if measures else "") == metric


@pytest.mark.parametrize(
    ("header", "cell", "metric"),
    [("Mine x2", "33.5", "psnr"), ("Mine x2", "3.5", "mine"), ("Mine", "33", "mine")],
)
def test_an_unknown_name_with_a_scale_beside_benchmarks_is_a_data_set(
    header: str, cell: str, metric: str
) -> None:
    text = f"| Model | Set5 x2 | Set14 x2 | {header} |\n|-|-|-|-|\n| owl | 37.5 | 33.1 | {cell} |\n"
    *_, claim = read_claims(parse_document(text, "zoo/README.md"))
    assert (claim.metric, claim.dataset) == (metric, "Mine" if metric == "psnr" else "")
