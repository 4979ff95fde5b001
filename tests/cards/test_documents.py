"""A document is read as the cards that bind it want it read."""

from pathlib import Path

from sr_bench.cards.documents import read_bound

_CARD = "ignore_columns = {{ Time = 'of others' }}\nignore_{} = {{ {} = 'of others' }}\n[[model]]\n"
_MODEL = "name = 'a'\nrow = 'A'\nscale = 2\nonnx = 'a.onnx'\n"


def test_of_what_several_cards_ignore_only_what_they_share_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Zoo\n")
    for name, part, what in (("b", "rows", "A"), ("c", "rows", "B"), ("d", "tables", "Zoo")):
        (tmp_path / name).mkdir()
        text = f"schema = 1\ndocument = '../README.md'\n{_CARD.format(part, what)}{_MODEL}"
        (tmp_path / name / "card.toml").write_text(text)
    ignored = read_bound(tmp_path / "README.md").ignored
    assert (dict(ignored.columns), ignored.rows, ignored.tables) == ({"Time": "of others"}, {}, {})
