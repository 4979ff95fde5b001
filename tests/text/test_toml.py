import tomllib

import pytest

from sr_bench.text.toml import comment, pair

HOSTILE = [
    '"',
    "\\",
    "'''",
    "a\nb",
    "\r",
    "\t",
    "\x00",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u202e",
    "模型 ²",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_a_value_and_as_a_key(text):
    assert tomllib.loads(pair("row", text)) == {"row": text}
    assert tomllib.loads(f"[t]\n{pair(text, 'why')}") == {"t": {text: "why"}}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_comment_stays_on_its_line(text):
    line = pair("scale", 2, f"of {text}x")

    assert tomllib.loads(line) == {"scale": 2}
    assert tomllib.loads("\n".join(comment(f"of {text} and more"))) == {}
    assert not set(line) & set("\x1b\n\r\u202e")


def test_numbers_truths_lists_and_tables_are_written_as_toml_has_them():
    value = {"rule": "standard", "shape": [96, 64], "clip": True, "white": 255.0}

    assert tomllib.loads(pair("a", value)) == {"a": value}


def test_long_comments_break_between_words_and_go_on_indented():
    lines = list(comment("word " * 40, first="# - "))

    assert len(lines) > 1
    assert all(len(line) <= 100 for line in lines)
    assert [line[:4] for line in lines[:2]] == ["# - ", "#   "]
