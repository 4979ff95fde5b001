"""A case over time is a chart, a row for each value with what changed, and a trend."""

import re
from dataclasses import replace

from sr_bench.core.codec import encode
from sr_bench.core.history import Environment, Point
from sr_bench.core.trend import Moment, Series
from sr_bench.history.over_time import history_case, value_text
from sr_bench.report.terminal.history import history_lines, sparkline
from tests.core.test_trend import ENVIRONMENT, POINT, case, info


def cells(line: str) -> list[str]:
    """Return the cells of a line: what two spaces or more separate."""
    return re.split(r" {2,}", line)


def lines_of(series: Series, *, limit: int = 20, incomplete: tuple[str, ...] = ()) -> list[str]:
    return history_lines(history_case(series, incomplete), limit=limit)


def of_two(point: Point, environment: Environment = ENVIRONMENT) -> list[str]:
    """Return the last row of a table of two values."""
    now = replace(info(8), environment=environment)
    pair = Series((Moment(info(1), POINT), Moment(now, point)))
    return cells(lines_of(pair)[-2])


def test_a_case_is_shown_in_full() -> None:
    lines = lines_of(case([30.0, 30.01, 30.02]))
    assert lines[0] == "zoo/m-fp32-set5_x2-psnr on torch (cpu)"
    assert lines[1] == "▁▅█  30.0000 .. 30.0200 dB"
    assert cells(lines[2]) == [
        *("when (UTC)", "run", "commit", "value", "delta", "margin", "status", "changed"),
    ]
    assert cells(lines[4]) == ["2026-11-01 09:00", "run-1", "abc", "30.0000", "+0", "0.05", "match"]
    assert cells(lines[6])[3:] == ["30.0200", "+0.02", "0.03", "match"]
    assert lines[7:] == [
        "trend: 0.03 dB of margin left, -0.01 dB per week: used up about 2026-12-06"
        " (3 values since 2026-11-01)"
    ]


def test_only_the_newest_are_shown_and_the_trend_is_of_all() -> None:
    lines = lines_of(case([30.0, 30.01, 30.02]), limit=2)
    assert [cells(line)[1] for line in lines[4:6]] == ["run-8", "run-15"]
    assert lines[6] == "and 1 older: see them with --limit 3"
    assert "(3 values since 2026-11-01)" in lines[7]
    assert "older" not in "".join(lines_of(case([30.0, 30.01, 30.02]), limit=3))


def test_what_repeats_is_counted_but_for_the_newest() -> None:
    lines = lines_of(case([30.0, 30.0, 30.0, 30.01, 30.01, 30.01], step=1))
    shown = [cells(line)[1] for line in lines[4:-1]]
    assert shown == ["run-1", "2 runs alike", "run-4", "run-5", "run-6"]


def test_each_kind_of_trend_is_a_sentence() -> None:
    def says(*values: float, **changes: object) -> str:
        return lines_of(case(values, **changes))[-1]

    seen = " (3 values since 2026-11-01)"
    assert says(30.0, 30.0) == "trend: not known before 3 values that compare, over a day or more"
    assert says(30.0, 30.0, 30.0) == f"trend: 0.05 dB of margin left, steady{seen}"
    assert says(30.02, 30.01, 30.0) == f"trend: 0.05 dB of margin left, +0.01 dB per week{seen}"
    assert says(30.0, 30.0, 30.25).startswith("trend: 0.2 dB beyond the tolerance, -0.12 dB per")
    alone = {"claimed": None, "tolerance": None}
    assert says(30.0, 30.5, 31.0, **alone) == f"trend: 31.0000 dB, +0.5 dB per week{seen}"
    ssim = says(0.9, 0.9, 0.9, metric="ssim", **alone)
    assert ssim == f"trend: 0.900000, steady{seen}"


def test_what_changed_is_named() -> None:
    inputs = {"network": "abcdef0123456789", "data": "d"}
    now = replace(POINT, inputs=inputs, protocol="rgb", claimed=30.01)
    newer = replace(ENVIRONMENT, packages={"numpy": "2.1"}, cpu="new", commit="def")
    assert of_two(now, newer)[7] == (
        "network, protocol paper_y -> rgb, claimed 30.0 -> 30.01, numpy absent -> 2.1 and 1 more"
    )
    inputs = {**POINT.inputs, "backend": "acme 1.1"}
    assert of_two(replace(POINT, inputs=inputs))[7] == "backend absent -> acme 1.1"
    assert of_two(replace(POINT, device="cuda"))[7] == "device cpu -> cuda"
    assert len(of_two(POINT)) == 7
    inputs = {**POINT.inputs, "device": "x"}
    assert of_two(replace(POINT, device="cuda", inputs=inputs))[7] == "device absent -> x"
    timed = replace(POINT, inputs={**POINT.inputs, "cpu": "new"})
    assert of_two(timed, replace(ENVIRONMENT, cpu="new"))[7] == "cpu absent -> new"


def test_four_changes_are_not_cut() -> None:
    newer = replace(ENVIRONMENT, packages={"a": "1", "b": "1", "c": "1"}, cpu="x")
    assert "more" not in of_two(POINT, newer)[7]
    assert of_two(POINT, newer)[7].endswith("cpu cpu -> x")


def test_an_emulated_or_partial_value_and_a_run_that_did_not_end_say_so() -> None:
    partial = case([30.0, 30.1], device="emulated", images=2)
    lines = lines_of(partial, incomplete=("run-8",))
    assert cells(lines[4])[1] == "run-1"
    assert cells(lines[5])[1] == "run-8 (did not end)"
    assert cells(lines[5])[6] == "match (emulated) (2 of 5 images)"


def test_a_value_that_is_missing_is_a_dash() -> None:
    lines = lines_of(case([30.0, None], claimed=None))
    assert lines[1] == "▅  30.0000 dB"
    assert cells(lines[4])[3:6] == ["30.0000", "-", "-"]
    assert cells(lines[5])[3:6] == ["-", "-", "-"]


def test_values_that_cannot_be_drawn_are_left_out_of_the_chart() -> None:
    assert lines_of(case([30.0, float("inf")]))[1] == "▅  30.0000 dB"
    assert lines_of(case([float("inf")]))[1] == "no value that can be drawn"
    assert cells(lines_of(case([float("inf")]))[4])[3] == "inf"


def test_a_chart_reaches_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0.0, 1.0, 3.0, 7.0, -7.0]) == "▅▅▆█▁"
    assert sparkline([3.0, 3.0]) == "▅▅"
    values = [float(i**2) for i in range(70)]
    drawn = lines_of(case(values, step=0))[1]
    assert drawn.partition(" ")[0] == sparkline(values[10:])


def test_numbers_have_the_decimals_of_their_metric() -> None:
    assert value_text("ssim", 0.9) == "0.900000"
    assert value_text("latency", 12.0) == "12.000"
    assert value_text("lpips", 0.5) == "0.5000"
    assert value_text("psnr", None) == "-"


def test_a_cost_names_no_backend() -> None:
    lines = lines_of(case([1.0], metric="flops", device="", case_id="m-fp32-flops"))
    assert lines[0] == "zoo/m-fp32-flops"
    assert lines[1] == "▅  1.000 G"


def test_hostile_names_move_no_cursor() -> None:
    evil = replace(POINT, case_id="m\x1b[2J", protocol="\x07", backend="a\x9b")
    newer = replace(ENVIRONMENT, commit="\x1b]0;x", packages={"\x1b": "\x1b"})
    hostile = Series((Moment(info(1), POINT), Moment(replace(info(8), environment=newer), evil)))
    text = "\n".join(lines_of(hostile, incomplete=("\x1b",)))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert r"m\x1b[2J" in text


def test_programs_get_the_same_values() -> None:
    shown = history_case(case([30.0, 30.01, 30.02]), ("run-8",))
    data = encode(shown)
    assert isinstance(data, dict)
    assert (data["case_id"], data["unit"], data["model"]) == ("m-fp32-set5_x2-psnr", "dB", "m")
    assert shown.trend is not None
    assert [row.complete for row in shown.rows] == [True, False, True]
    assert [row.margin for row in shown.rows] == [0.05, shown.rows[1].margin, shown.trend.last]
    assert (shown.rows[0].claimed, shown.rows[0].tolerance) == (30.0, 0.05)


def test_values_too_far_apart_for_a_float_are_drawn_too() -> None:
    assert sparkline([1e308, 0.0, -1e308]) == "█▅▁"
    assert sparkline([5e-324, 0.0]) == "█▁"
