"""A table of anyone is read, or refused in words: deep, huge, hostile, or with a password."""

import pytest

from sr_bench.errors import CardError
from sr_bench.files.validation import Table, listed, validate


class _Any(Table):
    a: object = None
    n: int = 0


@pytest.mark.parametrize("large", [2**63, -(2**63) - 1, 1 << 20_000], ids=["up", "down", "far"])
def test_an_integer_of_more_than_64_bits_is_named(large: int) -> None:
    with pytest.raises(CardError, match=r"x: 1 fault\n  a\[0\]: .* integer of at most 64 bits"):
        validate(_Any, {"a": [large]}, where="x", error=CardError)
    for edge in (2**63 - 1, -(2**63)):
        assert validate(_Any, {"n": edge}, where="x", error=CardError).n == edge


def test_tables_that_are_too_deep_are_refused_before_anything_repeats_them() -> None:
    deep: object = 1
    for _ in range(30):
        deep = {"b": deep}
    with pytest.raises(CardError, match="at most 30 deep"):
        validate(_Any, {"a": deep}, where="x", error=CardError)
    assert validate(_Any, {"a": deep["b"]}, where="x", error=CardError).a


def test_a_fault_repeats_neither_a_password_nor_what_steers_a_terminal() -> None:
    with pytest.raises(CardError, match=r"got 'https://\*\*\*@host/x'") as error:
        validate(_Any, {"n": "https://ann:secret@host/x", "\x1b[2J": 1}, where="x", error=CardError)
    assert "secret" not in str(error.value)
    assert "\x1b" not in str(error.value)
    assert listed(["\u202e"], where="\x9b") == "\\x9b: 1 fault\n  \\u202e"
