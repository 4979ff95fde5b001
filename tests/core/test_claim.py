"""A claim's value and step follow from its digits as printed."""

import pytest

from sr_bench.core.claim import Claim, Source
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


def test_a_place_is_written_as_editors_understand_it() -> None:
    assert str(claim("1.0").source) == "README.md:3:9"


def test_places_sort_in_reading_order() -> None:
    places = [Source("a", 10, 1), Source("a", 9, 20), Source("a", 9, 3)]
    assert sorted(places) == [places[2], places[1], places[0]]
