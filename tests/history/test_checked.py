"""A record of anyone's file has each value of its declared type, or is refused with its place."""

from dataclasses import replace

import pytest

from sr_bench.core.codec import encode
from sr_bench.history.checked import read_record_of
from tests.report.records import CLAIM, record


def test_a_record_comes_back_as_it_was() -> None:
    assert read_record_of(encode(record())) == record()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("model", ["x"], r"Record\.model: expected str"),
        ("metric", "beauty", "unknown metric 'beauty'"),
        ("detail", [], r"Record\.detail"),
        ("measurement", {"metric": "psnr", "unit": "", "value": 1, "notes": []}, "no attribute"),
        ("inputs", {"network": 5}, r"Record\.inputs\.network: expected str"),
        ("seconds", "nan", r"Record\.seconds: expected float"),
        ("kept", {"sr": 1, "pairs": "x"}, r"Record\.kept\.sr: expected str"),
        ("place", {"path": "x", "line": True, "column": 1}, r"Record\.place\.line: expected int"),
        ("claim", encode(replace(CLAIM, text="abc")), "abc"),
        ("claim", encode(replace(CLAIM, text="9" * 400)), "expected a claim that is a number"),
    ],
)
def test_a_value_of_another_type_is_named(key: str, value: object, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        read_record_of({**encode(record()), key: value})
