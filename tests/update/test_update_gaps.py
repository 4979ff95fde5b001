"""A known gap is removed from its card once all that it excuses agrees."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.history import PastSession
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from tests.update_zoo import (
    A8,
    GAP,
    README,
    A,
    B,
    Zoo,
    changed,
    only,
    partial,
    refused,
    update,
    why,
    with_more,
)


def test_a_closed_gap_leaves_the_card_and_its_number_stays(zoo: Zoo) -> None:
    before = zoo.card.read_text()
    zoo.gap("a_x2", *GAP)
    result = update(zoo.session({A: 30.1}))
    assert (zoo.card.read_text(), zoo.text) == (before, README)
    (gap,) = result.gaps
    assert (str(gap.place), gap.gap.reason) == ("zoo/card.toml:11:1", "of one image")
    assert "--- a/zoo/card.toml" in result.diff
    (line,) = map(json.loads, zoo.ledger.read_text().splitlines())
    assert (line["kind"], line["document"], line["old"]) == (
        "known_gap",
        "card.toml",
        "of one image",
    )


def test_an_open_gap_stays_unless_all_is_asked_for(zoo: Zoo) -> None:
    before = zoo.card.read_text()
    zoo.gap("a_x2", *GAP)
    session = zoo.session({A: 31.0})
    assert "mode all" in why(update(session))["zoo/README.md:5:28"]
    assert zoo.text == README
    result = update(session, "all")
    assert (len(result.edits), len(result.gaps)) == (1, 1)
    assert (zoo.card.read_text(), zoo.text) == (before, README.replace("30.10", "31.00"))


TWO = README.replace("| SSIM |", "| SSIM | Dataset |").replace("--: |\n", "--: | :-- |\n")
TWO = TWO.replace("0.9100 |", "0.9100 | set5 |").replace("0.8800 |", "0.8800 | |")
TWO = TWO.replace("0.85 |", "0.85 | |\n| A | one | - | - | 29.00 | - | set14 |")


@pytest.fixture
def two_rows(zoo: Zoo) -> Zoo:
    """Return a zoo whose gap covers two numbers: of a row on set5 and of one on set14."""
    zoo.readme.write_text(TWO)
    both = '{ dataset = "set5", protocol = "paper_y" }, { dataset = "set14", protocol = "paper_y" }'
    evaluation = '{ dataset = "set5", protocol = "paper_y" }'
    zoo.card.write_text(zoo.card.read_text().replace(evaluation, both, 1))
    zoo.gap("a_x2", *GAP)
    return zoo


def of_two(zoo: Zoo, first: float, second: float) -> PastSession:
    session = zoo.session({A: first})
    records = []
    for record in session.records:
        if record.claim and record.claim.dataset == "set14" and record.metric == "psnr":
            other = zoo.session({A: second})
            (record,) = (other for other in other.records if other.claim == record.claim)
            record = replace(record, dataset="set14_x2")
        records.append(record)
    return replace(session, records=tuple(records))


def without_set14(session: PastSession) -> PastSession:
    kept = (row for row in session.records if not row.claim or row.claim.dataset != "set14")
    return replace(session, records=tuple(kept))


def test_a_gap_that_excuses_an_open_number_too_stays(two_rows: Zoo) -> None:
    card = two_rows.card.read_text()
    result = update(of_two(two_rows, 30.1, 31.0))
    assert (result.gaps, two_rows.card.read_text()) == ((), card)
    assert any("also excuses a_x2--fp32-psnr (known_gap)" in text for text in why(result).values())


def test_a_gap_that_excuses_a_number_which_was_not_run_stays(two_rows: Zoo) -> None:
    card = two_rows.card.read_text()
    session = of_two(two_rows, 30.1, 29.0)
    result = update(without_set14(session))
    assert (result.gaps, two_rows.card.read_text()) == ((), card)
    assert any("README.md:8:21 (not in this run)" in text for text in why(result).values())


def test_all_keeps_the_number_of_a_gap_that_stays(two_rows: Zoo) -> None:
    session = of_two(two_rows, 31.0, 31.0)
    assert update(without_set14(session), "all").edits == ()
    assert two_rows.text == TWO


def test_a_gap_leaves_once_all_that_it_excuses_agrees(two_rows: Zoo) -> None:
    result = update(of_two(two_rows, 30.1, 29.0))
    assert len(result.gaps) == 1
    assert "known_gap" not in two_rows.card.read_text()


def test_a_failure_of_the_device_that_is_gone_is_left_to_the_user(zoo: Zoo) -> None:
    session = zoo.session({A8: 28.0})
    verdict = Verdict(Status.GAP_CLOSED, "the known failure is gone", 28.0, 29.5, 0.005)
    result = update(changed(session, "int8_max-psnr", verdict=verdict))
    assert "known_failure" in why(result)["a_x2-vacc-int8_max-psnr"]
    assert zoo.text == README


def test_a_gone_failure_does_not_close_a_gap_whose_number_differs(zoo: Zoo) -> None:
    zoo.gap("a_x2", 'metric = "psnr"', 'precision = "int8_max"')
    verdict = Verdict(Status.GAP_CLOSED, "the known failure is gone", 28.0, 29.5, 0.005)
    result = update(changed(zoo.session({A8: 28.0}), "int8_max-psnr", verdict=verdict))
    assert result.gaps == ()
    assert "known_failure" in why(result)["a_x2-vacc-int8_max-psnr"]
    assert "known_gap" in zoo.card.read_text()


def gate(zoo: Zoo, dataset: str = "set5_x2") -> Record:
    (base,) = (record for record in zoo.session({A8: 29.5}).records if record.measurement)
    return replace(
        base,
        metric="fidelity",
        claim=None,
        place=None,
        dataset=dataset,
        case_id="gate",
        node_id="zoo/card.toml::gate",
        measurement=Measurement("fidelity", "dB", 50.0, (ImageScore("x", 50.0),), 1),
        verdict=Verdict(Status.GAP_CLOSED, "the gate passes", 50.0),
    )


@pytest.mark.parametrize(("dataset", "leaves"), [("set5_x2", True), ("set14_x2", False)])
def test_the_gap_of_a_gate_leaves_the_card_if_it_passed_on_each_dataset(
    zoo: Zoo, dataset: str, leaves: bool
) -> None:
    text = zoo.card.read_text()
    limits = "[model.gate]\nmin_fidelity_db = 45.0\nmax_drop_db = 0.1\nmax_drop_ssim = 0.1\n"
    zoo.card.write_text(
        text.replace('[[model]]\nname = "b_x2"', f'{limits}\n[[model]]\nname = "b_x2"')
    )
    before = zoo.card.read_text()
    zoo.gap("a_x2", 'metric = "fidelity"', 'precision = "int8_max"')
    session = replace(zoo.session({}), records=(gate(zoo, dataset),))
    assert len(update(session).gaps) == leaves
    assert (zoo.card.read_text() == before) == leaves


def test_a_card_that_changed_to_another_document_is_refused(zoo: Zoo) -> None:
    zoo.gap("a_x2", *GAP)
    session = zoo.session({A: 30.1})
    (zoo.root / "zoo" / "OTHER.md").write_text(README)
    zoo.card.write_text(
        zoo.card.read_text().replace("schema = 1", 'schema = 1\ndocument = "OTHER.md"')
    )
    assert "expected the card of zoo/README.md, got that of zoo/OTHER.md" in refused(session, zoo)


def test_the_card_and_the_document_are_put_back_together(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.gap("a_x2", *GAP)
    rename = Path.replace

    def refuse(source: Path, target: Path) -> Path:
        if target.name == "ledger.jsonl":
            raise OSError(errno.EACCES, "no")
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", refuse)
    assert "permission denied" in refused(zoo.session({A: 31.0}), zoo, "all")


def test_gaps_of_several_models_leave_one_card_together(zoo: Zoo) -> None:
    before = zoo.card.read_text()
    zoo.gap("a_x2", *GAP)
    zoo.gap("a_x2", 'metric = "ssim"', 'precision = "fp32"')
    zoo.gap("b_x2", 'metric = "ssim"', 'precision = "fp32"')
    result = update(zoo.session({A: 30.1, "a_x2 fp32 ssim": 0.91, B: 0.85}))
    assert (len(result.gaps), zoo.card.read_text()) == (3, before)
    assert [gap.place.line for gap in result.gaps] == [11, 16, 28]


def test_the_gap_of_another_model_is_its_own(zoo: Zoo) -> None:
    zoo.gap("a_x2", 'metric = "ssim"', 'precision = "fp32"')
    zoo.gap("b_x2", 'metric = "ssim"', 'precision = "fp32"')
    result = update(zoo.session({"a_x2 fp32 ssim": 0.91, B: 0.7}))
    assert [gap.record.model for gap in result.gaps] == ["a_x2"]


def test_a_gap_of_one_dataset_is_known_by_its_slug(two_rows: Zoo) -> None:
    text = two_rows.card.read_text()
    two_rows.card.write_text(text.replace(GAP[0], f'{GAP[0]}\ndataset = "set5"'))
    session = of_two(two_rows, 30.1, 29.0)
    assert len(update(without_set14(session)).gaps) == 1


def test_a_gap_of_one_dataset_stays_for_a_row_of_it_that_was_not_run(zoo: Zoo) -> None:
    zoo.edit("| B | two", "| A **int8 max** | - | - | - | 29.10 | - |\n| B | two")
    zoo.gap("a_x2", 'metric = "psnr"', 'precision = "int8_max"', 'dataset = "set5"')
    session = zoo.session({A8: 29.5})
    (closed,) = (row for row in session.records if row.claim and row.claim.text == "29.50")
    result = update(replace(session, records=(closed,)))
    assert result.gaps == ()
    assert any("README.md:7:32 (not in this run)" in text for text in why(result).values())


def test_a_partial_value_closes_no_gap(two_rows: Zoo) -> None:
    session = of_two(two_rows, 30.1, 29.0)
    second = next(row for row in session.records if row.dataset == "set14_x2" and row.measurement)
    limited = replace(second, measurement=partial(second).measurement)
    assert update(with_more(session, limited)).gaps == ()


def test_a_gap_that_closed_when_it_was_run_again_closes(zoo: Zoo) -> None:
    zoo.gap("a_x2", *GAP)
    result = update(with_more(zoo.session({A: 31.0}), only(zoo.session({A: 30.1}))))
    assert len(result.gaps) == 1


def test_a_tolerance_that_was_widened_since_closes_no_gap(two_rows: Zoo) -> None:
    session = of_two(two_rows, 30.1, 31.0)
    slack = '[model.tolerance.psnr]\nslack = 9.0\nreason = "x"\n\n[[model]]\nname = "b_x2"'
    text = two_rows.card.read_text().replace('[[model]]\nname = "b_x2"', slack)
    two_rows.card.write_text(text)
    assert update(session).gaps == ()


def test_a_record_of_an_unknown_precision_matches_no_gap(zoo: Zoo) -> None:
    zoo.gap("a_x2", *GAP)
    session = zoo.session({A: 30.1})
    odd = replace(only(session), claim=None, place=None, metric="fidelity", precision="\x1b")
    assert len(update(with_more(session, odd)).gaps) == 1


@pytest.mark.parametrize(
    ("second", "gap", "leaves"),
    [
        ("", "", False),
        ("", 'dataset = "set5"', True),
        (', precisions = ["fp16"]', "", True),
    ],
)
def test_the_gap_of_a_gate_waits_for_each_dataset_that_it_covers(
    zoo: Zoo, second: str, gap: str, leaves: bool
) -> None:
    limits = "[model.gate]\nmin_fidelity_db = 45.0\nmax_drop_db = 0.1\nmax_drop_ssim = 0.1\n"
    first = '{ dataset = "set5", protocol = "paper_y" }'
    both = f'{first}, {{ dataset = "set14", protocol = "paper_y"{second} }}'
    text = zoo.card.read_text().replace(first, both, 1)
    zoo.card.write_text(text.replace('[[model]]\nname = "b', f'{limits}\n[[model]]\nname = "b'))
    zoo.gap("a_x2", 'metric = "fidelity"', 'precision = "int8_max"', gap)
    session = replace(zoo.session({}), records=(gate(zoo),))
    assert len(update(session).gaps) == leaves


def test_gates_whose_card_is_gone_are_refused_once(zoo: Zoo) -> None:
    gates = (gate(zoo), replace(gate(zoo), node_id="zoo/card.toml::g"))
    session = replace(zoo.session({}), records=gates)
    zoo.card.unlink()
    assert "zoo/card.toml: expected the card of a_x2, got no file" in refused(session, zoo)


def test_a_gate_of_some_images_closes_no_gap_and_mode_missing_closes_none(
    zoo: Zoo,
) -> None:
    first = '{ dataset = "set5", protocol = "paper_y" }'
    both = f"{first}, {first.replace('set5', 'set14')}"
    limits = "[model.gate]\nmin_fidelity_db = 45.0\nmax_drop_db = 0.1\nmax_drop_ssim = 0.1\n"
    text = zoo.card.read_text().replace(first, both, 1)
    zoo.card.write_text(text.replace('[[model]]\nname = "b', f'{limits}\n[[model]]\nname = "b'))
    zoo.gap("a_x2", 'metric = "fidelity"', 'precision = "int8_max"')
    second = replace(gate(zoo, "set14_x2"), node_id="zoo/card.toml::other")
    both_gates = replace(zoo.session({}), records=(gate(zoo), second))
    assert second.measurement is not None
    limited = replace(second, measurement=replace(second.measurement, planned=9))
    assert update(replace(both_gates, records=(gate(zoo), limited))).gaps == ()
    assert update(both_gates, "missing").gaps == ()
    assert len(update(both_gates).gaps) == 1
