"""A trend is a line through the values that compare, and says when the margin is used up."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from scipy.stats import theilslopes

from sr_bench.core.history import Environment, HistoryEntry, SessionInfo, point
from sr_bench.core.record import Status
from sr_bench.core.trend import Moment, Series, series, started, trend
from tests.report.records import record

ENVIRONMENT = Environment({}, "3.11", "Linux", "cpu", 2, "abc")
POINT = replace(
    point(record(value=30.0)),
    case_id="m-fp32-set5_x2-psnr",
    model="m",
    backend="torch",
    claimed=30.0,
    tolerance=0.05,
    images=5,
    planned=5,
    inputs={"network": "n", "data": "d"},
)


def info(day: int) -> SessionInfo:
    return SessionInfo(f"run-{day}", f"2026-11-{day:02}T09:00:00+00:00", ENVIRONMENT)


def case(values: Iterable[float | None], *, step: int = 7, **changes: object) -> Series:
    """Return a series with one of `values` every `step` days, from the first of November."""
    points = (replace(POINT, value=value, **changes) for value in values)
    return Series(tuple(Moment(info(1 + step * i), point) for i, point in enumerate(points)))


def test_a_shrinking_margin_says_when_it_is_used_up() -> None:
    direction = trend(case([30.0, 30.01, 30.02]))
    assert direction is not None
    assert (direction.of, direction.points, direction.since) == ("margin", 3, "2026-11-01")
    assert direction.per_week == pytest.approx(-0.01)
    assert direction.last == pytest.approx(0.03)
    assert direction.used_up == "2026-12-06"  # three weeks after the 15th


def test_the_slope_is_theil_and_sens() -> None:
    direction = trend(case([30.04, 30.01, 30.01, 30.0]))
    assert direction is not None
    expected = theilslopes([0.01, 0.04, 0.04, 0.05], [0, 1, 2, 3]).slope
    assert direction.per_week == pytest.approx(expected)
    assert direction.used_up == ""


def test_points_at_uneven_times_count_by_their_time() -> None:
    days, values = (1, 2, 15), (30.0, 30.0, 30.02)
    moments = (Moment(info(d), replace(POINT, value=v)) for d, v in zip(days, values, strict=True))
    direction = trend(Series(tuple(moments)))
    assert direction is not None
    expected = theilslopes([0.05, 0.05, 0.03], [0, 1 / 7, 2]).slope
    assert direction.per_week == pytest.approx(expected)


@pytest.mark.parametrize(
    "values",
    [
        [30.0, 30.0, 30.0, 30.0, 29.3, 30.0, 30.0],  # a bad night
        [30.0] * 8 + [30.02] * 2,  # a step of late
    ],
)
def test_a_bad_night_and_a_step_of_late_are_no_trend(values: list[float]) -> None:
    direction = trend(case(values, step=1))
    assert direction is not None
    assert (direction.per_week, direction.used_up) == (0.0, "")


@pytest.mark.parametrize(
    ("values", "used_up"),
    [
        ([30.0, 30.0, 30.0], ""),  # steady
        ([30.02, 30.01, 30.0], ""),  # grows
        ([30.06, 30.07, 30.08], ""),  # beyond the tolerance already
        ([30.0, 30.0, 30.0 + 1e-12], ""),  # the rounding of floats
        ([30.0, 30.00001, 30.00002], ""),  # in 96 years
    ],
)
def test_other_trends_have_no_date(values: list[float], used_up: str) -> None:
    direction = trend(case(values))
    assert direction is not None
    assert direction.used_up == used_up


def test_the_rounding_of_floats_is_steady() -> None:
    direction = trend(case([30.0, 30.0, 30.0 + 1e-12]))
    assert direction is not None
    assert direction.per_week == 0.0


def test_without_a_claim_the_value_itself_is_followed() -> None:
    direction = trend(case([30.0, 29.9, 29.8], claimed=None, tolerance=None))
    assert direction is not None
    assert (direction.of, direction.last, direction.used_up) == ("value", 29.8, "")
    assert direction.per_week == pytest.approx(-0.1)


def test_two_points_or_a_few_hours_are_not_a_trend() -> None:
    assert trend(case([30.0, 30.01])) is None
    assert trend(case([30.0, 30.01, 30.02], step=0)) is None
    assert trend(case([30.0, None, 30.02])) is None
    assert trend(case([30.0, float("inf"), 30.02])) is None
    assert trend(case([30.0, 30.0, 30.0], step=1)) is not None


def test_most_of_a_day_is_not_a_trend_and_a_day_is() -> None:
    def at(*starts: str) -> Series:
        runs = [SessionInfo("r", start, ENVIRONMENT) for start in starts]
        return Series(tuple(Moment(run, POINT) for run in runs))

    first, second = "2026-11-01T09:00:00+00:00", "2026-11-01T10:00:00+00:00"
    assert trend(at(first, second, "2026-11-02T08:59:59+00:00")) is None
    assert trend(at(first, second, "2026-11-02T09:00:00+00:00")) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cuda"},
        {"protocol": "rgb"},
        {"claimed": 31.0},
        {"tolerance": 0.5},
        {"inputs": {"data": "other"}},
        {"inputs": {"data": "d", "protocol": "other"}},
        {"images": 3},
    ],
)
def test_values_that_do_not_compare_with_the_newest_are_left_out(
    changes: dict[str, object],
) -> None:
    other = case([39.0], **changes).moments
    alike = case([30.0, 30.01, 30.02]).moments
    assert trend(Series((*other, *alike))) == trend(Series(alike))


def test_another_network_is_what_a_trend_is_about() -> None:
    other = case([39.0], inputs={"network": "other", "data": "d"}).moments
    direction = trend(Series((*other, *case([30.0, 30.01, 30.02]).moments)))
    assert direction is not None
    assert direction.points == 4


@pytest.mark.parametrize(
    ("run", "start", "expected"),
    [
        ("x", "2026-11-21T09:14:30+00:00", "2026-11-21T09:14:30+00:00"),
        ("x", "2026-11-21T09:14:30+02:00", "2026-11-21T07:14:30+00:00"),
        ("x", "2026-11-21T09:14:30", "2026-11-21T09:14:30+00:00"),
        ("20261121T091430-b65233", "", "2026-11-21T09:14:30+00:00"),
    ],
)
def test_a_run_states_or_names_its_start(run: str, start: str, expected: str) -> None:
    moment = started(SessionInfo(run, start, ENVIRONMENT))
    assert moment is not None
    assert moment.isoformat() == expected
    assert Moment(SessionInfo(run, start, ENVIRONMENT), POINT).when == moment


@pytest.mark.parametrize(("run", "start"), [("mine", ""), ("x", "noon"), ("", "")])
def test_a_start_that_cannot_be_read_is_unknown(run: str, start: str) -> None:
    assert started(SessionInfo(run, start, ENVIRONMENT)) is None


def test_points_are_joined_by_case_and_backend() -> None:
    others = (
        replace(POINT, backend="vacc"),
        replace(POINT, case_id="n"),
        replace(POINT, family="other"),
    )
    entries = [HistoryEntry(info(1), (POINT, *others)), HistoryEntry(info(2), (POINT,))]
    cases = series(entries, lambda point: True)
    assert [len(case.moments) for case in cases] == [2, 1, 1, 1]
    assert [moment.info.run for moment in cases[0].moments] == ["run-1", "run-2"]
    (vacc,) = series(entries, lambda point: point.backend == "vacc")
    assert vacc.newest == others[0]


def test_a_cost_is_one_series_whatever_the_backend() -> None:
    cost = replace(POINT, metric="flops", device="")
    entries = [HistoryEntry(info(1), (cost, replace(cost, backend="vacc")))]
    assert len(series(entries, lambda point: True)) == 1


def test_what_was_not_measured_is_left_out_unless_it_is_an_error() -> None:
    unmeasured = replace(POINT, value=None, status=Status.NOT_RUN)
    entry = HistoryEntry(info(1), (unmeasured, replace(unmeasured, status=Status.ERROR)))
    (points,) = series([entry], lambda point: True)
    assert [moment.point.status for moment in points.moments] == [Status.ERROR]
