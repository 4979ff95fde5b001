"""A plan gets into the text of a card: its keys change, and nothing else."""

import tomllib
from pathlib import Path

import pytest

from sr_bench.errors import CardError
from sr_bench.update.int8_plan import with_plan

CARD = """schema = 1  # kept

[[model]]
name = "one"
scale = 2
tolerance = { psnr = { slack = 0.1, reason = "keep = [\\"no key\\"]" } }

[model.int8]
# Why these: see the notes.
keep = [
  "a",  # first
  "b",
]
percentile = 99.9

[model.gate]
min_fidelity_db = 40.0

[[model]]
name = "two"
scale = 4

[[waive]]
code = "X"
"""
PATH = Path("zoo/card.toml")
VALUES = {"keep": ["c.d"], "observers": {"e.*": "kl"}}
SAID = "Found by sr-bench plan 0.1 on 2026-01-01 " + "with many words about how it was found " * 3


def test_the_keys_change_and_all_else_stays() -> None:
    text = with_plan(CARD, "one", VALUES, SAID, path=PATH)
    model = tomllib.loads(text)["model"][0]
    assert model["int8"] == {**VALUES, "percentile": 99.9}
    gone = {"keep = [", '  "a",  # first', '  "b",', "]"}
    lines = CARD.split("\n")
    assert [line for line in text.split("\n") if line in lines and line not in gone] == [
        line for line in lines if line not in gone
    ]


def test_the_ends_of_lines_stay_those_of_the_card() -> None:
    text = with_plan(CARD.replace("\n", "\r\n"), "one", VALUES, SAID, path=PATH)
    assert text.replace("\r\n", "\n") == with_plan(CARD, "one", VALUES, SAID, path=PATH)
    assert text.count("\n") == text.count("\r\n")


def test_a_second_plan_takes_the_place_of_the_first_with_its_comment() -> None:
    first = with_plan(CARD, "one", VALUES, SAID, path=PATH)
    second = with_plan(
        first, "one", {"keep": [], "observers": {}}, "Found by sr-bench plan 2", path=PATH
    )
    assert second.count("Found by sr-bench plan") == 1
    assert "many words" not in second
    assert tomllib.loads(second)["model"][0]["int8"] == {"percentile": 99.9}
    assert with_plan(first, "one", VALUES, SAID, path=PATH) == first


def test_a_model_without_the_table_gets_one_of_its_own() -> None:
    text = with_plan(CARD, "two", VALUES, SAID, path=PATH)
    card = tomllib.loads(text)
    assert card["model"][1] == {"name": "two", "scale": 4, "int8": VALUES}
    assert card["waive"] == [{"code": "X"}]
    last = with_plan(CARD.partition("[[waive]]")[0], "two", VALUES, SAID, path=PATH)
    assert tomllib.loads(last)["model"][1]["int8"] == VALUES


def test_the_table_alone_is_no_card_and_keeps_its_other_keys() -> None:
    text = with_plan("[model.int8]\ncount = 4\nkeep = []\n", "", VALUES, SAID, path=PATH)
    assert tomllib.loads(text) == {"model": {"int8": {**VALUES, "count": 4}}}
    assert tomllib.loads(with_plan("", "", VALUES, SAID, path=PATH)) == {"model": {"int8": VALUES}}


def test_a_table_in_a_line_is_left_for_a_person() -> None:
    text = CARD.replace("scale = 4", 'scale = 4\nint8 = { keep = ["a"] }')
    with pytest.raises(CardError, match=r"zoo/card.toml: .*\[model.int8\] of its own; .*by hand:"):
        with_plan(text, "two", VALUES, SAID, path=PATH)
