"""Numbers are spelled as the claim spells them, and a number that is not there is a dash."""

from dataclasses import replace

import pytest

from sr_bench.core.precision import Precision
from sr_bench.core.record import Status
from sr_bench.document.numbers import claimed, counts, delta, measured, metric, precision, with_unit
from tests.report.records import CLAIM, record, without_value


def record_of(text: str, value: float, *, digits: str = "rounded"):
    measured = record(replace(CLAIM, text=text), value)
    return replace(measured, verdict=replace(measured.verdict, digits=digits))


@pytest.mark.parametrize(
    ("text", "value", "plain", "longer"),
    [
        ("30.10", 30.1049, "30.10", "30.105"),
        ("30", 30.6, "31", "30.6"),
        ("0.7740", 0.77404, "0.7740", "0.77404"),
        ("30.1", float("inf"), "inf", "inf"),
    ],
)
def test_measured_has_the_claims_decimals_and_more_if_asked(
    text: str, value: float, plain: str, longer: str
) -> None:
    assert measured(record_of(text, value)) == plain
    assert measured(record_of(text, value), extra=1) == longer


def test_a_document_that_cuts_digits_off_is_followed_but_not_beyond_its_digits() -> None:
    cut = record_of("0.297", 0.29772, digits="truncated")
    assert (measured(cut), measured(cut, extra=1)) == ("0.297", "0.2977")


@pytest.mark.parametrize(
    ("value", "text"),
    [(30.1049, "+0.005"), (30.0949, "-0.005"), (30.1, "0.000"), (float("inf"), "+inf")],
)
def test_the_delta_has_a_sign(value: float, text: str) -> None:
    assert delta(record_of("30.10", value)) == text


def test_without_a_claim_there_is_neither_claimed_nor_delta() -> None:
    new = record(None, 30.123456)
    assert (claimed(new), delta(new), measured(new)) == ("-", "-", "30.1235")


def test_without_a_measurement_there_is_neither_measured_nor_delta() -> None:
    absent = without_value(record())
    assert (claimed(absent), measured(absent), delta(absent)) == ("30.10", "-", "-")


def test_a_number_in_another_unit_is_spelled_in_it() -> None:
    claim = replace(CLAIM, metric="params", text="1592", unit="K", exponent=-3)
    thousands = record(claim, 1.5946)
    assert (measured(thousands), measured(thousands, extra=1)) == ("1595", "1594.6")
    assert (delta(thousands), with_unit("1595", thousands)) == ("+2.6", "1595 K")
    cut = replace(thousands, verdict=replace(thousands.verdict, digits="truncated"))
    assert measured(cut) == "1594"


def test_units_stand_beside_numbers_only() -> None:
    assert with_unit("30.1", record()) == "30.1 dB"
    assert with_unit("1.5", record(replace(CLAIM, metric="flops"))) == "1.5 G"
    assert with_unit("1.5", record(replace(CLAIM, metric="params"))) == "1.5 M"
    assert with_unit("0.9", record(replace(CLAIM, metric="ssim"))) == "0.9"
    assert with_unit("-", record()) == "-"


def test_the_backends_word_stands_before_the_precision() -> None:
    about = replace(CLAIM, backend="vacc", precision=Precision.FP16)
    assert precision(record(about)) == "vacc fp16"
    assert precision(record()) == "fp32"


def test_a_metric_names_its_dataset_and_what_tells_twin_rows_apart() -> None:
    assert metric(record()) == "psnr on set5_x2"
    assert metric(record(replace(CLAIM, metric="flops"))) == "flops"
    assert metric(record(replace(CLAIM, variant="1x256"))) == "psnr on set5_x2 (1x256)"


def test_statuses_are_counted_in_their_order() -> None:
    records = [without_value(record()), record(), record(status=Status.DIFFERS), record()]
    assert counts(records) == "2 match of 4, 1 differs, 1 not_run"
    assert counts([]) == ""
