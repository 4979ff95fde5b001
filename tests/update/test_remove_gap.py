"""A known gap is cut out of a card's text; every other byte stays."""

import tomllib
from pathlib import Path

import pytest

from sr_bench.errors import CardError
from sr_bench.update.remove_gap import remove_gap

CARD = """# Head.
schema = 1

[[model]]
name = "a" # of A

# Why the first one.
[[model.known_gap]]
metric = "psnr"  # inside
# also inside
reason = "first"

[[model.known_gap]]
metric = "ssim"
reason = "second"
# After the second.

[model.vacc]
skip = ["x"]

[[model]]
name = "b"

[[model.known_gap]]
metric = "ssim"
reason = "third"
"""


def cut(text: str, model: int, entry: int) -> str:
    return remove_gap(text, model, entry, path=Path("card.toml")).text


def gaps(text: str) -> list[list[str]]:
    models = tomllib.loads(text)["model"]
    return [[gap["reason"] for gap in model.get("known_gap", [])] for model in models]


def test_the_first_entry_is_removed_with_only_the_comments_inside_it() -> None:
    block = CARD[CARD.index("[[model.known_gap]]") : CARD.index('[[model.known_gap]]\nmetric = "s')]
    expected = CARD.replace(block.removesuffix("\n"), "", 1)
    assert cut(CARD, 0, 0) == expected
    assert "# Why the first one.\n\n[[model.known_gap]]" in expected


def test_an_entry_between_blank_lines_takes_one_of_them_along() -> None:
    text = CARD.replace("# Why the first one.\n", "")
    assert 'name = "a" # of A\n\n[[model.known_gap]]\nmetric = "ssim"' in cut(text, 0, 0)


def test_comments_after_an_entry_stay() -> None:
    assert 'reason = "first"\n\n# After the second.\n\n[model.vacc]' in cut(CARD, 0, 1)


def test_the_last_entry_leaves_no_blank_line_at_the_end() -> None:
    assert cut(CARD, 1, 0).endswith('\nname = "b"\n')


@pytest.mark.parametrize(
    ("model", "entry", "left"),
    [
        (0, 0, [["second"], ["third"]]),
        (0, 1, [["first"], ["third"]]),
        (1, 0, [["first", "second"], []]),
    ],
)
def test_only_that_entry_is_removed(model: int, entry: int, left: list[list[str]]) -> None:
    assert gaps(cut(CARD, model, entry)) == left


def test_the_line_of_the_entry_is_returned() -> None:
    assert remove_gap(CARD, 1, 0, path=Path("card.toml")).line == 24


def test_line_ends_and_byte_order_mark_stay() -> None:
    text = "\ufeff" + CARD.replace("\n", "\r\n")
    assert cut(text, 0, 1) == "\ufeff" + cut(CARD, 0, 1).replace("\n", "\r\n")


def test_brackets_within_strings_do_not_mislead() -> None:
    tricky = CARD.replace('"second"', '"""\n[[model.known_gap]]\nmetric = "psnr"\n"""')
    assert gaps(cut(tricky, 1, 0))[1] == []
    assert gaps(cut(tricky, 0, 0))[0] == ['[[model.known_gap]]\nmetric = "psnr"\n']
    with pytest.raises(CardError, match="remove it by hand"):
        cut(tricky, 0, 1)


def test_blanks_within_the_header_are_read() -> None:
    assert gaps(cut(CARD.replace("[[model.known_gap]]", " [[ model . known_gap ]]"), 0, 0))[0] == [
        "second"
    ]


def test_an_entry_written_inline_is_left_to_the_user() -> None:
    text = '[[model]]\nknown_gap = [{ metric = "psnr", reason = "x" }]\n'
    with pytest.raises(CardError, match=r"card\.toml: .*by hand:\n    metric = 'psnr'\n"):
        cut(text, 0, 0)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each parse adds the length of its text."""
    lengths: list[int] = []
    loads = tomllib.loads
    monkeypatch.setattr(tomllib, "loads", lambda text: lengths.append(len(text)) or loads(text))
    return lengths


ALIKE = "[[model]]\nname = 1\n[[model.known_gap]]\nreason = 'x'\n"


def test_of_many_alike_the_right_one_is_tried_first(read: list[int]) -> None:
    text = ALIKE * 40
    removal = remove_gap(text, 29, 0, path=Path("card.toml"))
    assert (removal.line, sum(read) < 4 * len(text)) == (4 * 29 + 3, True)


def test_not_all_that_are_alike_are_tried(read: list[int]) -> None:
    text = ALIKE * 40 + "[[model]]\nknown_gap = [{ reason = 'x' }]\n"
    with pytest.raises(CardError, match="by hand"):
        cut(text, 40, 0)
    assert sum(read) < 14 * len(text)


def test_a_gap_written_inline_before_its_like_does_not_hide_it() -> None:
    text = "[[model]]\nknown_gap = [{ reason = 'x' }]\n"
    text += "[[model]]\n[[model.known_gap]]\nreason = 'x'\n"
    assert gaps(cut(text, 1, 0)) == [["x"], []]
