"""Control characters of names are spelled out before they reach a terminal."""

import pytest

from sr_bench.text.printable import printable, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\rb", r"a\rb"),
        ("\x85\x9b\x7f\x00\x0b", r"\x85\x9b\x7f\x00\x0b"),
        ("\udc80", r"\udc80"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["", "a\tb\nc", "峰值 é 😀 \\x1b %"])
def test_everything_else_stays(text: str) -> None:
    assert printable(text) == text


def test_a_line_stays_one_line() -> None:
    assert printable_line("a\nb\tc\x1b") == r"a\nb\tc\x1b"


def test_separators_of_lines_and_marks_that_turn_text_are_spelled_out() -> None:
    assert printable("a\u2028b\u2029c\u061cd\u200ee\u200f") == (
        r"a\u2028b\u2029c\u061cd\u200ee\u200f"
    )
    assert printable("\u0301 \u200d 🏳️‍🌈 é") == "\u0301 \u200d 🏳️‍🌈 é"
