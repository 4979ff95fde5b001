"""The table of a paper holds each measured value once, and says what must be known of it."""

from dataclasses import replace

import pytest

from sr_bench.core.detail import Detail
from sr_bench.core.precision import Precision
from sr_bench.core.record import Measurement, Record, Status
from sr_bench.errors import NotRunError
from sr_bench.report.parts.paper import PaperTable, measured_once, paper_table
from tests.report.records import CLAIM, emulated, record, with_interval, without_value
from tests.report.sessions import HOSTILE, ended, latency, past_session

MAX = Precision("int8_max")


def table(*records: Record) -> PaperTable:
    return paper_table(past_session(records))


def cells(*records: Record) -> list[tuple[str, ...]]:
    return [row[2:] for row in table(*records).rows]


def counted(text: str = "1592", value: float = 1.592, rule: str = "standard") -> Record:
    """Return a number of parameters that the document prints in thousands."""
    claim = replace(CLAIM, metric="params", text=text, unit="K", exponent=-3)
    return replace(record(claim, value), inputs={"rule": rule, "shape": "3x8x8"})


def test_a_model_has_a_row_for_each_precision_and_a_column_for_each_metric() -> None:
    ssim = record(replace(CLAIM, metric="ssim", text="0.9100"), 0.91)
    low = record(replace(CLAIM, precision=MAX), 30.0)
    made = table(latency(), ssim, record(), low, counted())
    assert made.groups == ("", "", "", "set5 ×2", "set5 ×2", "")  # noqa: RUF001
    assert made.titles == (
        *("Model", "Precision", "Params (M) ↓", "PSNR (dB)", "SSIM", "latency (ms) ↓"),
    )
    assert made.rows == (
        ("m_x2", "fp32", "1.592", "30.10", "0.9100", "12.345"),
        ("m_x2", "int8_max", "-", "30.00", "-", "-"),
    )


def test_of_rows_that_print_one_value_the_judged_one_counts() -> None:
    device = emulated(record(replace(CLAIM, backend="vacc", text="30.1000")))
    judged = replace(record(replace(CLAIM, backend="vacc-emulated")), device="emulated")
    longer = replace(record(replace(CLAIM, text="30.104")), device="emulated")
    assert measured_once([device, replace(judged, backend="vacc")])[0].verdict.tolerance
    assert cells(device, judged) == [("30.10",)]
    assert cells(device, judged, longer) == [("30.104",)]


def test_variants_of_a_row_stand_in_one_cell() -> None:
    other = replace(counted("1593", 1.593), claim=replace(counted("1593").claim, variant="8x8"))
    assert cells(counted(), other) == [("1.592 / 1.593",)]


def test_a_second_protocol_has_columns_of_its_own() -> None:
    made = table(record(), replace(record(), protocol="native_rgb"))
    assert made.groups[2:] == ("set5 ×2 (paper_y)", "set5 ×2 (native_rgb)")  # noqa: RUF001


def test_models_of_one_name_are_told_by_their_families() -> None:
    made = table(record(), replace(record(), family="other"))
    assert [row[0] for row in made.rows] == ["other/m_x2", "zoo/m_x2"]


@pytest.mark.parametrize(
    ("status", "mark", "note"),
    [
        (Status.DIFFERS, "*", "* not what the document prints: m_x2 fp32 PSNR on set5 ×2: 30.10"),  # noqa: RUF001
        (Status.KNOWN_GAP, "*", "* not what"),
        (Status.LOSS, "§", "§ worse than its gate allows: m_x2 fp32 PSNR"),
        (Status.MATCH, "", ""),
    ],
)
def test_what_is_wrong_with_a_value_is_marked_and_noted(status, mark, note) -> None:
    made = table(ended(status))
    assert made.rows[0][2] == f"29.50{mark}"
    assert any(text.startswith(note) for text in made.notes)
    if status is Status.DIFFERS:
        assert "30.10 printed, -0.600" in " ".join(made.notes)


def test_a_part_of_the_images_is_marked() -> None:
    base = record()
    part = replace(base, measurement=replace(base.measurement, planned=5))
    made = table(part)
    assert made.rows[0][2] == "30.10‡"
    assert "‡ of a part of the images: m_x2 fp32 PSNR on set5 ×2: 2 of 5 images" in made.notes  # noqa: RUF001


def test_an_emulation_is_marked_once_or_value_by_value() -> None:
    alone = table(emulated(record()), counted())
    assert alone.rows[0][2:] == ("1.592", "30.10")
    assert "Every value on images: emulated, no vacc device took part" in alone.notes
    mixed = table(emulated(record()), record(replace(CLAIM, precision=MAX)))
    assert [row[2] for row in mixed.rows] == ["30.10†", "30.10"]
    assert "†: emulated, no vacc device took part" in mixed.notes


def test_two_readings_of_a_device_are_an_interval() -> None:
    made = table(with_interval(record(), 29.9))
    assert made.rows[0][2] == "29.90 .. 30.10"
    assert any(note.startswith("interval: by two readings") for note in made.notes)


def test_how_values_were_measured_is_said_by_model_only_where_they_differ() -> None:
    lr = Detail(lr_made_by="matlab_bicubic")
    made = table(replace(record(), detail=lr), counted(), replace(counted(), model="n"))
    assert made.notes[:2] == (
        "set5 ×2: protocol paper_y, 2 images, LR made from HR by matlab_bicubic",  # noqa: RUF001
        "Params: by the rule standard on 3x8x8",
    )
    assert made.notes[-1] == "Measured by sr-bench, run 20261121T091430-b65233, commit 0123abcd"
    other = replace(counted(rule="thop"), model="n")
    assert table(counted(), other).notes[0] == (
        "Params: by the rule standard on 3x8x8 (m_x2); by the rule thop on 3x8x8 (n)"
    )


def test_names_are_one_line_without_control_characters() -> None:
    made = table(replace(record(), model=HOSTILE))
    assert "\n" not in made.rows[0][0]
    assert "\x1b" not in made.rows[0][0]


def test_infinity_is_a_value_and_nothing_is_an_error() -> None:
    perfect = replace(record(), measurement=Measurement("psnr", "dB", float("inf")))
    assert cells(perfect) == [("inf",)]
    with pytest.raises(NotRunError, match="measured nothing of this"):
        table(without_value(record()))
