"""A table of anyone is read, or refused in words: deep, huge, hostile, or with a password."""

from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import model_validator

from sr_bench.core.fields import Bounds
from sr_bench.errors import CardError
from sr_bench.files.validation import Table, listed, validate


class _Any(Table):
    a: object = None
    n: int = 0


class _Range(Table):
    first: int
    last: int


class _Several(Table):
    border: Literal["none", "scale"] | Annotated[int, Bounds(ge=0)] = 0
    names: _Range | list[str] = []
    size: tuple[int, int] = (1, 1)

    @model_validator(mode="after")
    def _is_small(self) -> "_Several":
        if self.size[0] > 9:
            msg = "expected a small size"
            raise ValueError(msg)
        return self


class _Nested(Table):
    inner: _Several


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


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"border": "x"}, "border: expected 'none' or 'scale', or a valid integer (got 'x')"),
        (
            {"border": -1},
            "border: expected 'none' or 'scale', or a number greater than or equal to 0 (got -1)",
        ),
        ({"names": {"first": 1}}, "names.last: required, but absent"),
        ({"names": ["a", 3]}, "names[1]: expected a valid string (got 3)"),
        ({"names": 3}, "names: expected a table, or a list (got 3)"),
        ({"size": {"h": 1}}, "size: expected a list (got a table: is it [[size]]?)"),
        ({"size": [1, 2, 3]}, "size: expected at most 2 items (got [1, 2, 3])"),
    ],
    ids=["word", "number", "table", "list", "neither", "single", "long"],
)
def test_of_a_value_that_may_have_several_types_one_line_says_what_was_expected(
    table: dict[str, object], fault: str
) -> None:
    with pytest.raises(CardError) as error:
        validate(_Several, table, where="x", error=CardError)
    assert str(error.value) == f"x: 1 fault\n  {fault}"


def test_a_fault_of_a_whole_table_does_not_repeat_the_table() -> None:
    with pytest.raises(CardError) as error:
        validate(_Nested, {"inner": {"size": [10, 1]}}, where="x", error=CardError)
    assert str(error.value) == "x: 1 fault\n  inner: expected a small size"


def test_a_date_is_refused_where_anything_else_is_taken() -> None:
    with pytest.raises(CardError, match="a: no key takes a date, got 2026-01-02"):
        validate(_Any, {"a": date(2026, 1, 2)}, where="x", error=CardError)
