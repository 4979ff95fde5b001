"""A new number looks like the one that it takes the place of."""

import pytest

from sr_bench.document.respell import respelled


@pytest.mark.parametrize(
    ("printed", "old", "new", "text"),
    [
        ("30.21", "30.21", "30.25", "30.25"),
        ("1,592", "1592", "1601", "1,601"),
        ("1,592.50", "1592.50", "991.25", "991.25"),
        ("9,999", "9999", "1234567", "1,234,567"),
        ("1'592", "1592", "1601", "1'601"),
        ("30,21", "30.21", "30.25", "30,25"),
        (r"30\.21", "30.21", "30.25", r"30\.25"),
        ("1.592,5", "1592.5", "2000.0", "2.000,0"),
        ("−0.05", "-0.05", "-0.07", "−0.07"),  # noqa: RUF001
        ("−0.05", "-0.05", "0.07", "0.07"),  # noqa: RUF001
        ("+0.05", "0.05", "0.07", "+0.07"),
        ("+0.05", "0.05", "-0.07", "-0.07"),
        ("３０．２１", "30.21", "30.25", "３０．２５"),  # noqa: RUF001
        ("-", "-", "30.25", "30.25"),
        ("30,21", "30.21", "inf", "inf"),
    ],
)
def test_a_new_number_keeps_the_marks_of_the_old_one(
    printed: str, old: str, new: str, text: str
) -> None:
    assert respelled(printed, old, new) == text
    assert respelled(printed, old, old) == printed or "inf" in text or old == "-"
