"""Every number that a document prints is a claim, ignored, or named with the reason."""

import re
import tomllib
from dataclasses import replace

import pytest

from sr_bench.core.ignored import Ignored
from sr_bench.document.claims import Reading, read
from sr_bench.document.printed import Printed, number_counts, unread_numbers
from sr_bench.document.tables import parse_document

MODELS = "| Model | PSNR(dB) | {} |\n|-|-|-|\n| A | 30.1 | {} |\n"


def read_without(text: str, **ignored: dict[str, str]) -> Reading:
    document = parse_document(text, "zoo/README.md")
    return read(replace(document, ignored=Ignored(**ignored)))


def printed(text: str, **ignored: dict[str, str]) -> tuple[Printed, ...]:
    return read_without(text, **ignored).printed


def messages(text: str, **ignored: dict[str, str]) -> list[str]:
    unread = unread_numbers(printed(text, **ignored))
    return [f"{one.source}: {one.message}" for one in unread]


def test_a_number_below_a_header_that_says_nothing_is_named() -> None:
    (message,) = messages(MODELS.format("", 7))
    assert message.startswith("zoo/README.md:3:")
    assert "nothing reads '7': it has no header" in message


@pytest.mark.parametrize("header", ["Set14", "x4", "INT8"])
def test_a_number_of_no_metric_is_named(header: str) -> None:
    (message,) = messages(MODELS.format(header, 7))
    assert f"column '{header}': nothing reads '7': no header, row or caption names" in message


def test_a_header_that_is_nearly_one_of_a_metric_is_named_with_that() -> None:
    (message,) = messages(MODELS.format("PSRN", 30.2))
    assert "nothing reads '30.2': no column of this name is read; did you mean 'PSNR'?" in message


@pytest.mark.parametrize("header", ["VMAF", "Größe", "BRISQUE ↓", "Partitions"])
def test_a_header_that_nobody_knows_names_a_metric_that_nothing_measures(header: str) -> None:
    assert not messages(MODELS.format(header, 7))
    assert len(printed(MODELS.format(header, 7))) == 2


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        *(("Scale", "x2"), ("Notes", "retrained 2024"), ("Download", "[v1.2](https://a.b/1)")),
        *(("Dataset", "Set5"), ("Shape", "3x8x8"), ("Version", "1.2"), ("备注", "第2版")),
        *(("Precision", "fp32"), ("Resolution", "720x1280"), ("Licence", "Apache-2.0")),
        *(("LR", "270p"), ("Publish date", "2023"), ("Tile size", "400")),
    ],
)
def test_digits_that_tell_a_row_from_others_are_no_numbers(header: str, cell: str) -> None:
    assert [one.text for one in printed(MODELS.format(header, cell))] == ["30.1"]


@pytest.mark.parametrize("header", ["Notes", "Dataset", "Device", "Weights"])
@pytest.mark.parametrize("text", ["0.87", "1,592K", "4.2 MB", "31.6 / 0.87", "12.3 ± 0.1 ms"])
def test_a_decimal_alone_is_a_number_below_any_of_these_headers(header: str, text: str) -> None:
    found = messages(MODELS.format(header, f"**{text}**"))
    assert any(repr(text) in message for message in found)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((each, "1 number, ssim, got 2") for each in ("30.1 (31.2)", "30.1/31.2", "30.1<br>31.2")),
        *((each, "a number such as 32.785") for each in ("½", "![30.1](a.png)", "30.1 or so")),
        ("![](https://img.shields.io/badge/ssim-0.9-green)", "a number such as 32.785"),
    ],
)
def test_a_cell_that_is_read_in_part_only_is_named(cell: str, expected: str) -> None:
    (message,) = messages(MODELS.format("SSIM", cell))
    assert "column 'SSIM': nothing reads" in message
    assert f"expected {expected}" in message


def test_a_badge_is_a_number_below_any_header() -> None:
    badge = "![](https://img.shields.io/badge/vmaf-93.1-green)"
    assert len(messages(MODELS.format("Quality", badge))) == 1
    assert not messages(MODELS.format("Picture", "![](img/001.png)"))


@pytest.mark.parametrize(
    "table",
    [
        "| Method | Set5 |\n|-|-|\n| A | 37.1 |\n",
        "| Metric | Value |\n|-|-|\n| PSNR | 29.3 dB |\n",
        "| Yöntem | Sonuç |\n|-|-|\n| A | 30.21 |\n| B | 31.07 |\n",
        "| Yöntem | Sonuç |\n|-|-|\n| A | 30.21 / 0.91 |\n| B | 31.07 dB |\n",
        "+---+------+\n| A | PSNR |\n+===+======+\n| x | 30.1 |\n+---+------+\n",
        "| Name | int8 |\n|-|-|\n| A | 0.87 |\n",
        "| Models | PSNR |\n|-|-|-|\n| A | 30.1 | 2 |\n",
        "| Models | PSNR |\n| A | 30.1 |\n",
        "<details>\n| Models | PSNR |\n|-|-|\n| A | 30.1 |\n</details>\n",
        "<table><tr><td><table><tr><td>Set5</td></tr><tr><td>37.1</td></tr></table></table>\n",
    ],
)
def test_a_table_of_results_that_cannot_be_read_is_named_once(table: str) -> None:
    (message,) = messages(f"# Results\n\n{table}")
    assert "nothing reads" in message
    assert 'ignore it in card.toml: ignore_tables = { "' in message


@pytest.mark.parametrize(
    "table",
    [
        "| Package | Version |\n|-|-|\n| torch | 1.13 |\n| numpy | 1.26 |\n",
        "| Option | Default |\n|-|-|\n| --speed | 0.25 |\n| --rate | 0.50 |\n",
        "| Origin | Commit |\n|-|-|\n| x | `73e9b6` |\n",
        "| Model | Licence |\n|-|-|\n| A | MIT |\n",
        "| Step | What |\n|-|-|\n| 1 | look |\n",
        "```\n| Method | PSNR |\n|-|-|\n| A | 30.1 |\n```\n",
        "<!--\n| Method | PSNR |\n|-|-|\n| A | 30.1 |\n-->\n",
        "<!-- <table><tr><td>PSNR<td>30.1</table> -->\n",
        '<table><tr><td><img src="1.png"></td><td>EDSR</td></tr></table>\n',
        "cat a.txt | grep PSNR 30.1\n",
    ],
)
def test_other_tables_and_text_are_left_alone(table: str) -> None:
    assert printed(table) == ()


def test_a_first_row_of_an_html_table_is_no_header_without_cells_of_headers() -> None:
    cells = "<tr><{0}>EDSR (23.84 dB)</{0}><{0}>y</{0}></tr><tr><td>a</td><td>25.32</td></tr>"
    for tag, numbers in (("td", "'EDSR (23.84 dB)' and 1 more"), ("th", "'25.32'")):
        (message,) = messages(f"<table>{cells.format(tag)}</table>\n")
        assert f"nothing reads {numbers}: no " in message


def test_a_header_that_is_a_model_of_another_table_is_one_of_results() -> None:
    other = "| On | tiny_b |\n|-|-|\n| x | 7 |\n"
    assert not messages(other)
    assert len(messages(f"| Model | PSNR |\n|-|-|\n| Tiny_B | 30 |\n\n{other}")) == 1


def test_numbers_of_one_kind_are_named_together() -> None:
    rows = "".join(f"| A{n} | {n} and 1 | 3{n}? |\n" for n in range(40))
    psnr, fps = messages("| Model | PSNR | FPS |\n|-|-|-|\n" + rows)
    assert "column 'PSNR': nothing reads '0 and 1' and 39 more" in psnr
    assert "column 'FPS': nothing reads '30?' and 39 more" in fps


@pytest.mark.parametrize(
    ("ignored", "counts"),
    [
        ({}, (4, 5, 0)),
        ({"columns": {"hmm": "w"}}, (4, 3, 2)),
        ({"columns": {" PSNR(db)  ": "w"}}, (1, 5, 3)),
        ({"rows": {"B": "w"}}, (1, 4, 4)),
        ({"rows": {"B fp16": "w"}}, (3, 5, 1)),
        ({"rows": {"line 4": "w"}}, (2, 4, 3)),
        ({"tables": {"Older  ones": "w"}}, (4, 2, 3)),
        ({"tables": {"line 9": "w"}}, (4, 2, 3)),
        ({"tables": {"method | Set5": "w"}}, (4, 2, 3)),
        ({"columns": {"Hmm": "w", "Set5": "w"}}, (4, 0, 5)),
    ],
)
def test_what_the_card_ignores_is_neither_read_nor_named(
    ignored: dict[str, dict[str, str]], counts: tuple[int, int, int]
) -> None:
    text = (
        "| Model | PSNR(dB) | Params(M) | Hmm |\n|-|-|-|-|\n| A | 30.1 | - | 7? |\n"
        "| B | 31 | 1 | 8? |\n| B **fp16** | 30 | - | - |\n\n"
        "## Older ones\n\n| Method | Set5 |\n|-|-|\n| C | 37.1 |\n| D | 37 |\n| E | 37.2 |\n"
    )
    reading = read_without(text, **ignored)
    found = number_counts(reading.printed)
    assert (found.read, found.unread, found.ignored) == counts
    claims = [claim for table in reading.tables for row in table.rows for claim in row.claims]
    assert len(claims) == found.read


def test_a_row_whose_precision_column_says_another_than_its_label_is_no_claim() -> None:
    head = "| Model | Precision | PSNR |\n|-|-|-|\n"
    (message,) = messages(head + "| A | float | 30.1 |\n| A **int8 max** | fp32 | 29.1 |\n")
    assert "the column of precisions says 'fp32' and the label int8_max" in message
    (message,) = messages(head + "| A | float | 30.1 |\n| B | brisk | 29.1 |\n")
    assert "row 'B': nothing reads '29.1': expected a precision such as FP32" in message
    assert not messages(
        head + "| A | FP32 | 30 |\n| A **int8 max** | INT8 | 29 |\n| A **fp16** | | 28 |\n"
        "| A **int8 kl** | int8 kl | 27 |\n| B | w8a8 | 26 |\n"
    )


def test_a_long_header_row_is_called_by_the_heading_above() -> None:
    columns = " | ".join(f"Set5 of {n}" for n in range(30))
    (message,) = messages(f"## All sets\n\n| {columns} |\n|{'-|' * 30}\n| {'37.1 | ' * 30}\n")
    assert message.startswith(
        "zoo/README.md:5:3: table 'All sets': nothing reads '37.1' and 29 more"
    )


def test_what_to_put_in_the_card_is_toml_whatever_the_header_holds() -> None:
    (message,) = messages(MODELS.format('"a"\x1b?', "7 or 8"))
    told = re.search(r"ignore_columns = .*? }", message)
    assert told
    assert tomllib.loads(told[0]) == {"ignore_columns": {'"a"\x1b?': "why"}}
    assert tomllib.loads(message.partition("say what it is:")[2])["table"]
