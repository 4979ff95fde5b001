"""What a card says of a table is read before what the table's own words say."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.told import ToldTable
from sr_bench.document.claims import read
from sr_bench.document.draft import draft
from sr_bench.document.printed import unread_numbers
from sr_bench.document.tables import parse_document
from sr_bench.document.told import read_meaning, spelling_faults

TEXT = """# Zoo

## First

| Net | Set5 | Mine | Rank |
|-|-|-|-|
| owl | 37.1 | 31.5 | 1 |
| wren (x3) | 34.2 | 29.1 | 2 |

## Second

| What | owl |
|-|-|
| Sharpness | 30.1 |
| Weight | 1500 |
"""


def claims(*told: ToldTable) -> list[str]:
    document = replace(parse_document(TEXT, "x.md"), told=told)
    rows = (row for table in read(document).tables for row in table.rows)
    numbers = (claim for row in rows for claim in row.claims)
    return [
        f"{one.row} {one.dataset} x{one.scale} {one.precision} {one.metric} {one.value:g}"
        for one in sorted(numbers, key=lambda one: one.source)
    ]


def test_columns_rows_and_the_whole_table_are_what_the_card_says() -> None:
    first = ToldTable(
        heading="First",
        columns={"Set5": "psnr @ Set5", "mine": "ssim @ My Faces x2 int8 kl", "Rank": "ignore: no"},
        scale=4,
    )
    second = ToldTable(
        header="what  | OWL",
        columns={"owl": "model: owl", "What": "remark"},
        rows={"Sharpness": "psnr", "Weight": "params [K] @ Set5"},
    )
    assert claims(first, second) == [
        "owl Set5 x4 fp32 psnr 37.1",
        "owl My Faces x2 int8_kl ssim 31.5",
        "wren (x3) Set5 x4 fp32 psnr 34.2",
        "wren (x3) My Faces x2 int8_kl ssim 29.1",
        "owl  x0 fp32 psnr 30.1",
        "owl Set5 x0 fp32 params 1.5",
    ]


def test_one_metric_may_be_told_for_all_numbers_that_name_none() -> None:
    told = ToldTable(line=5, metric="psnr", precision="fp16", columns={"Mine": "@ mine"})
    assert claims(told)[:2] == ["owl Set5 x0 fp16 psnr 37.1", "owl mine x0 fp16 psnr 31.5"]


@pytest.mark.parametrize(
    "head",
    [
        "Net | Params (K) | Set5 PSNR/SSIM x2 | Latency [s] | INT8 mAP (%)",
        "Arch | B100 | Urban100 | Note | FLOPs(M)",
        "Dataset | Scale | wren | owl",
    ],
)
def test_a_pasted_draft_reads_what_the_words_say(head: str) -> None:
    width = head.count("|") + 1
    text = f"## SSIM\n\n| {head} |\n{'|-' * width}|\n| x | 2{' | 3' * (width - 2)} |\n"
    document = parse_document(text, "x.md")
    (layout,) = read(document).layouts
    told = tomllib.loads(draft(layout))["table"][0]
    pasted = replace(document, told=(ToldTable(**told),))
    assert read(pasted).tables == read(document).tables
    assert read(document).tables[0].rows


def _told(text: str, told: ToldTable) -> list[str]:
    tables = read(replace(parse_document(text, "x.md"), told=(told,))).tables
    numbers = (claim for table in tables for row in table.rows for claim in row.claims)
    return [f"{one.row} {one.dataset} {one.precision} {one.metric} {one.text}" for one in numbers]


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr><td>owl</td><td>31.5</td><td>0.9</td></tr></table>\n",
        "| | a | |\n|-|-|-|\n| owl | 31.5 | 0.9 |\n",
        "| a | a | a |\n|-|-|-|\n| owl | 31.5 | 0.9 |\n",
    ],
)
def test_a_column_without_a_header_of_its_own_is_told_by_its_place(text: str) -> None:
    (layout,) = read(parse_document(text, "x.md")).layouts
    drafted = tomllib.loads(draft(layout))["table"][0]["columns"]
    assert {"column 1", "column 3"} <= set(drafted)
    means = {"column 1": "model", "column 2": "psnr", "column 3": "ssim @ Set5"}
    told = ToldTable(line=1, columns=means)
    assert _told(text, told) == ["owl  fp32 psnr 31.5", "owl Set5 fp32 ssim 0.9"]


def test_a_row_may_be_of_a_model_and_more() -> None:
    text = "| no | number |\n|-|-|\n| 1 | 31.5 |\n| 2 | 30.5 |\n| 3 | 0.2 |\n"
    told = ToldTable(
        line=1,
        columns={"no": "remark", "number": "value"},
        rows={
            **{"1": "psnr @ Set5; model: owl", "2": "model: owl; precision: int8; psnr"},
            "3": "model: elk; params [M]",
        },
    )
    assert not list(spelling_faults(told))
    assert _told(text, told) == [
        *("owl Set5 fp32 psnr 31.5", "owl  int8 psnr 30.5", "elk  fp32 params 0.2")
    ]


def test_a_table_is_meant_only_if_all_that_is_given_fits() -> None:
    assert claims(ToldTable(heading="First", line=6, metric="psnr")) == claims()
    assert claims(ToldTable(heading="First", line=5, metric="psnr")) != claims()


def test_what_a_card_ignores_in_a_table_is_neither_read_nor_unread() -> None:
    told = ToldTable(heading="First", metric="psnr", columns={"Mine": "ignore: not ours"})
    printed = read(replace(parse_document(TEXT, "x.md"), told=(told,))).printed
    ignored = [one.text for one in printed if one.ignored]
    assert ignored == ["31.5", "29.1"]
    assert all("31.5" not in one.message for one in unread_numbers(printed))


def test_the_example_of_the_page_says_what_its_words_do_not(project_root: Path) -> None:
    page = (project_root / "docs" / "reference" / "tables.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(\[\[table\]\].*?)```", page, re.DOTALL)
    told = ToldTable(**tomllib.loads(example)["table"][0])
    assert not list(spelling_faults(told))
    text = f"| {told.header} |\n|-|-|-|-|\n| owl | 5 | 31 | 7 |\n"
    (table,) = read(replace(parse_document(text, "x.md"), told=(told,))).tables
    numbers = [claim for row in table.rows for claim in row.claims]
    assert [(one.metric, one.dataset, one.value) for one in numbers] == [
        *(("params", "", 0.005), ("psnr", "Set5", 31))
    ]


@pytest.mark.parametrize(
    "text", ["", "?", "? @ Set5", "scale: big", "precision: soft", "@", "psnr;"]
)
def test_a_spelling_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected one of model, source"):
        read_meaning(text)
    (fault,) = spelling_faults(ToldTable(line=1, columns={"A": text}))
    assert fault.startswith("columns.'A': expected one of model, source, dataset")


def test_a_table_that_nothing_names_and_a_precision_that_is_none_are_refused() -> None:
    first, second, third = spelling_faults(ToldTable(precision="soft", metric="?"))
    assert first == "expected heading, line or header, to say which table is meant"
    assert second == "metric: expected what the ? stands for, got '?'"
    assert third.startswith("precision: expected one such as fp32")
