"""``sr-bench check`` exits with 1 if a document prints what its run did not measure."""

from dataclasses import replace

import pytest

from sr_bench.core.record import Status
from tests.update_zoo import README, Zoo, changed

A, A8, B = "a_x2 fp32 psnr", "a_x2 int8_max psnr", "b_x2 fp32 ssim"
GAP = ('metric = "psnr"', 'precision = "fp32"')


@pytest.fixture
def check(sr_bench, draft: Zoo):
    return lambda *args: sr_bench("check", "zoo/README.md", *args)


def test_a_document_that_agrees_is_fine(check, draft: Zoo) -> None:
    draft.write(draft.session({A: 30.1, B: 0.85}))
    result = check()
    assert (result.code, result.err) == (0, "")
    assert result.out == "zoo/README.md: 8 claims, 2 judged, 0 stale\n"


@pytest.mark.parametrize(("value", "status"), [(29.0, "differs"), (31.0, "better")])
def test_a_number_that_was_measured_otherwise_is_stale(
    check, draft: Zoo, value: float, status: str
) -> None:
    draft.write(draft.session({A: value, B: 0.85}))
    result = check()
    assert result.code == 1
    assert result.out.splitlines() == [
        "zoo/README.md: 8 claims, 2 judged, 1 stale",
        f"zoo/README.md:5:28: stale: A fp32 PSNR: claimed 30.10 dB, measured {value:.4f} dB:"
        f" {status}",
    ]


def test_a_number_that_was_edited_after_the_run_is_stale(check, draft: Zoo) -> None:
    draft.write(draft.session({A: 30.1}))
    draft.edit("30.10", "30.90")
    result = check()
    assert result.code == 1
    assert "claimed 30.90 dB, measured 30.1000 dB: edited after the run" in result.out


def test_a_number_that_moved_is_found_by_its_row(check, draft: Zoo) -> None:
    draft.write(draft.session({A: 29.0}))
    draft.edit("# Zoo", "# Zoo\n\nMore.")
    result = check()
    assert (result.code, "zoo/README.md:7:28: stale" in result.out) == (1, True)
    draft.write(draft.session({A: 30.1}))
    draft.edit("More.", "More.\n")
    assert check().code == 0


@pytest.mark.parametrize("mode", ["failed", "missing", "all"])
def test_after_an_update_from_the_run_nothing_is_stale(
    sr_bench, check, draft: Zoo, mode: str
) -> None:
    values = {"b_x2 fp32 psnr": 28.127, "b_x2 fp32 params": 30.71}
    run = draft.write(draft.session(values if mode == "missing" else values | {A: 31.0, B: 0.8}))
    assert sr_bench("update", run, "--mode", mode, "--reason", "x").code == 0
    result = check()
    assert result.code == 0, result.out
    judged = {"failed": 2, "missing": 2, "all": 4}[mode]
    assert f"{judged} judged, 0 stale" in result.out


def test_a_blank_cell_that_was_filled_by_hand_is_stale(check, draft: Zoo) -> None:
    draft.write(draft.session({"b_x2 fp32 psnr": 28.127, B: 0.85}))
    draft.edit("| - | 0.85 |", "| 28.5 | 0.85 |")
    result = check()
    assert (result.code, "28.5 dB, measured 28.127000 dB: edited" in result.out) == (1, True)


def test_another_row_in_the_place_of_a_blank_one_is_not_judged(check, draft: Zoo) -> None:
    draft.write(draft.session({"b_x2 fp32 psnr": 28.127, B: 0.85}))
    draft.edit("| B |", "| C | two | - | - | 27.5 | - |\n| B |")
    result = check()
    assert (result.code, "1 judged, 0 stale" in result.out) == (0, True)


def test_a_gap_that_closed_is_stale_until_it_has_left_the_card(sr_bench, check, draft: Zoo) -> None:
    draft.gap("a_x2", *GAP)
    run = draft.write(draft.session({A: 30.1}))
    result = check()
    assert (result.code, "gap_closed: agrees with the document" in result.out) == (1, True)
    sr_bench("update", run, "--reason", "x")
    assert check().code == 0
    draft.card.unlink()
    assert check().code == 1


def test_a_known_gap_is_listed_and_not_stale(sr_bench, check, draft: Zoo) -> None:
    draft.gap("a_x2", *GAP)
    run = draft.write(draft.session({A: 31.0}))
    result = check()
    assert result.code == 0
    assert result.out.splitlines()[0].endswith("1 judged, 0 stale, 1 known gaps")
    assert "known gap: A fp32 PSNR: claimed 30.10 dB, measured 31.0000 dB: of one" in result.out
    sr_bench("update", run, "--mode", "all", "--reason", "x")
    assert "known gap" not in check().out


@pytest.mark.parametrize("values", [{}, {A: float("inf")}])
def test_a_run_that_judged_nothing_reports_none(check, draft: Zoo, values: dict) -> None:
    result = check("--run", str(draft.write(draft.session(values))))
    assert result.code == 3
    assert "judged nothing of zoo/README.md: run the tests" in result.err


def test_a_value_that_was_shown_but_not_judged_does_not_count(check, draft: Zoo) -> None:
    session = changed(draft.session({A8: 28.0}), "int8_max-psnr", device="emulated")
    (record,) = (record for record in session.records if record.measurement)
    shown = type(record.verdict)(record.verdict.status, "shown", 28.0, 29.5)
    draft.write(changed(session, "int8_max-psnr", verdict=shown))
    assert check().code == 3


def test_stale_is_listed_before_silent_for_each_document(sr_bench, check, draft: Zoo) -> None:
    draft.write(draft.session({A: 29.0}))
    (draft.root / "OTHER.md").write_text(README)
    result = check("OTHER.md")
    assert result.code == 1
    assert "OTHER.md: 8 claims, 0 judged, 0 stale" in result.out
    draft.write(draft.session({A: 30.1}))
    assert check("OTHER.md").code == 3


def test_another_run_may_be_named_and_an_absent_one_is_reported(check, draft: Zoo) -> None:
    path = draft.write(draft.session({A: 29.0}))
    path.parent.rename("other")
    assert check().code == 3
    assert "there is no run in reports/history yet" in check().err
    assert check("--run", "other/latest.json").code == 1


def test_a_broken_document_is_an_error(check, draft: Zoo) -> None:
    draft.write(draft.session({A: 30.1}))
    draft.edit("| 1.5 |", "| 1.5.1 |")
    result = check()
    assert (result.code, "zoo/README.md:7:13" in result.err) == (1, True)


def test_control_characters_do_not_reach_the_terminal(check, draft: Zoo) -> None:
    draft.write(draft.session({A: 29.0}))
    draft.gap("a_x2", *GAP)
    draft.card.write_text(draft.card.read_text().replace("of one image", "\\u001b[31m"))
    draft.write(draft.session({A: 29.0}))
    result = check()
    assert "\x1b" not in result.out
    assert "\\x1b[31m" in result.out


def test_a_cell_that_was_blank_is_found_in_its_line(check, draft: Zoo) -> None:
    """Rows of the same precision and metric, whose model has no number, can't be told apart."""
    draft.edit("| B | two | 1.5 | - | - | 0.85 |", "| B | two | - | - | - | - |")
    draft.write(draft.session({"b_x2 fp32 psnr": 28.127, A: 30.1}))
    draft.edit("| B | two |", "| C | two | - | - | 27.5 | - |\n| B | two |")
    draft.edit("| B | two | - | - | - |", "| B | two | - | - | 28.13 |")
    assert "2 judged, 1 stale" in check().out


def test_a_document_that_truncates_is_held_against_truncated_digits(
    sr_bench, check, draft: Zoo
) -> None:
    cut = '[model.tolerance.psnr]\ndigits = "truncated"\n'
    text = draft.card.read_text()
    text = text.replace("[[model]]", f"{cut}[[model]]").replace(cut, "", 1)
    draft.card.write_text(f"{text}{cut}")
    run = draft.write(draft.session({A: 30.999, "b_x2 fp32 psnr": 28.129}))
    sr_bench("update", run, "--mode", "all", "--reason", "x")
    assert ("**30.99**" in draft.text, "| 28.12 |" in draft.text) == (True, True)
    assert check().code == 0
    draft.edit("30.99", "31.00")
    assert check().code == 1


def test_a_failure_of_the_device_that_is_gone_is_stale_until_the_card_forgets_it(
    check, draft: Zoo
) -> None:
    known = '[[model.vacc.known_failure]]\nfailure = "timeout"\nreason = "slow"\n'
    before = draft.card.read_text()
    draft.card.write_text(before.replace('[[model]]\nname = "b', f'{known}\n[[model]]\nname = "b'))
    session = draft.session({A8: 29.5})
    (record,) = (record for record in session.records if record.measurement)
    verdict = replace(record.verdict, status=Status.GAP_CLOSED)
    draft.write(changed(session, "int8_max-psnr", verdict=verdict))
    assert check().code == 1
    draft.card.write_text(before)
    assert check().code == 0
