"""Timings stand beside a network's scores, in columns that are there only if needed."""

from dataclasses import replace

from sr_bench.report.parts.speed import join_speed
from tests.report.records import record, without_value
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
