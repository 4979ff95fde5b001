"""Timings stand beside a network's scores, in columns that are there only if needed."""

from dataclasses import replace

from sr_bench.report.parts.provenance import device_lines
from sr_bench.report.parts.speed import join_speed
from tests.report.records import CLAIM, record, without_value
from tests.report.sessions import latency

FAST = {"images_per_s": 81.04, "peak_mb": 411.6}


def cells(*records):
    joined = join_speed(records)
    return {column.title: column.cells for column in joined.columns}


def test_a_timing_becomes_columns_of_the_rows_of_its_network() -> None:
    psnr, other = record(), replace(record(), precision="fp16")
    joined = join_speed([psnr, other, latency(**FAST)])
    assert joined.rows == (psnr, other)
    assert cells(psnr, other, latency(**FAST)) == {
        "ms per image": ("12.3", ""),
        "images/s": ("81", ""),
        "peak MB": ("412", ""),
    }
    assert [column.short for column in joined.columns] == ["ms", "img/s", "MB"]


def test_a_column_without_a_value_is_absent() -> None:
    assert cells(record(), latency()) == {"ms per image": ("12.3",)}
    assert cells(record()) == {}


def test_only_the_same_family_model_precision_and_backend_is_joined() -> None:
    for change in ("family", "model", "precision", "backend"):
        stranger = replace(latency(), **{change: "another"})
        joined = join_speed([record(), stranger])
        assert joined.rows == (record(), stranger)
        assert joined.columns[0].cells == ("", "12.3")


def test_a_row_that_was_not_measured_has_no_timing() -> None:
    absent = without_value(record())
    assert join_speed([absent, latency()]).rows == (absent, latency())
    assert cells(record(), absent, latency()) == {"ms per image": ("12.3", "")}


def test_a_timing_that_did_not_run_is_a_row_that_says_why() -> None:
    joined = join_speed([record(), latency(None)])
    assert joined.rows == (record(), latency(None))
    assert joined.columns == ()


def test_timings_of_several_shapes_name_them() -> None:
    small, large = latency(1.5, shape="3x64x64"), latency(1212.7, shape="3x512x512")
    assert cells(record(), small, large) == {"ms per image": ("1.5 (3x64x64), 1213 (3x512x512)",)}
    absent = latency(None, shape="3x512x512")
    assert cells(record(), small, absent) == {"ms per image": ("1.5", "")}


def test_timings_without_a_row_to_join_have_one_each() -> None:
    assert cells(latency(1.0), latency(2.0)) == {"ms per image": ("1", "2")}


def low(ms: float, ratio: float, spread: float = 0.05, model: str = "m_x2"):
    notes = {"of_fp32": ratio, "of_fp32_low": ratio - spread, "of_fp32_high": ratio + spread}
    return replace(latency(ms, **notes), precision="int8_kl", model=model)


def test_a_low_precision_that_is_slower_than_fp32_is_named() -> None:
    slow, fast, unsure = low(9, 1.31), low(3, 0.44, model="b"), low(6, 1.02, model="c")
    assert device_lines([latency(7), slow, fast, unsure, slow]) == [
        "slower than fp32, timed in turn: m_x2 int8_kl 1.31 times its time"
    ]
    assert device_lines([latency(7), fast]) == []
    many = [low(9, 1.31, model=f"m{number}") for number in range(8)]
    (line,) = device_lines(many)
    assert line.endswith("m5 int8_kl 1.31 times its time and 2 more")


def test_the_ratio_to_fp32_is_a_column() -> None:
    scored = replace(record(), precision="int8_kl")
    assert cells(scored, low(9, 1.31))["times as long as fp32"] == ("1.31",)


def test_a_time_that_a_document_prints_too_is_one_row() -> None:
    printed = replace(latency(7), claim=replace(CLAIM, metric="latency"))
    assert join_speed([printed, latency(7)]).rows == (printed,)
    blank = replace(latency(7), place=CLAIM.source)
    assert cells(record(), blank, latency(7))["ms per image"] == ("7", "7")
    other = latency(7, shape="3x9x9")
    assert join_speed([printed, other]).rows == (printed, other)


def test_the_time_of_a_batch_is_shown_for_an_image() -> None:
    assert cells(latency(40, images_per_s=100))["ms per image"] == ("10",)
