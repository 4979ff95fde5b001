"""What rows are called by, and what tells them apart, where their header does not say it."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.tables import parse_document
from tests.reading import read_claims


def table(header: str, *rows: str) -> str:
    rule = "|".join("-" for _ in header.split("|"))
    return "".join(f"| {line} |\n" for line in (header, rule, *rows))


def claims(text: str) -> list[tuple[str, str, str, int]]:
    """Return model, precision and data set, number and scale of each claim."""
    found = read_claims(parse_document(text, "zoo/README.md"))
    about = (f"{claim.precision} {claim.dataset}".strip() for claim in found)
    return [(c.row, a, c.text, c.scale) for c, a in zip(found, about, strict=True)]


def variants(text: str) -> list[tuple[str, str, str]]:
    """Return metric, number and variant of each claim of a text that is read whole."""
    reading = read(parse_document(text, "zoo/README.md"))
    assert not [one.text for one in reading.printed if one.unread]
    found = (claim for t in reading.tables for row in t.rows for claim in row.claims)
    return [(claim.metric, claim.text, claim.variant) for claim in found]


def test_a_network_above_scales_is_the_model_of_the_columns_behind_it() -> None:
    text = "# Zoo\n\n" + table(
        "owlSR | Set5 | Set14 | owlSR-L | Set5 | Set14",
        "x2 | 36.1 | 33.2 | x2 | 37.3 | 34.4",
        "x4 | 30.5 | 28.6 | x4 | 31.7 | 29.8",
    )
    assert claims(text)[:4] == [
        ("owlSR", "fp32 Set5", "36.1", 2),
        ("owlSR", "fp32 Set14", "33.2", 2),
        ("owlSR-L", "fp32 Set5", "37.3", 2),
        ("owlSR-L", "fp32 Set14", "34.4", 2),
    ]
    assert len(claims(text)) == 8


def test_a_column_of_models_that_are_all_precisions_is_one_of_precisions() -> None:
    rows = ("FP32 | 36.1", "INT8 | 35.2", "INT8/ACT16 | 36", "int4W/int8Act. | 33")
    assert claims("# owlSR\n\n" + table("Model | Set5 PSNR", *rows)) == [
        ("owlSR", "fp32 Set5", "36.1", 0),
        ("owlSR", "int8 Set5", "35.2", 0),
        ("owlSR", "w8a16 Set5", "36", 0),
        ("owlSR", "w4a8 Set5", "33", 0),
    ]


def test_a_column_of_models_with_their_precisions_is_one_of_models() -> None:
    text = "# Zoo\n\n" + table("Model | Set5 PSNR", "A fp16 | 36.1", "A int8 | 35.2")
    assert {row for row, *_ in claims(text)} == {"A"}


def test_a_column_of_models_called_by_data_sets_is_one_of_models() -> None:
    text = "# owlSR\n\n" + table("Model | PSNR", "UIEB | 20.4", "RUIE | 20.3")
    assert {row for row, *_ in claims(text)} == {"UIEB", "RUIE"}


def test_methods_that_are_scales_have_their_models_across() -> None:
    text = "Metrics (PSNR/SSIM)\n\n" + table(
        "Method | Ours | Paper",
        "x2 | | 36.1 / 0.95",
        "x3 | | 31.2 / 0.91",
    )
    assert claims(text) == [
        ("Paper", "fp32", "36.1", 2),
        ("Paper", "fp32", "0.95", 2),
        ("Paper", "fp32", "31.2", 3),
        ("Paper", "fp32", "0.91", 3),
    ]


def test_levels_tell_rows_apart_that_else_say_the_same() -> None:
    rows = ("owl | 15 | 31.1", "--- | --- | ---", "owl | 25 | 28.2", "wren | 15 | 30.3")
    text = table("Model | Noise level | Set12 PSNR", *rows)
    assert variants(text) == [("psnr", "31.1", "15"), ("psnr", "28.2", "25"), ("psnr", "30.3", "")]


def test_what_prints_no_number_is_a_level_whatever_its_header_names() -> None:
    rows = ("Recall | @[ 0.5:0.9 / all ] | 0.31", "Recall | @[ 0.5 / all ] | 0.49")
    text = "# owlSR\n\n" + table("Metric | IoU | Value", *rows)
    assert variants(text) == [("recall", "0.31", "0.5_0.9_all"), ("recall", "0.49", "0.5_all")]


@pytest.mark.parametrize(
    "rows",
    [
        ("owl | 15 | 31.1", "wren | 25 | 30.3"),  # the models tell them apart
        ("owl | 1.5 | 31.1", "owl | 2.5 | 30.3"),  # decimals
    ],
)
def test_numbers_that_are_no_levels_are_read_as_ones_of_a_metric(rows: tuple[str, ...]) -> None:
    found = read_claims(parse_document(table("Model | Ticks | PSNR", *rows), "zoo/README.md"))
    assert found[0].metric == "ticks"


def test_numbers_of_rows_below_no_header_are_no_results() -> None:
    text = "# owlSR\n\n" + table(" | workers | throughput", "1 | 2 | 0.397", "0 | 1 | 0.398")
    assert [(a, b) for a, b, _ in variants(text)] == [
        ("throughput", "0.397"),
        ("throughput", "0.398"),
    ]


def test_a_score_is_what_its_row_measures() -> None:
    text = "# owlSR\n\n" + table("Metrics | Score", "MSE | 0.0125", "PSNR | 33.1")
    assert variants(text) == [("mse", "0.0125", ""), ("psnr", "33.1", "")]


def test_a_column_of_words_that_nobody_knows_tells_rows_apart() -> None:
    text = table("Model | Program | PSNR", "owl | a.py | 31.1", "owl | b.py | 31.2")
    assert variants(text) == [("psnr", "31.1", "a.py"), ("psnr", "31.2", "b.py")]


def test_a_check_mark_says_that_its_row_has_what_the_column_is_of() -> None:
    text = "# owlSR\n\n" + table("A | B | PSNR", "√ | | 31.1", "√ | ✔️ | 31.2", " | ✓ | 31.3")
    assert variants(text) == [("psnr", "31.1", "a"), ("psnr", "31.2", "a-b"), ("psnr", "31.3", "b")]


def test_what_a_metric_of_a_row_is_called_beside_its_name_tells_it_from_others() -> None:
    rows = ("Full decode time | 6.1 s", "Stream decode time | 6.5 s")
    found = variants("# owlSR\n\n" + table("Metric | Value", *rows))
    assert found == [("latency", "6.1", "full_decode"), ("latency", "6.5", "stream_decode")]


def test_a_blank_scale_of_a_named_row_is_that_of_the_row_above() -> None:
    text = table("Model | Scale | PSNR", "owl | x2 | 31.1", "wren | | 31.2", "owl | x4 | 28.1")
    assert [scale for *_, scale in claims(text)] == [2, 2, 4]


def test_an_unknown_name_beside_data_sets_of_the_same_metric_is_one_too() -> None:
    text = "# Zoo\n\n" + table(
        "Model | my roads PSNR | Set5 PSNR | PSNR (Y)", "owlSR | 31.2 | 37.3 | 36.9"
    )
    assert claims(text) == [
        ("owlSR", "fp32 my roads", "31.2", 0),
        ("owlSR", "fp32 Set5", "37.3", 0),
        ("owlSR", "fp32", "36.9", 0),
    ]
