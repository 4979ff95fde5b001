"""TOML of anyone is read, or refused in words: deep, huge, endless, hostile, or with a password."""

import os
from pathlib import Path

import pytest

from sr_bench.errors import CardError
from sr_bench.files.validation import Table, listed, read_toml, validate


class _Any(Table):
    a: object = None
    n: int = 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "9" * 5000, "not valid TOML: .*digits"),
        ("a = '\xff'", "not valid TOML: .*utf-8"),
    ],
)
def test_toml_that_breaks_its_parser_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CardError, match=message):
        read_toml(path, CardError)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path, make) -> None:
    make(tmp_path / "card.toml")
    with pytest.raises(CardError, match="a pipe or a device"):
        read_toml(tmp_path / "card.toml", CardError)


def test_a_folder_is_refused_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="directory"):
        read_toml(tmp_path, CardError)


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


def test_a_key_of_thousands_of_parts_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text("b = 1\n" + "a." * 1000 + "a = 1\n")
    assert read_toml(path, CardError)["b"] == 1
    path.write_text("b = 1\n" + "a." * 1001 + "a = 1\n")
    with pytest.raises(CardError, match=r"more than 1000 dots \(at line 2\)"):
        read_toml(path, CardError)
