"""The header says what runs, and the closing table what was claimed and measured."""

from dataclasses import replace

from sr_bench.core.backend import BackendInfo
from sr_bench.core.detail import Detail
from sr_bench.core.record import Status, Verdict
from sr_bench.report.terminal.session import header, summary
from tests.report.records import CLAIM, emulated, record, with_interval, without_value
from tests.report.sessions import HOSTILE, closing, ended, latency, with_floor

ASKED = ("zoo", CLAIM)
VACC = BackendInfo("vacc", "1", "emulated", emulated=True, note="by onnxruntime")
SSIM = replace(CLAIM, metric="ssim", text="0.915")


def cells(line: str) -> list[str]:
    return [cell for cell in line.split("  ") if cell.strip()]


def test_the_header_counts_claims_suites_and_new_cases() -> None:
    lines = header([ASKED, ASKED, ("other", None)], VACC)
    assert lines[0].endswith(": 2 claims in 2 suites, plus 1 unclaimed measurement")
    assert lines[1].startswith("backend vacc: EMULATED")
    assert header([ASKED], VACC)[0].endswith(": 1 claim in 1 suite")


def test_a_device_is_not_called_emulated() -> None:
    card = replace(VACC, emulated=False, note="firmware 2")
    assert header([ASKED], card)[1] == "backend vacc: firmware 2"


def test_the_table_has_a_line_for_each_measured_claim() -> None:
    lines = closing([record(), record(SSIM, 0.9153), record(None, 31.5, status=Status.NEW)])
    assert lines[0].split() == [
        "model",
        "precision",
        "metric",
        "claimed",
        "measured",
        "delta",
        "status",
    ]
    table = [[cell.strip() for cell in cells(line)] for line in lines[2:5]]
    assert table == [
        ["m_x2", "fp32", "psnr on set5_x2", "30.10", "30.10", "+0.004", "match"],
        ["ssim on set5_x2", "0.915", "0.915", "+0.0003", "match"],
        ["psnr on set5_x2", "-", "31.5000", "-", "new"],
    ]
    assert lines[-1] == "2 match of 3, 1 new"


def test_every_emulated_line_says_so_itself() -> None:
    about = replace(CLAIM, backend="vacc")
    lines = closing([emulated(record(about)), emulated(record(replace(SSIM, backend="vacc"), 0.9))])
    assert [line.endswith("not_run (emulated)") for line in lines[2:4]] == [True, True]
    assert "vacc fp32" in lines[2]


def test_two_readings_of_a_device_are_shown_as_an_interval_in_the_claims_digits() -> None:
    lines = closing([with_interval(record(), 30.5), record(SSIM, 0.9153)])
    assert "interval" in lines[0]
    assert "30.10 .. 30.50" in lines[2]
    assert ".." not in lines[3]
    assert any(line.startswith("interval: by two readings of the card's int8") for line in lines)
    assert "30.05 .. 30.10" in closing([with_interval(record(), 30.05)])[2]


def test_without_two_readings_there_is_no_such_column() -> None:
    assert not any("interval" in line for line in closing([record()]))


def test_what_must_be_known_of_the_device_is_shown_once() -> None:
    detail = Detail(adapter="never executed", warning="hangs before SDK 2.0")
    lines = closing([replace(record(), detail=detail), replace(record(SSIM, 0.9), detail=detail)])
    assert lines.count("never executed") == 1
    assert lines.count("m_x2 fp32: hangs before SDK 2.0") == 1


def test_models_of_one_name_in_two_families_are_told_apart() -> None:
    lines = closing([record(), replace(record(SSIM, 0.9153), family="other")])
    assert [line.startswith("m_x2") for line in lines[2:4]] == [True, True]


def test_what_was_not_run_is_counted_by_its_reason() -> None:
    records = [
        without_value(record(), "no weights\nmore"),
        without_value(record(), "no weights\nx"),
    ]
    lines = closing([*records, without_value(record(), "no images")])
    assert "not run:" in lines
    assert "    1 x no images" in lines
    assert lines[-1] == "3 not_run"


def test_many_reasons_are_cut_and_counted() -> None:
    lines = closing([without_value(record(), f"reason {i}") for i in range(9)])
    assert sum(" x reason" in line for line in lines) == 6
    assert "  and 3 more reasons: see latest.json, or pytest -rs" in lines


def test_a_claim_that_ended_in_an_error_has_a_row() -> None:
    error = replace(
        without_value(record(SSIM)), verdict=Verdict(Status.ERROR, "boom", claimed=0.915)
    )
    lines = closing([record(), error])
    assert cells(lines[3])[-1].strip() == "error"
    assert [cell.strip() for cell in cells(lines[3])][:3] == ["ssim on set5_x2", "0.915", "-"]
    assert lines[-1] == "1 match of 2, 1 error"


def test_without_a_measurement_there_is_no_table() -> None:
    assert not any("claimed" in line for line in closing([without_value(record())]))


def test_timings_are_short_columns_beside_the_first_row_of_their_network() -> None:
    lines = closing([record(), record(SSIM, 0.9153), latency(images_per_s=81.0, peak_mb=412.0)])
    assert lines[0].split()[5:] == ["delta", "ms", "img/s", "MB", "status"]
    assert lines[2].split()[-5:] == ["+0.004", "12.3", "81", "412", "match"]
    assert lines[3].split()[-2:] == ["+0.0003", "match"]
    assert not any("latency" in line for line in lines)


def test_without_timings_there_are_no_such_columns() -> None:
    assert closing([record()])[0].split()[5:] == ["delta", "status"]
    assert closing([record(), latency(None)])[0].split()[5:] == ["delta", "status"]


def test_a_timing_alone_has_a_row() -> None:
    lines = closing([latency()])
    assert lines[2].split() == ["m_x2", "fp32", "latency", "-", "12.345", "-", "12.3", "new"]


def test_a_model_below_its_floor_is_listed_once() -> None:
    low = [with_floor(record(), 31.365), with_floor(record(SSIM, 0.5), 0.8985)]
    lines = [line for line in closing([*low, with_floor(record(), 30.0)]) if "bicubic" in line]
    assert lines == [
        "m_x2 fp32: psnr on set5_x2 is 30.104 dB, below bicubic 31.365 dB: check channel order,"
        " value range, half-pixel shift (and 1 more of its values)"
    ]


def test_no_name_commands_the_terminal() -> None:
    names = dict.fromkeys(("model", "dataset", "precision"), HOSTILE)
    absent = without_value(record(), HOSTILE)
    detail = Detail(warning=HOSTILE)
    lines = closing([replace(record(), **names, detail=detail), replace(absent, **names)])
    assert not any("\x1b" in line for line in lines)
    assert sum(r"\x1b[2J" in line for line in lines) == 3
    assert lines[2].endswith("match")
    assert "\x1b" not in header([ASKED], replace(VACC, note=HOSTILE))[1]


def test_of_many_values_those_that_need_somebody_are_shown_numbers_first() -> None:
    fine = [ended(Status.MATCH, line, 30.1) for line in range(10, 30)]
    worse = [ended(Status.UNDECIDED, 30), ended(Status.BETTER, 31, 31.2), ended(Status.DIFFERS, 32)]
    lines = closing([*fine, *worse])
    assert lines[:5] == [
        "3 values to look at:",
        "  30.10 -> 29.50 differs    m_x2 fp32 PSNR on set5_x2  README.md:32:22",
        "  30.10 -> 31.20 better     m_x2 fp32 PSNR on set5_x2  README.md:31:22",
        "  30.10 -> 29.50 undecided  m_x2 fp32 PSNR on set5_x2  a reason",
        "",
    ]
    assert lines[-1] == "20 match of 23, 1 differs, 1 better, 1 undecided"
    assert not any("claimed" in line for line in lines)
    table = closing([*fine, *worse], verbose=True)
    assert sum(line.endswith(("match", "differs", "better", "undecided")) for line in table) >= 23


def test_a_suite_has_one_line_with_why_values_are_missing() -> None:
    fine = [ended(Status.MATCH, line, 30.1) for line in range(10, 30)]
    absent = [without_value(record(), f"no files of set{n}; run 'x'") for n in (5, 5, 14)]
    other = [replace(row, family="b") for row in (*fine[:2], record(status=Status.WITHIN))]
    lines = closing([*fine, *absent, *other])
    assert lines[:3] == [
        "zoo  20 match of 23, 3 not_run  2 no files of set5, and 1 other reason",
        "b    2 match + 1 within of 3",
        "",
    ]


def test_the_colour_tells_how_the_worst_of_a_line_ended() -> None:
    fine = [ended(Status.MATCH, line, 30.1) for line in range(10, 30)]
    other = replace(record(), family="other")
    lines = summary([*fine, ended(Status.LOSS, 31), other])
    colours = {line.text[:5]: line.status for line in lines}
    assert (colours["zoo  "], colours["other"], colours["21 ma"]) == (
        Status.LOSS,
        None,
        Status.LOSS,
    )
    assert summary(fine)[-1].status is Status.MATCH
    assert summary([without_value(record())])[-1].status is Status.NOT_RUN  # nothing passed


def test_no_line_of_many_values_is_wider_than_the_terminal() -> None:
    rows = [replace(ended(Status.DIFFERS, line), family="zoo" * 30) for line in range(10, 30)]
    lines = closing([*rows, without_value(record(), "no " * 50)], width=60)
    assert max(map(len, lines)) == 60
    assert sum(line.endswith("...") for line in lines) >= 2
    assert "  and 8 more: --sr-verbose prints all rows" in lines


def test_times_that_have_become_columns_count_as_no_rows() -> None:
    fine = [ended(Status.MATCH, line, 30.1) for line in range(10, 26)]
    assert any("claimed" in line for line in closing([*fine, latency(), latency()]))
    assert not any("claimed" in line for line in closing([*fine, ended(Status.MATCH, 26, 30.1)]))


def test_a_narrow_terminal_has_fewer_columns_and_then_a_line_for_each_row() -> None:
    rows = [with_interval(record(), 30.5), record(SSIM, 0.9153)]
    heads = {width: closing(rows, width=width)[0].split() for width in (140, 88, 80)}
    assert heads[140][5:] == ["interval", "delta", "status"]
    assert heads[88][5:] == ["delta", "status"]
    assert heads[80][5:] == ["status"]
    assert closing(rows, width=60)[:2] == [
        "  30.10 -> 30.10 match  m_x2 fp32 PSNR on set5_x2",
        "  0.915 -> 0.915 match  m_x2 fp32 SSIM on set5_x2",
    ]
