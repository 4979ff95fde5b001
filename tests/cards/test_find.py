"""A card.toml of someone else is told from one of ours, and from one of ours with a slip."""

from pathlib import Path

import pytest

from sr_bench.cards.find import find_cards, is_ours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[card]\ntitle = 'Ace of spades'\n",
        "schema = 'https://example.org/card.json'\n",
        "model = 'ThinkPad'\n",
        "[item]\nscale = 2\n",
        "a = = 1\n",
    ],
)
def test_a_card_of_someone_else_is_not_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.toml").write_text(text)
    assert find_cards(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "schema = 1\n",
        "schema = '1'\n",
        "[[model]]\nrow = 'A'\n",
        "[model]\nrow = 'A'\n",
        "[[modle]]\nrow = 'A'\nscale = 2\n",
        "shema = 1\nignore_rows = []\n",
        "schema = 1\n[[model]\n",
        "[[model]]\nrow = 'A\n",
    ],
)
def test_a_slip_does_not_make_a_card_of_ours_vanish(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.toml").write_text(text)
    assert find_cards(tmp_path) == [tmp_path / "card.toml"]


def test_a_card_in_the_encoding_of_windows_does_not_vanish(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text("schema = 1\n[[model]]\nrow = 'A'\n", encoding="utf-16")
    assert is_ours(path)
