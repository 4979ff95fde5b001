"""int8 is never shown without how it was made; shared images are never passed over."""

from dataclasses import replace

from sr_bench.core.detail import Detail
from sr_bench.core.record import Record, Status
from sr_bench.report.markdown.escape import escape
from sr_bench.report.markdown.family import render_family
from sr_bench.report.parts.provenance import device_lines, int8_lines, lr_lines, shared_lines
from tests.report.records import record
from tests.report.sessions import closing

QUANTISED = Detail(
    observer="kl",
    calibration_set="photos_x2",
    calibration_images="16",
    int8_share="0.9912",
    float_operators="MatMul 'qk'",
    int8_layers="11 of 12 int8 layers run in integers",
    int8_kernel="uint8 x int8",
)


def _int8(**more: str) -> Record:
    return replace(
        record(None, status=Status.NEW), precision="int8_kl", detail=replace(QUANTISED, **more)
    )


def test_each_int8_network_is_described_once() -> None:
    sentence = (
        "m_x2 int8_kl: clip ranges by kl from 16 images of photos_x2; 99.1 % of the MACs in int8;"
        " in float, as they can't be quantised: MatMul 'qk';"
        " 11 of 12 int8 layers run in integers; uint8 x int8"
    )
    assert int8_lines([_int8(), record(), _int8()]) == [sentence]
    page = render_family("zoo", [], [_int8(), record()])
    assert "## How int8 was made" in page
    assert "from 16 images of photos_x2" in page


def test_a_run_without_int8_says_nothing_of_it() -> None:
    assert int8_lines([record()]) == []
    assert "int8" not in render_family("zoo", [], [record()])


def test_another_processor_than_the_sessions_is_named_once() -> None:
    foreign = replace(record(), detail=Detail(measured_on="CPU B"))
    assert device_lines([foreign, record(), foreign]) == ["measured on CPU B"]
    assert "measured on CPU B" in closing([foreign])


def test_shared_images_are_named_on_the_page_and_in_the_terminal() -> None:
    shared = [_int8(calibration_shared="a, b")]
    sentence = "m_x2 int8_kl is calibrated with images that it is judged on: a, b"
    assert shared_lines(shared) == [sentence]
    assert sentence in closing(shared)
    assert f"- **{sentence}**" in render_family("zoo", [], shared)
    assert shared_lines([_int8()]) == []


def test_lr_that_was_made_from_hr_is_said_in_every_report() -> None:
    made = [replace(_int8(), detail=Detail(lr_made_by="matlab_bicubic"))] * 2
    sentence = f"LR of {made[0].dataset} made from HR by matlab_bicubic"
    assert lr_lines(made) == [sentence]
    assert sentence in closing(made)
    assert f"**{escape(sentence)}.**" in render_family("zoo", [], made)
    assert lr_lines([_int8()]) == []


def test_ranges_that_say_little_of_their_origin_are_shown_without_it() -> None:
    bare = replace(_int8(), detail=Detail(observer="kl", int8_share="most"))
    assert int8_lines([bare]) == ["m_x2 int8_kl: clip ranges by kl; most of the MACs in int8"]


def test_weights_that_their_packager_rounded_are_named_in_every_report() -> None:
    rounded = [
        replace(record(), detail=Detail(weights="weights rounded to fp16 by their packager"))
    ]
    sentence = "m_x2 fp32: weights rounded to fp16 by their packager"
    assert shared_lines(rounded) == [sentence]
    assert sentence in closing(rounded)
    assert f"- **{sentence}**" in render_family("zoo", [], rounded)


def test_a_file_that_the_card_gives_is_named_on_the_page_and_in_the_terminal() -> None:
    note = "the file low.onnx of the card, measured as it is"
    given = [replace(record(), detail=Detail(given_file=note, integer_share="0.5"))]
    sentence = f"m_x2 fp32: {note}"
    assert shared_lines(given) == [sentence]
    assert sentence in closing(given)
    page = render_family("zoo", [], given)
    assert f"- **{sentence}**" in page
    assert "- m_x2 fp32: 50.0 % of the MACs in integers on plain onnxruntime" in page
