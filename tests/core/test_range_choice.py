"""How a card spells the choice of a clip range."""

import pytest

from sr_bench.core.int8 import RangeChoice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("kl", RangeChoice("kl")),
        ("symmetric", RangeChoice(symmetric=True)),
        ("kl symmetric", RangeChoice("kl", symmetric=True)),
    ],
)
def test_a_choice_is_read_as_it_is_written(text: str, choice: RangeChoice) -> None:
    assert RangeChoice.parse(text) == choice
    assert str(choice) == text


@pytest.mark.parametrize("text", ["", "kl max", "symmetric kl", "kl max symmetric"])
def test_what_is_no_choice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an observer, symmetric, or both"):
        RangeChoice.parse(text)
