"""Tables for terminals keep a row a line."""

from sr_bench.report.terminal.tables import plain_table


def test_columns_are_aligned_as_asked() -> None:
    assert plain_table(("name", "value"), [("a", "1.50"), ("bcdef", "-")], left=(0,)) == [
        "name      value",
        "------  -------",
        "a          1.50",
        "bcdef         -",
    ]


def test_a_name_with_line_feeds_and_commands_is_one_line() -> None:
    *_, row = plain_table(("name",), [("a\nb\x1b[2J",)], left=(0,))
    assert row == r"a b\x1b[2J"
