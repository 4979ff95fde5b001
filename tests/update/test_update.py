"""An update writes measured numbers into the cells they were claimed in, and nothing else."""

import json
from dataclasses import replace

import pytest

from sr_bench.core.record import Status
from sr_bench.errors import OptionError
from sr_bench.files.lock import locked
from sr_bench.update.documents import update_documents
from tests.update_zoo import A8, README, A, B, Zoo, changed, update


def test_a_failed_number_is_written_in_the_cells_own_format_and_nothing_else_changes(
    zoo: Zoo,
) -> None:
    result = update(zoo.session({A: 30.257, "a_x2 fp32 ssim": 0.91, B: 0.8}))
    assert zoo.text == README.replace("**30.10**", "**30.26**").replace("| 0.85 |", "| 0.80 |")
    assert [(str(edit.place), edit.old, edit.new) for edit in result.edits] == [
        ("zoo/README.md:5:28", "30.10", "30.26"),
        ("zoo/README.md:7:27", "0.85", "0.80"),
    ]
    assert (result.refused, result.written) == ((), True)


def test_better_numbers_are_failed_ones_and_matching_ones_stay(zoo: Zoo) -> None:
    session = zoo.session({A: 30.9, "a_x2 fp32 ssim": 0.91004})
    assert {record.verdict.status for record in session.records if record.measurement} == {
        Status.BETTER,
        Status.MATCH,
    }
    update(session)
    assert zoo.text == README.replace("30.10", "30.90")


def test_line_ends_byte_order_mark_and_a_missing_last_line_feed_stay(zoo: Zoo) -> None:
    data = "\ufeff" + README.replace("\n", "\r\n").removesuffix("\r\n")
    zoo.readme.write_bytes(data.encode())
    update(zoo.session({A: 30.257}))
    assert zoo.text == data.replace("30.10", "30.26")


def test_a_table_that_the_card_ignores_does_not_keep_its_twin_from_being_updated(zoo: Zoo) -> None:
    paper = "\n## Paper\n\n| Models | Source | PSNR(dB) |\n|-|-|-|\n| A | one | 30.60 |\n"
    zoo.readme.write_text(README + paper)
    zoo.card.write_text(f"ignore_tables = {{ Paper = 'of others' }}\n{zoo.card.read_text()}")
    result = update(zoo.session({A: 30.257}))
    assert (zoo.text, result.refused) == (README.replace("30.10", "30.26") + paper, ())


def test_the_diff_names_relative_paths_and_can_be_applied(zoo: Zoo) -> None:
    result = update(zoo.session({A: 30.257}), write=False)
    assert result.diff.splitlines()[:3] == [
        "--- a/zoo/README.md",
        "+++ b/zoo/README.md",
        "@@ -2,7 +2,7 @@",
    ]
    changes = [line for line in result.diff.splitlines()[2:] if line[0] in "+-"]
    assert [line[0] for line in changes] == ["-", "+"]
    assert "**30.26**" in changes[1]


def test_without_write_nothing_on_disk_changes_and_no_reason_is_needed(zoo: Zoo) -> None:
    result = update_documents(zoo.session({A: 30.257}), "failed", reason="", write=False)
    assert (len(result.edits), result.written) == (1, False)
    assert zoo.text == README
    assert not zoo.ledger.exists()


@pytest.mark.parametrize("reason", ["", " \n"])
def test_writing_needs_a_reason(zoo: Zoo, reason: str) -> None:
    with pytest.raises(OptionError, match="needs a reason"):
        update_documents(zoo.session({A: 31.0}), "failed", reason=reason, write=True)
    assert zoo.text == README


def test_each_edit_gets_a_ledger_line(zoo: Zoo) -> None:
    session = zoo.session({A: 30.257})
    update_documents(session, "failed", reason="re-\ntrained", write=True)
    (line,) = map(json.loads, zoo.ledger.read_text().splitlines())
    cell = {key: line[key] for key in ("document", "line", "column", "row", "metric", "precision")}
    assert cell == {
        "document": "README.md",
        "line": 5,
        "column": 28,
        "row": "A",
        "metric": "psnr",
        "precision": "fp32",
    }
    assert (line["old"], line["new"], line["reason"]) == ("30.10", "30.26", "re- trained")
    assert (line["run"], line["commit"]) == (session.info.run, session.info.environment.commit)
    assert (line["backend"], line["device"]) == ("onnxruntime", "cpu")
    assert (line["fingerprint"], line["python"]) == ("f1" * 32, "3.11.9")
    assert line["packages"] == {"numpy": "2.0"}
    assert line["when"].endswith("+00:00")
    assert "@" not in line["who"]


def test_a_ledger_grows_and_a_truncated_last_line_stays(zoo: Zoo) -> None:
    zoo.ledger.write_text('{"schema_version": 2, "ol')
    update(zoo.session({A: 30.257}))
    first, second = zoo.ledger.read_text().splitlines()
    assert first == '{"schema_version": 2, "ol'
    assert json.loads(second)["new"] == "30.26"


def test_updating_twice_from_one_run_does_nothing_more(zoo: Zoo) -> None:
    session = zoo.session({A: 30.257, "a_x2 fp32 ssim": 0.8})
    update(session)
    text, ledger = zoo.text, zoo.ledger.read_bytes()
    again = update(session)
    assert (again.edits, again.refused) == ((), ())
    assert (zoo.text, zoo.ledger.read_bytes()) == (text, ledger)


def test_a_truncating_document_gets_truncated_digits(zoo: Zoo) -> None:
    session = changed(zoo.session({A: 30.257}), "a_x2--fp32-psnr")
    (record,) = (record for record in session.records if record.measurement)
    cut = replace(record, verdict=replace(record.verdict, digits="truncated"))
    update(replace(session, records=(cut,)))
    assert "**30.25**" in zoo.text


def test_records_of_schema_1_know_their_place_by_the_claim(zoo: Zoo) -> None:
    update(changed(zoo.session({A: 31.0}), "a_x2--fp32-psnr", place=None))
    assert "**31.00**" in zoo.text


def test_all_also_writes_numbers_that_agree_by_a_slack(zoo: Zoo) -> None:
    card = zoo.card.read_text().replace('[[model]]\nname = "b_x2"', "")
    slack = '[model.tolerance.psnr]\nslack = 0.5\nreason = "noise"\n\n[[model]]\nname = "b_x2"'
    zoo.card.write_text(zoo.card.read_text().replace('[[model]]\nname = "b_x2"', slack))
    assert card != zoo.card.read_text()
    session = zoo.session({A: 30.4})
    assert update(session).edits == ()
    update(session, "all")
    assert "**30.40**" in zoo.text


def test_a_document_with_two_names_is_updated_once(zoo: Zoo) -> None:
    session = zoo.session({A: 31.0, B: 0.8})
    (record,) = (row for row in session.records if row.claim and row.claim.text == "0.85")
    place = replace(record.claim.source, path=str(zoo.readme))
    claim = replace(record.claim, source=place)
    result = update(changed(session, "b_x2--fp32-ssim", claim=claim, place=place))
    assert (len(result.edits), result.diff.count("+++")) == (2, 1)


def test_a_dry_run_waits_for_nobody(zoo: Zoo) -> None:
    with locked(zoo.readme.parent, wait_s=0):
        assert len(update(zoo.session({A: 31.0}), write=False).edits) == 1


def test_the_ledger_keeps_the_backend_word_of_the_row(zoo: Zoo) -> None:
    update(changed(zoo.session({A8: 28.0}), "int8_max-psnr", device="vacc"))
    line = json.loads(zoo.ledger.read_text())
    assert (line["backend_word"], line["row_source"], line["device"]) == ("vacc", "one", "vacc")
