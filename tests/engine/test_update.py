"""An update writes measured numbers into the cells they were claimed in, and nothing else."""

import errno
import json
import os
import threading
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

import sr_bench.engine.update as module
from sr_bench.core.history import PastRun
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.core.update import Update, UpdateMode
from sr_bench.engine.update import update_documents
from sr_bench.errors import OptionError
from sr_bench.files.lock import locked
from tests.update_zoo import README, Zoo, changed, make_zoo

A, A8, B = "a_x2 fp32 psnr", "a_x2 int8_max psnr", "b_x2 fp32 ssim"


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    monkeypatch.chdir(tmp_path)
    return make_zoo(tmp_path)


def update(run: PastRun, mode: UpdateMode = "failed", *, write: bool = True) -> Update:
    return update_documents(run, mode, reason="retrained", write=write)


def refused(run: PastRun, zoo: Zoo, mode: UpdateMode = "failed") -> str:
    """Return why nothing was done, and see that nothing was."""
    before = {path: path.read_bytes() for path in zoo.readme.parent.iterdir()}
    done = update(run, mode)
    assert (done.edits, done.gaps, done.diff) == ((), (), "")
    assert {path: path.read_bytes() for path in zoo.readme.parent.iterdir()} == before
    (told,) = done.refused
    return told


def why(done: Update) -> dict[str, str]:
    return {what: left.why for left in done.left_out for what in left.what}


def test_a_failed_number_is_written_in_the_cells_own_format_and_nothing_else_changes(
    zoo: Zoo,
) -> None:
    done = update(zoo.run({A: 30.257, "a_x2 fp32 ssim": 0.91, B: 0.8}))
    assert zoo.text == README.replace("**30.10**", "**30.26**").replace("| 0.85 |", "| 0.80 |")
    assert [(str(edit.place), edit.old, edit.new) for edit in done.edits] == [
        ("zoo/README.md:5:28", "30.10", "30.26"),
        ("zoo/README.md:7:27", "0.85", "0.80"),
    ]
    assert (done.refused, done.written) == ((), True)


def test_better_numbers_are_failed_ones_and_matching_ones_stay(zoo: Zoo) -> None:
    run = zoo.run({A: 30.9, "a_x2 fp32 ssim": 0.91004})
    assert {one.verdict.status for one in run.records if one.measurement} == {
        Status.BETTER,
        Status.MATCH,
    }
    update(run)
    assert zoo.text == README.replace("30.10", "30.90")


def test_line_ends_byte_order_mark_and_a_missing_last_line_feed_stay(zoo: Zoo) -> None:
    data = "\ufeff" + README.replace("\n", "\r\n").removesuffix("\r\n")
    zoo.readme.write_bytes(data.encode())
    update(zoo.run({A: 30.257}))
    assert zoo.text == data.replace("30.10", "30.26")


def test_the_diff_names_relative_paths_and_can_be_applied(zoo: Zoo) -> None:
    done = update(zoo.run({A: 30.257}), write=False)
    assert done.diff.splitlines()[:3] == [
        "--- a/zoo/README.md",
        "+++ b/zoo/README.md",
        "@@ -2,7 +2,7 @@",
    ]
    changes = [line for line in done.diff.splitlines()[2:] if line[0] in "+-"]
    assert [line[0] for line in changes] == ["-", "+"]
    assert "**30.26**" in changes[1]


def test_without_write_nothing_on_disk_changes_and_no_reason_is_needed(zoo: Zoo) -> None:
    done = update_documents(zoo.run({A: 30.257}), "failed", reason="", write=False)
    assert (len(done.edits), done.written) == (1, False)
    assert zoo.text == README
    assert not zoo.ledger.exists()


@pytest.mark.parametrize("reason", ["", " \n"])
def test_writing_needs_a_reason(zoo: Zoo, reason: str) -> None:
    with pytest.raises(OptionError, match="needs a reason"):
        update_documents(zoo.run({A: 31.0}), "failed", reason=reason, write=True)
    assert zoo.text == README


def test_each_edit_gets_a_ledger_line(zoo: Zoo) -> None:
    run = zoo.run({A: 30.257})
    update_documents(run, "failed", reason="re-\ntrained", write=True)
    (line,) = map(json.loads, zoo.ledger.read_text().splitlines())
    told = {key: line[key] for key in ("document", "line", "column", "row", "metric", "precision")}
    assert told == {
        "document": "README.md",
        "line": 5,
        "column": 28,
        "row": "A",
        "metric": "psnr",
        "precision": "fp32",
    }
    assert (line["old"], line["new"], line["reason"]) == ("30.10", "30.26", "re- trained")
    assert (line["run"], line["commit"]) == (run.info.run, run.info.environment.commit)
    assert (line["backend"], line["device"]) == ("onnxruntime", "cpu")
    assert (line["fingerprint"], line["python"]) == ("f1" * 32, "3.11.9")
    assert line["packages"] == {"numpy": "2.0"}
    assert line["when"].endswith("+00:00")
    assert "@" not in line["who"]


def test_a_ledger_grows_and_a_truncated_last_line_stays(zoo: Zoo) -> None:
    zoo.ledger.write_text('{"schema_version": 2, "ol')
    update(zoo.run({A: 30.257}))
    first, second = zoo.ledger.read_text().splitlines()
    assert first == '{"schema_version": 2, "ol'
    assert json.loads(second)["new"] == "30.26"


def test_updating_twice_from_one_run_does_nothing_more(zoo: Zoo) -> None:
    run = zoo.run({A: 30.257, "a_x2 fp32 ssim": 0.8})
    update(run)
    text, ledger = zoo.text, zoo.ledger.read_bytes()
    again = update(run)
    assert (again.edits, again.refused) == ((), ())
    assert (zoo.text, zoo.ledger.read_bytes()) == (text, ledger)


def test_a_truncating_document_gets_truncated_digits(zoo: Zoo) -> None:
    run = changed(zoo.run({A: 30.257}), "a_x2--fp32-psnr")
    (record,) = (one for one in run.records if one.measurement)
    cut = replace(record, verdict=replace(record.verdict, digits="truncated"))
    update(replace(run, records=(cut,)))
    assert "**30.25**" in zoo.text


# What is left out


def partial(record: Record) -> Record:
    assert record.measurement is not None
    return replace(
        record,
        measurement=replace(record.measurement, planned=5),
        verdict=replace(record.verdict, status=Status.NOT_RUN, tolerance=None),
    )


def unjudged(record: Record) -> Record:
    verdict = replace(record.verdict, status=Status.NOT_RUN, tolerance=None)
    return replace(record, verdict=verdict, backend="vacc", device="emulated")


LEFT_OUT = {
    "a part of the images": partial,
    "emulated, and the row is about the device": unjudged,
    "emulated, and the row is about the vacc device": lambda one: replace(one, device="emulated"),
    "not measured": lambda one: replace(one, measurement=None),
    "failed": lambda one: replace(one, verdict=replace(one.verdict, status=Status.ERROR)),
    "not judged": lambda one: replace(one, verdict=replace(one.verdict, tolerance=None)),
}


@pytest.mark.parametrize("reason", LEFT_OUT)
@pytest.mark.parametrize("mode", ["failed", "all"])
def test_what_was_not_judged_is_never_written(zoo: Zoo, reason: str, mode: UpdateMode) -> None:
    run = zoo.run({A8: 28.0})
    (record,) = (one for one in run.records if one.measurement)
    done = update(replace(run, records=(LEFT_OUT[reason](record),)), mode)
    assert reason in why(done)["zoo/README.md:6:37"]
    assert zoo.text == README
    assert not zoo.ledger.exists()


def test_a_partial_value_is_left_out_even_if_it_was_judged(zoo: Zoo) -> None:
    run = zoo.run({A: 28.0})
    (record,) = (one for one in run.records if one.measurement)
    limited = replace(partial(record), verdict=record.verdict)
    assert "--sr-limit" in why(update(replace(run, records=(limited,))))["zoo/README.md:5:28"]
    assert zoo.text == README


@pytest.mark.parametrize(("value", "reason"), [(inf, "no table can print"), (-inf, "infinity")])
def test_infinity_is_not_written(zoo: Zoo, value: float, reason: str) -> None:
    assert reason in why(update(zoo.run({A: value})))["zoo/README.md:5:28"]
    assert zoo.text == README


def test_an_emulated_low_precision_needs_a_row_that_says_so(zoo: Zoo) -> None:
    zoo.edit("**vacc int8 max**", "**int8 max**")
    run = changed(zoo.run({A8: 28.0}), "int8_max-psnr", device="emulated", backend="vacc")
    assert "vacc-emulated" in why(update(run))["zoo/README.md:6:32"]
    zoo.edit("**int8 max**", "**vacc-emulated int8 max**")
    update(changed(zoo.run({A8: 28.0}), "int8_max-psnr", device="emulated"))
    assert "| 28.00 |" in zoo.text


def test_in_fp32_nothing_is_imitated_so_a_plain_row_takes_the_value(zoo: Zoo) -> None:
    update(changed(zoo.run({A: 31.0}), "a_x2--fp32-psnr", device="emulated", backend="vacc"))
    assert "**31.00**" in zoo.text


# A document that changed


def test_a_number_that_was_edited_since_refuses_the_whole_document(zoo: Zoo) -> None:
    run = zoo.run({A: 31.0, B: 0.8})
    zoo.edit("30.10", "30.99")
    told = refused(run, zoo)
    assert "zoo/README.md: changed since the run: 1 fault" in told
    assert "zoo/README.md:5:28: expected 30.10 of A fp32 PSNR, got '30.99'" in told
    assert "run the tests again" in told


def test_a_cell_that_moved_refuses_the_whole_document_and_says_where_it_is(zoo: Zoo) -> None:
    run = zoo.run({A: 31.0})
    zoo.edit("# Zoo\n", "# Zoo\n\nMore.\n")
    assert "zoo/README.md:5:28: expected 30.10" in refused(run, zoo)
    assert "it stands in zoo/README.md:7:28 now" in refused(run, zoo)


def test_a_row_that_is_gone_refuses_the_whole_document(zoo: Zoo) -> None:
    run = zoo.run({A: 31.0, B: 0.8})
    zoo.edit("| B | two | 1.5 | - | - | 0.85 |\n", "")
    assert "zoo/README.md:7:27: expected 0.85 of B fp32 SSIM; the document has no" in refused(
        run, zoo
    )


def test_a_row_that_became_another_models_is_not_written_into(zoo: Zoo) -> None:
    run = zoo.run({B: 0.8})
    zoo.edit("| B | two |", "| C | two |")
    assert "no such row" in refused(run, zoo)


def test_a_document_that_is_gone_is_refused(zoo: Zoo) -> None:
    run = zoo.run({A: 31.0})
    zoo.readme.unlink()
    assert "zoo/README.md: the run's document is not here" in refused(run, zoo)


def test_a_document_that_is_refused_does_not_stop_another(zoo: Zoo, tmp_path: Path) -> None:
    other = make_zoo(tmp_path / "second")
    records = [
        replace(
            one,
            place=replace(one.place, path=f"second/{one.place.path}"),
            node_id=f"second/{one.node_id}",
            claim=one.claim
            and replace(
                one.claim, source=replace(one.claim.source, path=f"second/{one.place.path}")
            ),
        )
        for one in zoo.run({A: 31.0}).records
        if one.place
    ]
    run = zoo.run({A: 31.0})
    zoo.edit("30.10", "30.99")
    done = update(replace(run, records=(*run.records, *records)))
    assert len(done.refused) == 1
    assert "**31.00**" in other.text
    assert other.ledger.exists()
    assert not zoo.ledger.exists()


# Two at once, and disks that refuse


def test_two_updates_at_once_wait_for_each_other(zoo: Zoo) -> None:
    runs = [zoo.run({A: value}) for value in (31.0, 32.0)]
    done: list[Update] = []
    threads = [threading.Thread(target=lambda run=run: done.append(update(run))) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(one.edits) for one in done) == [0, 1]
    assert sum(len(one.refused) for one in done) == 1
    assert len(zoo.ledger.read_text().splitlines()) == 1


def test_a_folder_that_another_process_updates_all_the_time_is_refused(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.0)
    run = zoo.run({A: 31.0})
    with locked(zoo.readme.parent, wait_s=0):
        assert "zoo: another process has been changing it" in refused(run, zoo)


@pytest.mark.parametrize("name", ["README.md", "ledger.jsonl", "."])
def test_a_read_only_tree_is_refused_and_nothing_is_written(zoo: Zoo, name: str) -> None:
    zoo.ledger.write_text("")
    path = zoo.readme.parent / name
    path.chmod(0o555)
    try:
        assert "read-only: make it writable" in refused(zoo.run({A: 31.0}), zoo)
    finally:
        path.chmod(0o755)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_what_was_written_is_put_back_if_the_ledger_cannot_be(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    replaced, rename = [], Path.replace

    def refuse(source: Path, target: Path) -> Path:
        replaced.append(target.name)
        if target.name == "ledger.jsonl":
            raise OSError(number, os.strerror(number))
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", refuse)
    assert "cannot write" in refused(zoo.run({A: 31.0}), zoo)
    assert replaced == ["README.md", "ledger.jsonl", "README.md"]


# Cells without a number


def test_missing_fills_blank_cells_like_the_nearest_number_of_their_column(zoo: Zoo) -> None:
    run = zoo.run({"b_x2 fp32 psnr": 28.12345, "b_x2 fp32 params": 3.21, A: 31.0})
    done = update(run, "missing")
    assert zoo.text == README.replace("| 1.5 | - | - |", "| 1.5 | 3.2 | 28.12 |")
    assert [edit.old for edit in done.edits] == ["-", "-"]
    again = update(run, "missing")
    assert (again.edits, len(again.refused)) == ((), 1)


def test_the_nearest_row_decides_and_of_two_the_upper_one(zoo: Zoo) -> None:
    zoo.edit("| 1.5 | - | - | 0.85 |", "| 1.5 | - | - | 0.85 |\n| C | - | - | - | 27.1 | - |")
    zoo.card.write_text(
        zoo.card.read_text().replace("schema = 1", 'schema = 1\nignore_rows = ["C"]')
    )
    update(zoo.run({"b_x2 fp32 psnr": 28.12345}), "missing")
    assert "| - | 28.12 | 0.85 |" in zoo.text


def test_without_any_number_of_the_metric_the_usual_decimals_are_printed(zoo: Zoo) -> None:
    zoo.edit("| 2.0 |", "| - |")
    update(zoo.run({"b_x2 fp32 params": 3.25}), "missing")
    assert "| 3.250000 |" in zoo.text


def test_a_new_number_is_cut_as_the_card_says_the_document_does(zoo: Zoo) -> None:
    card = zoo.card.read_text()
    zoo.card.write_text(card + '[model.tolerance.psnr]\ndigits = "truncated"\n')
    update(zoo.run({"b_x2 fp32 psnr": 28.129}), "missing")
    assert "| 28.12 | 0.85 |" in zoo.text


def test_an_emulated_value_does_not_fill_a_devices_blank_cell(zoo: Zoo) -> None:
    zoo.edit("| 29.50 |", "| - |")
    run = changed(zoo.run({A8: 28.0}), "int8_max-psnr", device="emulated")
    assert "about the vacc device" in why(update(run, "missing"))["zoo/README.md:6:37"]
    assert "| 28.00 |" not in zoo.text


def test_a_blank_cell_that_was_filled_or_moved_since_is_refused(zoo: Zoo) -> None:
    run = zoo.run({"b_x2 fp32 psnr": 28.0})
    zoo.edit("| - | 0.85 |", "| 28.5 | 0.85 |")
    assert "expected a cell without a number for B fp32 PSNR, got '28.5'" in refused(
        run, zoo, "missing"
    )
    zoo.edit("| 28.5 | 0.85 |", "| - | 0.85 |")
    zoo.edit("# Zoo", "# Zoo\n")
    assert "expected a cell for PSNR of B fp32; it is not there" in refused(run, zoo, "missing")


def test_failed_leaves_blank_cells_and_all_fills_them(zoo: Zoo) -> None:
    run = zoo.run({"b_x2 fp32 psnr": 28.0})
    assert update(run).edits == ()
    update(run, "all")
    assert "| 28.00 | 0.85 |" in zoo.text


def test_a_record_without_a_cell_is_left_alone(zoo: Zoo) -> None:
    run = changed(zoo.run({"b_x2 fp32 psnr": 28.0}), "b_x2--fp32-psnr", place=None)
    assert update(run, "all").edits == ()


def test_records_of_schema_1_know_their_place_by_the_claim(zoo: Zoo) -> None:
    update(changed(zoo.run({A: 31.0}), "a_x2--fp32-psnr", place=None))
    assert "**31.00**" in zoo.text


def test_all_also_writes_numbers_that_agree_by_a_slack(zoo: Zoo) -> None:
    card = zoo.card.read_text().replace('[[model]]\nname = "b_x2"', "")
    slack = '[model.tolerance.psnr]\nslack = 0.5\nreason = "noise"\n\n[[model]]\nname = "b_x2"'
    zoo.card.write_text(zoo.card.read_text().replace('[[model]]\nname = "b_x2"', slack))
    assert card != zoo.card.read_text()
    run = zoo.run({A: 30.4})
    assert update(run).edits == ()
    update(run, "all")
    assert "**30.40**" in zoo.text


# Known gaps

GAP = ('metric = "psnr"', 'precision = "fp32"')


def test_a_closed_gap_leaves_the_card_and_its_number_stays(zoo: Zoo) -> None:
    before = zoo.card.read_text()
    zoo.gap("a_x2", *GAP)
    done = update(zoo.run({A: 30.1}))
    assert (zoo.card.read_text(), zoo.text) == (before, README)
    (gap,) = done.gaps
    assert (str(gap.place), gap.reason) == ("zoo/card.toml:11:1", "of one image")
    assert "--- a/zoo/card.toml" in done.diff
    (line,) = map(json.loads, zoo.ledger.read_text().splitlines())
    assert (line["kind"], line["document"], line["old"]) == (
        "known_gap",
        "card.toml",
        "of one image",
    )


def test_an_open_gap_stays_unless_all_is_asked_for(zoo: Zoo) -> None:
    before = zoo.card.read_text()
    zoo.gap("a_x2", *GAP)
    run = zoo.run({A: 31.0})
    assert "mode all" in why(update(run))["zoo/README.md:5:28"]
    assert zoo.text == README
    done = update(run, "all")
    assert (len(done.edits), len(done.gaps)) == (1, 1)
    assert (zoo.card.read_text(), zoo.text) == (before, README.replace("30.10", "31.00"))


TWO = README.replace("| SSIM |", "| SSIM | Dataset |").replace("--: |\n", "--: | :-- |\n")
TWO = TWO.replace("0.9100 |", "0.9100 | set5 |").replace("0.8800 |", "0.8800 | |")
TWO = TWO.replace("0.85 |", "0.85 | |\n| A | one | - | - | 29.00 | - | set14 |")


@pytest.fixture
def two_rows(zoo: Zoo) -> Zoo:
    """Return a zoo whose gap covers two numbers: of a row on set5 and of one on set14."""
    zoo.readme.write_text(TWO)
    both = '{ dataset = "set5", protocol = "paper_y" }, { dataset = "set14", protocol = "paper_y" }'
    one = '{ dataset = "set5", protocol = "paper_y" }'
    zoo.card.write_text(zoo.card.read_text().replace(one, both, 1))
    zoo.gap("a_x2", *GAP)
    return zoo


def of_two(zoo: Zoo, first: float, second: float) -> PastRun:
    run = zoo.run({A: first})
    records = []
    for one in run.records:
        if one.claim and one.claim.dataset == "set14" and one.metric == "psnr":
            model_run = zoo.run({A: second})
            (one,) = (other for other in model_run.records if other.claim == one.claim)
            one = replace(one, dataset="set14_x2")
        records.append(one)
    return replace(run, records=tuple(records))


def test_a_gap_that_excuses_an_open_number_too_stays(two_rows: Zoo) -> None:
    card = two_rows.card.read_text()
    done = update(of_two(two_rows, 30.1, 31.0))
    assert (done.gaps, two_rows.card.read_text()) == ((), card)
    assert any("also excuses a_x2--fp32-psnr (known_gap)" in told for told in why(done).values())


def test_a_gap_that_excuses_a_number_which_was_not_run_stays(two_rows: Zoo) -> None:
    card = two_rows.card.read_text()
    run = of_two(two_rows, 30.1, 29.0)
    some = [one for one in run.records if not (one.claim and one.claim.dataset == "set14")]
    done = update(replace(run, records=tuple(some)))
    assert (done.gaps, two_rows.card.read_text()) == ((), card)
    assert any("README.md:8:21 (not in this run)" in told for told in why(done).values())


def test_all_keeps_the_number_of_a_gap_that_stays(two_rows: Zoo) -> None:
    run = of_two(two_rows, 31.0, 31.0)
    some = [one for one in run.records if not (one.claim and one.claim.dataset == "set14")]
    assert update(replace(run, records=tuple(some)), "all").edits == ()
    assert two_rows.text == TWO


def test_a_gap_leaves_once_all_that_it_excuses_agrees(two_rows: Zoo) -> None:
    done = update(of_two(two_rows, 30.1, 29.0))
    assert len(done.gaps) == 1
    assert "known_gap" not in two_rows.card.read_text()


def test_a_failure_of_the_device_that_is_gone_is_left_to_the_user(zoo: Zoo) -> None:
    run = zoo.run({A8: 28.0})
    gone = Verdict(Status.GAP_CLOSED, "the known failure is gone", 28.0, 29.5, 0.005)
    done = update(changed(run, "int8_max-psnr", verdict=gone))
    assert "known_failure" in why(done)["a_x2-vacc-int8_max-psnr"]
    assert zoo.text == README


def test_a_gone_failure_does_not_close_a_gap_whose_number_differs(zoo: Zoo) -> None:
    zoo.gap("a_x2", 'metric = "psnr"', 'precision = "int8_max"')
    gone = Verdict(Status.GAP_CLOSED, "the known failure is gone", 28.0, 29.5, 0.005)
    done = update(changed(zoo.run({A8: 28.0}), "int8_max-psnr", verdict=gone))
    assert done.gaps == ()
    assert "known_gap" in zoo.card.read_text()


def gate(zoo: Zoo, dataset: str = "set5_x2") -> Record:
    (base,) = (one for one in zoo.run({A8: 29.5}).records if one.measurement)
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
    run = replace(zoo.run({}), records=(gate(zoo, dataset),))
    assert len(update(run).gaps) == leaves
    assert (zoo.card.read_text() == before) == leaves


def test_a_card_that_changed_to_another_document_is_refused(zoo: Zoo) -> None:
    zoo.gap("a_x2", *GAP)
    run = zoo.run({A: 30.1})
    (zoo.root / "zoo" / "OTHER.md").write_text(README)
    zoo.card.write_text(
        zoo.card.read_text().replace("schema = 1", 'schema = 1\ndocument = "OTHER.md"')
    )
    assert "expected the card of zoo/README.md, got that of zoo/OTHER.md" in refused(run, zoo)


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
    assert "permission denied" in refused(zoo.run({A: 31.0}), zoo, "all")
