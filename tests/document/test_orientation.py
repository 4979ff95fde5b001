"""A column is what its cells are where its header has two meanings."""

import pytest

from sr_bench.document.columns import Column
from sr_bench.document.orientation import by_cells
from sr_bench.document.phrases import column_role, read_phrase


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
    ],
)
def test_a_header_of_two_meanings_is_told_by_its_cells(
    header: str, cells: list[str], role: str, metrics: list[str]
) -> None:
    column = by_cells(Column(header, column_role(header), read_phrase(header)), cells)
    assert column.role == role
    assert [measure.metric for measure in column.says.measures] == metrics
