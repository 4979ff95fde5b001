"""Of all that numbers lack, the steps that make most of them measurable come first."""

from sr_bench.core.missing import Missing, Offer, offers

SET = Missing("dataset", "set5", "sr-bench fetch set5", size=3)
OTHER = Missing("dataset", "set14", "sr-bench fetch set14")
ONE, TWO = (Missing("weights", name, options=("--sr-weights=DIR",)) for name in ("a.pth", "b.pth"))
CARD = Missing("backend", "vacc-emulated", options=("--backend=vacc",))


def test_nothing_is_offered_to_what_lacks_nothing() -> None:
    assert offers([]) == offers([(), ()]) == []


def test_the_step_that_helps_most_comes_first() -> None:
    assert offers([(OTHER,), (), (SET,), (SET,)]) == [Offer((SET,), (2, 3)), Offer((OTHER,), (0,))]


def test_one_folder_brings_all_weights_but_a_command_its_own_dataset() -> None:
    assert offers([(ONE,), (TWO,), (ONE,)]) == [Offer((ONE, TWO), (0, 1, 2))]
    assert [offer.missing for offer in offers([(SET,), (OTHER,)])] == [(SET,), (OTHER,)]


def test_two_steps_are_one_offer_where_that_pays() -> None:
    both = [(SET, ONE), (SET, TWO)]
    assert offers([*both, (ONE,)]) == [Offer((SET, ONE, TWO), (0, 1, 2))]
    lone = [(ONE,)] * 20
    assert offers([*both, *lone])[0] == Offer((ONE,), tuple(range(2, 22)))


def test_what_is_brought_counts_for_the_offers_after_it() -> None:
    first, second = offers([*[(SET,)] * 5, (SET, CARD)])
    assert first.numbers == (0, 1, 2, 3, 4)
    assert second == Offer((CARD,), (5,))


def test_more_than_two_steps_are_no_offer() -> None:
    assert offers([(SET, ONE, CARD)]) == []
