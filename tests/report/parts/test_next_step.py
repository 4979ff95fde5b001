"""Three lines lead from numbers that were not run to measured ones."""

from dataclasses import replace
from pathlib import Path

from sr_bench.core.detail import Detail
from sr_bench.core.missing import Missing, Offer
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.report.parts.next_step import next_step_lines, step_text
from tests.report.records import record, without_value

SET = Missing("dataset", "set5", "sr-bench fetch set5", size=3_000_000)
OWN = Missing("dataset", "faces", options=("--sr-data=DIR",))
WEIGHTS = [Missing("weights", f"{name}.pth", options=("--sr-weights=DIR",)) for name in "abc"]
EMULATED = Missing("backend", "vacc-emulated", options=("--backend=vacc",))


def lacking(*missing: Missing, family: str = "zoo") -> Record:
    return replace(without_value(record()), detail=Detail(missing=missing), family=family)


def test_they_say_what_is_lacking_what_brings_it_and_what_measures() -> None:
    records = [record(), lacking(SET), lacking(SET, family="b"), lacking(OWN)]
    assert next_step_lines(records, ["my zoo"]) == [
        "next: 2 of 3 numbers not run, in 2 suites, lack only set5",
        "  sr-bench fetch set5  # 3.0 MB",
        "  pytest 'my zoo'",
    ]
    assert next_step_lines(records, [Path("my zoo")])[-1] == "  pytest 'my zoo'"


def test_two_things_that_lack_together_are_one_step() -> None:
    records = [lacking(SET, weights) for weights in WEIGHTS]
    assert next_step_lines(records, ["zoo"]) == [
        "next: 3 of 3 numbers not run, in 1 suite, lack only set5 and 3 files of weights",
        "  sr-bench fetch set5          # 3.0 MB",
        "  pytest zoo --sr-weights=DIR  # --sr-weights holds a.pth, b.pth and 1 more",
    ]


def test_leave_to_run_code_is_an_option_more_not_a_step() -> None:
    leave = Missing("code", "nets:Net", options=("--sr-trust-code",))
    lines = next_step_lines([lacking(SET, WEIGHTS[0], leave)], ["zoo"])
    assert lines[0].endswith(" lack only set5 and a.pth and leave to run nets:Net")
    assert lines[2].startswith("  pytest zoo --sr-weights=DIR --sr-trust-code  # ")


def test_commands_are_whole_in_a_narrow_terminal_and_notes_are_cut() -> None:
    records = [lacking(SET, weights) for weights in WEIGHTS]
    for width, note in ((60, "  # --sr-weights holds..."), (50, "  # --sr-weights..."), (33, "")):
        *_, run = next_step_lines(records, ["zoo"], width)
        assert run == f"  pytest zoo --sr-weights=DIR{note}"


def test_a_folder_that_is_given_already_is_to_hold_more() -> None:
    (*_, run) = next_step_lines([lacking(OWN, WEIGHTS[0])], ["zoo", "--sr-data=images"])
    told = "--sr-data holds faces; --sr-weights holds a.pth"
    assert run == f"  pytest zoo --sr-data=images --sr-weights=DIR  # {told}"


def test_another_backend_is_one_more_run() -> None:
    assert next_step_lines([lacking(EMULATED)], ["zoo", "--backend=torch"]) == [
        "next: 1 of 1 number not run, in 1 suite, lack only a session of vacc-emulated",
        "  pytest zoo --backend=torch --backend=vacc",
    ]


def test_nothing_is_said_where_no_step_helps() -> None:
    gap = Verdict(Status.KNOWN_GAP, "known")
    known = replace(lacking(SET), verdict=gap)
    assert next_step_lines([record(), lacking(), known], ["zoo"]) == []


def test_control_characters_of_names_are_spelled_out() -> None:
    hostile = replace(SET, name="a\x1b[2J")
    assert "\\x1b" in next_step_lines([lacking(hostile)], [])[0]


def test_a_cell_of_a_table_has_all_of_a_step() -> None:
    assert step_text(Offer((SET, *WEIGHTS), (0,))) == (
        "sr-bench fetch set5; pytest --sr-weights=DIR (a.pth, b.pth and 1 more)"
    )
    assert step_text(Offer((EMULATED,), (0,))) == "pytest --backend=vacc"
