"""Records survive the way to disk and back."""

import json
import math
from dataclasses import replace

import pytest

from sr_bench.core.codec import decode, encode
from sr_bench.core.forensics import Scoring
from sr_bench.core.precision import Precision
from sr_bench.core.record import ImageScore, Record
from tests.report import records
from tests.report.sessions import with_floor

CLAIM = replace(records.CLAIM, precision=Precision("int8_kl"), backend="vacc", shape="3x8x8")
RECORD = replace(with_floor(records.record(CLAIM, math.inf), math.inf), seconds=1.25)


def test_a_record_survives_json() -> None:
    text = json.dumps(encode(RECORD), allow_nan=False)
    assert decode(Record, json.loads(text)) == RECORD


def test_infinity_is_spelled_out() -> None:
    assert encode(-math.inf) == "-inf"
    assert decode(ImageScore, {"image": "a", "value": "inf"}).value == math.inf


def test_nan_is_refused() -> None:
    with pytest.raises(TypeError, match="nan"):
        encode({"value": math.nan})


@pytest.mark.parametrize("data", [{"no_such": 1}, {"case_id": "x"}, [1], None])
def test_what_is_not_a_record_is_named(data: object) -> None:
    with pytest.raises(TypeError, match=r"Record"):
        decode(Record, data)


@pytest.mark.parametrize(
    ("field", "data", "message"),
    [
        ("seconds", True, r"Record\.seconds: expected a number, got True"),
        ("seconds", "1.5", r"Record\.seconds: expected a number, got '1.5'"),
        ("seconds", math.nan, r"Record\.seconds: expected a number, got nan"),
        ("seconds", 10**400, r"Record\.seconds: int too large"),
        ("cached", 1.0, r"Record\.cached: expected an integer of at most 64 bits, got 1.0"),
        ("cached", True, r"Record\.cached: expected an integer of .*, got True"),
        ("cached", 2**63, r"Record\.cached: expected an integer of at most 64 bits, got 92"),
        ("model", None, r"Record\.model: expected str, got None"),
        ("inputs", {"a": 1}, r"Record\.inputs: expected str, got 1"),
        ("inputs", [], r"Record\.inputs: expected a table, got \[\]"),
        ("verdict", {"status": "odd"}, r"Record\.verdict: Verdict\.status: 'odd' is not a valid"),
        ("verdict", {"digits": "odd"}, r"Verdict\.digits: expected one of 'rounded', 'truncated'"),
        ("verdict", [], r"Record\.verdict: expected Verdict, got \[\]"),
        ("measurement", {"images": {}}, r"Measurement\.images: expected a list, got {}"),
        ("measurement", {"images": [1]}, r"Measurement\.images: expected ImageScore, got 1"),
    ],
)
def test_a_value_of_another_type_is_named(field: str, data: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        decode(Record, {**encode(RECORD), field: data})


@pytest.mark.parametrize(
    ("peak", "aggregation"), [(1.0, "mean"), ("sr_range", 16), ("hr_max", "image")]
)
def test_a_scoring_may_have_a_word_in_place_of_a_number(peak, aggregation) -> None:
    scoring = Scoring(peak=peak, aggregation=aggregation)
    assert decode(Scoring, json.loads(json.dumps(encode(scoring)))) == scoring


def test_a_value_of_neither_type_is_named_with_both() -> None:
    message = r"Scoring\.peak: expected a number, got 'x'; or expected one of 'hr_max'.*, got 'x'"
    with pytest.raises(TypeError, match=message):
        decode(Scoring, {"peak": "x"})


def test_an_integer_of_64_bits_is_taken() -> None:
    for number in (2**63 - 1, -(2**63)):
        assert decode(Record, {**encode(RECORD), "cached": number}).cached == number


def test_a_value_nested_deeply_is_shown_in_short() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(TypeError, match=r"got \[{7}\.{3}\]{7}$"):
        decode(Record, deep)
