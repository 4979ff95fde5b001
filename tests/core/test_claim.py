"""A claim's value and step follow from its digits as printed."""

import math
from dataclasses import replace

import pytest

from sr_bench.core.claim import Claim, Source, split_scale
from sr_bench.core.precision import Precision


def claim(text: str) -> Claim:
    return Claim("psnr", text, "M", "", Precision.FP32, "", "", "", Source("README.md", 3, 9))


@pytest.mark.parametrize(
    ("text", "value", "half_step"),
    [
        ("29.763", 29.763, 0.0005),
        ("0.7740", 0.774, 0.00005),
        ("30", 30.0, 0.5),
        ("-1.5", -1.5, 0.05),
        ("0.0", 0.0, 0.05),
    ],
)
def test_half_a_step_is_half_a_unit_of_the_last_digit(
    text: str, value: float, half_step: float
) -> None:
    assert claim(text).value == value
    assert claim(text).half_step == pytest.approx(half_step, rel=1e-12)


def test_a_number_in_another_unit_is_compared_in_the_metrics_and_printed_in_its_own() -> None:
    thousands = replace(claim("1592"), metric="params", unit="K", exponent=-3)
    assert (thousands.value, thousands.half_step) == (1.592, pytest.approx(0.0005, rel=1e-12))
    assert [thousands.as_printed(value) for value in (1.592, 1.5921, math.inf)] == [
        1592,
        1592.1,
        math.inf,
    ]
    percent = replace(claim("86.40"), metric="ssim", unit="%", exponent=-2)
    assert (percent.text_in_unit, claim("30.10").text_in_unit) == ("0.8640", "30.10")
    assert replace(claim("3"), exponent=3).text_in_unit == "3000"


def test_a_place_is_written_as_editors_understand_it() -> None:
    assert str(claim("1.0").source) == "README.md:3:9"


def test_places_sort_in_reading_order() -> None:
    places = [Source("a", 10, 1), Source("a", 9, 20), Source("a", 9, 3)]
    assert sorted(places) == [places[2], places[1], places[0]]


@pytest.mark.parametrize(
    ("name", "parts"),
    [("div2k_valid_x2", ("div2k_valid", 2)), ("set5", ("set5", 0)), ("a_x2_x12", ("a_x2", 12))],
)
def test_a_dataset_name_may_end_in_a_scale(name: str, parts: tuple[str, int]) -> None:
    assert split_scale(name) == parts
