"""Tables are read whichever way they run: each number gets what is said of it anywhere."""

from dataclasses import replace

import pytest

from sr_bench.core.claim import Claim
from sr_bench.core.ignored import Ignored
from sr_bench.document.claims import read
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import parse_document
from tests.reading import read_claims


def brief(claim: Claim) -> str:
    scale = f"x{claim.scale}" if claim.scale else ""
    precision = "" if claim.precision.is_full else str(claim.precision)
    where = (claim.row_source, claim.backend, claim.device, claim.dataset, scale, precision)
    about = " ".join(filter(None, (claim.row, *where, claim.variant and f"({claim.variant})")))
    return f"{about}: {claim.metric} {claim.text}"


def claims(text: str) -> list[str]:
    return [brief(claim) for claim in read_claims(parse_document(text, "zoo/README.md"))]


def unread(text: str) -> list[str]:
    reading = read(parse_document(text, "zoo/README.md"))
    return [one.message for one in unread_numbers(reading.printed)]


def table(*rows: str) -> str:
    head, *body = (f"| {row} |" for row in rows)
    return "\n".join([head, "|-" * (head.count("|") - 1) + "|", *body]) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            table("Model | Urban100 PSNR / SSIM", "wren | 26.1 / 0.79"),
            ["wren Urban100: psnr 26.1", "wren Urban100: ssim 0.79"],
        ),
        (
            table("Dataset | Scale | wren | owl", "Set5 | x3 | 34.1/0.92 | 33/0.91"),
            [
                *("wren Set5 x3: psnr 34.1", "wren Set5 x3: ssim 0.92"),
                *("owl Set5 x3: psnr 33", "owl Set5 x3: ssim 0.91"),
            ],
        ),
        (
            "## PSNR\n\n" + table("Scale | owl | wren", "2x | 37 | 36.5", "4x | 31 | -"),
            ["owl x2: psnr 37", "wren x2: psnr 36.5", "owl x4: psnr 31"],
        ),
        (
            "# wren_x2\n\n## Specification\n\n" + table("Metric | Value", "PSNR | 30.5 dB"),
            ["wren_x2: psnr 30.5"],
        ),
        (
            table("Metric | wren | owl", "Params (M) | 1.5 | 2", "LPIPS ↓ | 0.2 | 0.1"),
            ["wren: params 1.5", "owl: params 2", "wren: lpips 0.2", "owl: lpips 0.1"],
        ),
        (
            table(" | wren | Δ", "PSNR | 30.1 | +0.2"),
            ["wren: psnr 30.1"],
        ),
        (
            table("Model | Metric | Value", "wren | SSIM | 0.91", "wren | FPS | 30"),
            ["wren: ssim 0.91", "wren: fps 30"],
        ),
        (
            "# owl\n\n" + table("Dataset | PSNR | SSIM", "B100 | 31.1 | 0.89"),
            ["owl B100: psnr 31.1", "owl B100: ssim 0.89"],
        ),
        (
            "# Zoo\n\n### Results on Set14 (x2)\n\n" + table("Method | PSNR", "owl | 33.2"),
            ["owl Set14 x2: psnr 33.2"],
        ),
        (
            table(" | Params(M) | PSNR", "wren | 1.5 | 30.1"),
            ["wren: params 1.5", "wren: psnr 30.1"],
        ),
        (
            "- int8\n  Dataset: Set5\n\n" + table("Model | PSNR", "owl | 30.1"),
            ["owl Set5 int8: psnr 30.1"],
        ),
        (
            table(
                "Model | Prec | Quant mode | Acc", "owl | int8 | max | 88.7", "owl | fp16 | - | 89"
            ),
            ["owl int8_max: acc 88.7", "owl fp16: acc 89"],
        ),
        (
            table(
                "Model | AP",
                "owl-b | 6",
                "owl-b-vacc-fp16 | 5",
                "wren-int8 | 4",
                "it-vacc-int8 | 3",
            ),
            ["owl-b: ap 6", "owl-b vacc fp16: ap 5", "wren-int8: ap 4", "it vacc int8: ap 3"],
        ),
        (
            table("NME | *blur* | pose | Params(M)", "owl-W18 | 4.6 | 7.8 | 9.6"),
            ["owl-W18: nme_blur 4.6", "owl-W18: nme_pose 7.8", "owl-W18: params 9.6"],
        ),
        (
            table("Model | Float mIoU | Hardware mIoU", "owl | 70.1 | 69"),
            ["owl: miou 70.1", "owl hardware: miou 69"],
        ),
        (
            table(
                "Model | Precision | Device | Runtime | Latency (ms)", "owl | w8a8 | S9 | QNN | 2.5"
            ),
            ["owl qnn S9 w8a8: latency 2.5"],
        ),
        (
            table("Model | Memory (MB)", "owl | 0 - 10"),
            ["owl: memory_low 0", "owl: memory_high 10"],
        ),
        (
            table("Model | VACC mAP", "owl | fp16 41.5<br>int8: 40.2", "wren | fp16 39 / int8 -"),
            ["owl vacc fp16: map 41.5", "owl vacc int8: map 40.2", "wren vacc fp16: map 39"],
        ),
        (
            table("Model | Size", "owl | 111 MB (FP32) / 56 MB (FP16)", "wren | 9 MB (INT8)"),
            ["owl: model_size 111", "owl fp16: model_size 56", "wren int8: model_size 9"],
        ),
        (
            "# owl\n\n"
            + table("About | Value", "Accuracy | -", "FP16 accuracy | SSIM: 0.7, PSNR: 30"),
            ["owl fp16: ssim 0.7", "owl fp16: psnr 30"],
        ),
        (
            table("Model | wren", "Input size | 3x8x8", "FP16 accuracy | SSIM: 0.7"),
            ["wren fp16: ssim 0.7"],
        ),
        (
            table("Model | Precision | Recall | Size", "owl | 0.71 | 0.64 | 14.1"),
            ["owl: precision 0.71", "owl: recall 0.64", "owl: size 14.1"],
        ),
    ],
)
def test_a_number_has_what_its_row_its_headers_and_the_text_above_say(
    text: str, expected: list[str]
) -> None:
    assert claims(text) == expected


@pytest.mark.parametrize(
    "head",
    [
        "| Model | Set5 | | B100 | |\n|-|-|-|-|-|\n| | PSNR | SSIM | PSNR | SSIM |\n",
        "| | Set5 | | B100 | |\n|-|-|-|-|-|\n| **Model** | PSNR | SSIM | PSNR | SSIM |\n",
        "| Model | Set5 | Set5 | B100 | B100 |\n|-|-|-|-|-|\n|Model|PSNR|SSIM|PSNR|SSIM|\n",
    ],
)
def test_a_second_row_of_headers_is_read_with_the_first(head: str) -> None:
    assert claims(f"{head}| owl | 37.1 | 0.95 | 31.2 | 0.89 |\n") == [
        *(
            "owl Set5: psnr 37.1",
            "owl Set5: ssim 0.95",
            "owl B100: psnr 31.2",
            "owl B100: ssim 0.89",
        )
    ]


def test_headers_that_span_are_read_with_those_below() -> None:
    html = (
        "<table><tr><th rowspan=2>Net</th><th colspan=2>PSNR</th></tr>"
        "<tr><th>FP32</th><th>INT8</th></tr><tr><td>owl</td><td>30.1</td><td>29.5</td></tr></table>"
    )
    assert claims(html) == ["owl: psnr 30.1", "owl int8: psnr 29.5"]


def test_a_blank_label_belongs_to_the_row_above() -> None:
    text = table("Model | Scale | PSNR", "owl | 2 | 37", " | 3 | 33", "wren | 2 | 36", " | 3 | 32")
    assert claims(text) == [
        *("owl x2: psnr 37", "owl x3: psnr 33", "wren x2: psnr 36", "wren x3: psnr 32")
    ]
    leading = table("Dataset | Method | PSNR", "Set5 | owl | 37", " | wren | 36", "B100 | owl | 31")
    assert claims(leading) == ["owl Set5: psnr 37", "wren Set5: psnr 36", "owl B100: psnr 31"]


def test_a_row_of_one_text_is_about_the_rows_below() -> None:
    sets = table("Model | Set5", "PSNR | ", "owl | 37", "SSIM | SSIM", "owl | 0.95")
    assert claims(sets) == ["owl Set5: psnr 37", "owl Set5: ssim 0.95"]
    text = table("Model | PSNR", "**Set5** | ", "owl | 37", "x4 | x4", "owl | 30", "Tiny ones |")
    assert claims(text) == ["owl Set5: psnr 37", "owl x4: psnr 30"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            ("Model | PSNR | Shape", "owl | 31 | multi-size", "owl | 32 | 1\u00d78\u00d78"),
            ["owl (multi_size): psnr 31", "owl (1x8x8): psnr 32"],
        ),
        (
            ("Model | PSNR | Config", "owl | 31 | base", "owl | 32 | large", "wren | 30 | base"),
            ["owl (base): psnr 31", "owl (large): psnr 32", "wren: psnr 30"],
        ),
        (
            ("Model | Params(M) | PSNR | Size", "owl | 1.5 | 31 | a", "owl | - | 32 | b"),
            ["owl: params 1.5", "owl (a): psnr 31", "owl (b): psnr 32"],
        ),
        (
            ("Model | PSNR (paper) | PSNR (ours)", "owl | 31 | 32"),
            ["owl (paper): psnr 31", "owl (ours): psnr 32"],
        ),
    ],
)
def test_numbers_that_say_the_same_are_told_apart_by_what_else_is_printed(
    rows: tuple[str, ...], expected: list[str]
) -> None:
    assert claims(table(*rows)) == expected


def test_a_precision_may_stand_in_the_column_of_sources() -> None:
    text = table(
        *("Model | Backbone | Source | mAP | Dataset", "owl | r18 | [a](u) | 40 | COCO"),
        *("owl | - | vacc fp16 | 39 | -", "owl | r50 | [a](u) | 45 | COCO"),
        *("owl | - | vacc fp16 | 44 | -", "wren | r18 | - | 30 | -"),
    )
    assert claims(text) == [
        *("owl a COCO (r18): map 40", "owl a vacc COCO fp16 (r18): map 39"),
        *("owl a COCO (r50): map 45", "owl a vacc COCO fp16 (r50): map 44", "wren: map 30"),
    ]


def test_tables_that_say_the_same_are_told_apart_by_their_headings() -> None:
    rows = table("Model | PSNR", "owl | 31")
    assert claims(f"## Clean\n\n{rows}\n## Noisy set\n\n{rows}") == [
        *("owl (clean): psnr 31", "owl (noisy_set): psnr 31")
    ]


def test_precisions_of_a_column_and_a_row_agree_or_are_named() -> None:
    head = "Model | INT8 PSNR"
    assert claims(table(head, "owl | 30")) == ["owl int8: psnr 30"]
    (message,) = unread(table(head, "owl | -", "owl **fp16** | 29"))
    assert "expected one precision, got int8 from its column and fp16 from its row" in message


def test_a_heading_speaks_of_what_no_column_tells() -> None:
    text = "## Quantised to int8 on Set5\n\n" + table(
        "Model | B100 PSNR", "owl | 31", "owl **fp16** | 30"
    )
    assert claims(text) == ["owl B100: psnr 31", "owl B100 fp16: psnr 30"]
    prose = "We trained all of them on ImageNet with crops of 64x64 pixels.\n\n"
    assert claims(prose + table("Model | PSNR", "owl | 31")) == ["owl: psnr 31"]


@pytest.mark.parametrize(
    "text",
    [
        table("Name | Version", "torch | 1.13", "numpy | 1.26"),
        table("Name | Price", "owl | 9.99", "wren | 19.99"),
        table("Date | Change", "2024.05 | faster by 1.5"),
    ],
)
def test_tables_of_other_things_are_left_alone(text: str) -> None:
    assert claims(text) == []
    assert unread(text) == []


def test_what_cannot_be_told_is_asked_for_with_a_draft_to_paste() -> None:
    first, second = unread(table("Model | Set5 | B100 | Params", "owl | 37.1 | 31 | 1.5"))
    assert (
        "column 'Set5': nothing reads '37.1': no header, row or caption names its metric" in first
    )
    assert first.endswith(
        """or say what it is:
    [[table]]
    header = "Model | Set5 | B100 | Params"
    metric = "?"
    [table.columns]
    "Model" = "model"
    "Set5" = "@ Set5"
    "B100" = "@ B100"
    "Params" = "params\""""
    )
    assert "[[table]]" not in second  # once for a table


def test_a_cell_that_says_more_than_its_number_needs_no_draft_of_its_table() -> None:
    (only,) = unread(table("Model | Set5 PSNR", "owl | 37.1 or so"))
    assert "nothing reads '37.1 or so': expected a number" in only
    assert "[[table]]" not in only


def test_a_size_in_a_column_called_scale_is_a_shape() -> None:
    text = table("Method | Scale | Recall (%)", "owl | 736x1280 | 74.0", "wren | x2 | 70.0")
    found = read_claims(parse_document(text, "zoo/README.md"))
    assert [(claim.shape, claim.scale) for claim in found] == [("736x1280", 0), ("", 2)]


def test_a_scale_is_read_behind_its_word() -> None:
    rows = ("Scale: 4 | owl | 31.5", "scale x3 | owl | 32.5", r"$\times 2$ | owl | 33.5")
    found = read_claims(parse_document(table("Scale | Method | PSNR", *rows), "zoo/README.md"))
    assert [(claim.scale, claim.text) for claim in found] == [(4, "31.5"), (3, "32.5"), (2, "33.5")]


def test_a_sign_of_multiplication_may_be_spelled_in_latex() -> None:
    text = table(r"Method | $\times 3$ PSNR | Set5 ($\times 2$) PSNR", "owl | 32.5 | 33.5")
    found = read_claims(parse_document(text, "zoo/README.md"))
    assert [(claim.scale, claim.dataset) for claim in found] == [(3, ""), (2, "Set5")]


def test_a_loss_among_metrics_is_a_value_where_it_has_a_number() -> None:
    rows = ("owl | PSNR | 30.5", "owl | Loss | 0.25", "wren | Loss | L1")
    assert claims(table("Method | Metric | Value", *rows)) == ["owl: psnr 30.5", "owl: loss 0.25"]


def test_a_row_of_metrics_is_of_headers_whatever_stands_before_it() -> None:
    text = table("Method | RainA | RainB", "none | PSNR/SSIM | PSNR", "owl | 30.5/0.9 | 31.5")
    assert claims(text) == [*("owl (raina): psnr 30.5", "owl: ssim 0.9", "owl (rainb): psnr 31.5")]


def test_twins_below_a_sentence_are_told_apart_by_their_headings() -> None:
    said = "This network was trained on one half of {0}, and tested on the other.\n\n"
    nme = table("Model | NME", "owl | 3.4")
    tables = (f"## {name}\n\n{said.format(name)}{nme}" for name in "AB")
    assert claims("\n".join(tables)) == ["owl (a): nme 3.4", "owl (b): nme 3.4"]


@pytest.mark.parametrize(
    ("header", "first", "other"),
    [
        ("Note", "a", "b"),
        ("Dataset", "Set5", "Set14"),
        ("FPS", "4.5", "5.5"),
        ("IoU", "@ 1", "@ 2"),
    ],
)
def test_a_column_that_a_card_ignores_tells_of_its_rows_what_it_told(
    header: str, first: str, other: str
) -> None:
    rows = (f"owl | {first} | 31", f"owl | {other} | 30", f"owl | {other} | 29")
    document = parse_document(table(f"Model | {header} | PSNR", *rows), "zoo/README.md")
    left = read(replace(document, ignored=Ignored(columns={header: "why"})))
    assert [c for t in left.tables for row in t.rows for c in row.claims] == [
        claim for claim in read_claims(document) if claim.metric == "psnr"
    ]


def test_tables_side_by_side_are_read_one_after_the_other() -> None:
    text = table(
        "Model | Steps | PSNR | Model | Steps | PSNR",
        "owl | 10 | 31 | wren | 10 | 29",
        " | 20 | 32 | | 20 | 30",
        "dove | 10 | 33 | | |",
    )
    assert claims(text) == [
        "owl (10): psnr 31",
        "wren (10): psnr 29",
        "owl (20): psnr 32",
        "wren (20): psnr 30",
        "dove: psnr 33",
    ]


def test_columns_that_an_upper_header_tells_apart_are_of_one_table() -> None:
    head = (
        "<table><tr><th colspan=2>Set5<th colspan=2>B100</tr><tr><th>PSNR<th>SSIM<th>PSNR<th>SSIM"
    )
    text = f"# owl\n\n{head}</tr><tr><td>37.1<td>0.9<td>31.2<td>0.8</tr></table>\n"
    assert claims(text) == [
        "owl Set5: psnr 37.1",
        "owl Set5: ssim 0.9",
        "owl B100: psnr 31.2",
        "owl B100: ssim 0.8",
    ]


def test_a_text_above_all_headers_says_nothing_of_a_column() -> None:
    above = "<table><tr><th colspan=3>The first W-Bench</th></tr><tr><th>Model"
    text = f"{above}<th>PSNR<th>Edits</tr><tr><td>owl<td>31<td>4.5</tr></table>\n"
    assert claims(text) == ["owl: psnr 31", "owl: edits 4.5"]
