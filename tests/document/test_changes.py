"""Signed numbers are changes, each of the metric beside it; precisions may have remarks."""

import pytest

from sr_bench.document.claims import read
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import parse_document
from tests.reading import read_claims


def table(header: str, *rows: str) -> str:
    rule = "|".join("-" for _ in header.split("|"))
    return "".join(f"| {line} |\n" for line in (header, rule, *rows))


def claims(text: str) -> list[str]:
    """Return model, dataset, scale, precision, metric and number of each claim of a whole text."""
    document = parse_document(text, "zoo/README.md")
    assert not list(unread_numbers(read(document).printed))
    return [
        " ".join(
            filter(
                None,
                (
                    claim.row,
                    claim.dataset,
                    f"x{claim.scale}" if claim.scale else "",
                    "" if claim.precision.is_full else str(claim.precision),
                    claim.metric,
                    claim.text,
                ),
            )
        )
        for claim in read_claims(document)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            table("Model | PSNR | RMSE", "wren | +0.31 | -0.002", "owl | -0.12 dB | -0.001"),
            [
                *("wren psnr_gain 0.31", "wren rmse_gain -0.002"),
                *("owl psnr_gain -0.12", "owl rmse_gain -0.001"),
            ],
        ),
        (
            table("Model | Score", "wren | -3.2", "owl | -4.1"),
            ["wren score -3.2", "owl score -4.1"],
        ),
        (
            table("Model | PSNR", "wren | +0.31", "owl | 30.12"),
            ["wren psnr 0.31", "owl psnr 30.12"],
        ),
        (
            table("Model | PSNR | Δ | LPIPS | Δ", "wren | 31.2 | +0.4 | 0.21 | -0.02"),
            ["wren psnr 31.2", "wren psnr_loss 0.4", "wren lpips 0.21", "wren lpips_loss -0.02"],
        ),
        (
            "# wren\n\n" + table("Metric | FP32 | INT8 | Change", "Latency | 9 ms | 4 ms | -0.5x"),
            ["wren latency 9", "wren int8 latency 4", "wren latency_ratio_loss -0.5"],
        ),
    ],
)
def test_numbers_that_all_have_a_sign_are_changes(text: str, expected: list[str]) -> None:
    assert claims(text) == expected


def test_so_many_times_the_latency_of_another_is_no_time() -> None:
    text = table("Model | Latency | Relative latency", "wren | 2.5x | 3.75×", "owl | 7 ms | 1.5")  # noqa: RUF001
    assert claims(text) == [
        *("wren latency_ratio 2.5", "wren relative_latency 3.75"),
        *("owl latency 7", "owl relative_latency 1.5"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# wren\n\n" + table("Model | PSNR", "FP32 baseline | 31", "A8W16 (ours) | 30.9"),
            ["wren psnr 31", "wren w16a8 psnr 30.9"],
        ),
        (
            "# wren\n\n" + table("模型 | PSNR", "FP32 基线 | 31", "INT8（校准后） | 30.5"),  # noqa: RUF001
            ["wren psnr 31", "wren int8 psnr 30.5"],
        ),
        (
            "# wren\n\n"
            + table("指标 | FP32 | INT8 (before) | a4w8 (after)", "PSNR | 31 | 29 | 30"),
            ["wren psnr 31", "wren int8 psnr 29", "wren w8a4 psnr 30"],
        ),
        (
            table("Model | PSNR", "wren | 31", "wren INT8 (ours) | 30.8"),
            ["wren psnr 31", "wren int8 psnr 30.8"],
        ),
    ],
)
def test_a_precision_may_have_a_remark(text: str, expected: list[str]) -> None:
    assert claims(text) == expected


def test_columns_are_models_where_rows_name_dataset_and_metric() -> None:
    text = table(
        "Dataset (x3 SR) | Metric | All of DIV2K | Cut (10%)",
        "Set5 | PSNR | 34.1 | 33.9",
        "Set14 | PSNR | 30.2 | 30.1",
    )
    assert claims(text) == [
        *("All of DIV2K Set5 x3 psnr 34.1", "Cut (10%) Set5 x3 psnr 33.9"),
        *("All of DIV2K Set14 x3 psnr 30.2", "Cut (10%) Set14 x3 psnr 30.1"),
    ]


def test_a_word_in_lower_case_or_tied_to_a_name_is_what_it_is_in_english() -> None:
    text = "# Tests at 3 new places\n\n" + table(" | Diff-Wren | Owl", "PSNR | 31 | 30")
    assert claims(text) == ["Diff-Wren psnr 31", "Owl psnr 30"]


def test_dashes_and_pictures_make_no_sentence_of_a_caption() -> None:
    caption = "<summary><b>📐 Parts removed (Set5, ×4) — click to see</b></summary>"  # noqa: RUF001
    text = f"# wren\n\n## On Set14\n\n{caption}\n\n" + table("Model | PSNR", "wren | 31.5")
    assert claims(text) == ["wren Set5 x4 psnr 31.5"]


def test_numbers_behind_an_empty_column_and_names_are_of_those() -> None:
    text = table(
        "Model | PSNR |  | Model by LPIPS | LPIPS",
        "wren | 31.5 |  | owl | 0.1",
        "owl | 31 |  | wren | 0.2",
    )
    reading = read(parse_document(text, "zoo/README.md"))
    assert [c.text for t in reading.tables for row in t.rows for c in row.claims] == ["31.5", "31"]
    faults = [one.fault for one in reading.printed if one.text in ("0.1", "0.2")]
    assert faults == ["its rows are called by 'Model by LPIPS'; they need a table of their own"] * 2


def test_a_first_row_without_a_label_is_a_header_where_it_alone_prints_no_number() -> None:
    rows = ("", "noise=10", "noise=30"), ("wren", "33.1", "29.5"), ("owl", "34", "30.5")
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    text = "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
    (layout,) = read(parse_document(text, "zoo/README.html")).layouts
    assert [column.header for column in layout.columns] == ["", "noise=10", "noise=30"]


def test_a_table_below_a_caption_of_a_metric_is_one_of_results() -> None:
    text = "<table><caption>PSNR of all</caption><tr><th></th><th>a=1</th><th>a=2</th></tr>"
    text += "<tr><td>wren</td><td>33.1</td><td>29.5</td></tr></table>"
    printed = read(parse_document(f"# Zoo\n\n{text}", "zoo/README.md")).printed
    assert [one.text for one in printed if one.unread] == ["33.1", "29.5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# wren\n\nPSNR:\n\n"
            + table("Dataset | Bicubic | FP32 | INT8", "Set5 | 28 | 31 | 30.5"),
            ["Bicubic Set5 psnr 28", "wren Set5 psnr 31", "wren Set5 int8 psnr 30.5"],
        ),
        (
            "### Results on SOTS-Outdoor\n\n" + table("Model | PSNR | Images", "wren | 31 | 12"),
            ["wren SOTS-Outdoor psnr 31", "wren SOTS-Outdoor images 12"],
        ),
        (table("Model | (Top-1) accuracy", "wren | 71.5%"), ["wren top1 71.5"]),
    ],
)
def test_words_of_tables_beside_others(text: str, expected: list[str]) -> None:
    assert claims(text) == expected


def test_a_change_has_the_unit_of_what_changes() -> None:
    text = "# wren\n\n" + table("Metric | FP32 | INT8 | Δ", "Size (MB) | 2 | 1 | -512 KB")
    change = read_claims(parse_document(text, "zoo/README.md"))[-1]
    assert (change.metric, change.value) == ("model_size_loss", -0.512)


@pytest.mark.parametrize(
    ("header", "cell", "expected"),
    [
        ("PSNR (FP32/INT8)", "30.2/30.1", ["wren psnr 30.2", "wren int8 psnr 30.1"]),
        ("Latency fp32 / fp16 (ms)", "9 / 5", ["wren latency 9", "wren fp16 latency 5"]),
        (
            "Top1 (original / quantized / diff)",
            "71% / 70% / 1%",
            ["wren top1 71", "wren top1_loss 1", "wren int8 top1 70"],
        ),
        ("PSNR / SSIM (FP32)", "30.2 / 0.9", ["wren psnr 30.2", "wren ssim 0.9"]),
    ],
)
def test_a_header_may_list_precisions(header: str, cell: str, expected: list[str]) -> None:
    assert sorted(claims(table(f"Model | {header}", f"wren | {cell}"))) == sorted(expected)
