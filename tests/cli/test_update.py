"""``sr-bench update`` shows a diff, writes with a reason, and says what it left out."""

import json
import subprocess
from dataclasses import replace

import pytest

from tests.update_zoo import README, Zoo, changed

A, B = "a_x2 fp32 psnr", "b_x2 fp32 ssim"


def test_a_dry_run_prints_the_diff_and_writes_nothing(sr_bench, draft: Zoo) -> None:
    result = sr_bench("update", draft.write(draft.session({A: 31.0})), "--dry-run")
    assert result.code == 0
    assert result.out.startswith("--- a/zoo/README.md\n+++ b/zoo/README.md\n@@")
    assert "\n+| A | one | 1.00 | 2.0 | **31.00** | 0.9100 |\n" in result.out
    assert "1 number updated (dry run: nothing was written)" in result.out
    assert draft.text == README


def test_with_a_reason_it_writes(sr_bench, draft: Zoo) -> None:
    result = sr_bench("update", draft.write(draft.session({A: 31.0})), "--reason", "retrained")
    assert (result.code, result.err) == (0, "")
    assert "1 number updated\n" in result.out
    assert draft.text == README.replace("30.10", "31.00")
    assert json.loads(draft.ledger.read_text())["reason"] == "retrained"


def test_a_run_of_the_history_is_taken_too(sr_bench, draft: Zoo) -> None:
    session = draft.session({A: 31.0})
    latest = draft.write(session)
    lines = [json.loads(latest.read_text())]
    records = lines[0].pop("records")
    path = latest.parent / "history" / f"{session.info.run}.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in (*lines, *records)))
    assert sr_bench("update", path, "--reason", "x").code == 0
    assert "31.00" in draft.text


@pytest.mark.parametrize("reason", [[], ["--reason", "  "]])
def test_without_a_reason_it_is_a_wrong_command(sr_bench, draft: Zoo, reason: list[str]) -> None:
    result = sr_bench("update", draft.write(draft.session({A: 31.0})), *reason)
    assert (result.code, draft.text) == (2, README)
    assert "--reason TEXT" in result.err


def test_the_mode_says_which_cells(sr_bench, draft: Zoo) -> None:
    run = draft.write(draft.session({A: 31.0, "b_x2 fp32 psnr": 28.0}))
    assert sr_bench("update", run, "--mode", "missing", "--reason", "x").code == 0
    assert draft.text == README.replace("| - | 0.85 |", "| 28.00 | 0.85 |")
    assert sr_bench("update", run, "--mode", "some", "--reason", "x").code == 2


def test_what_is_left_out_is_listed_in_groups(sr_bench, draft: Zoo) -> None:
    result = sr_bench("update", draft.write(draft.session({A: 31.0})), "--dry-run")
    assert "left out, 7 x not measured in this run\n  zoo/README.md:5:13\n" in result.out
    assert result.out.endswith("\n  and 2 more\n")


def test_a_document_that_changed_is_an_error(sr_bench, draft: Zoo) -> None:
    run = draft.write(draft.session({A: 31.0}))
    draft.edit("30.10", "30.99")
    result = sr_bench("update", run, "--reason", "x")
    assert result.code == 1
    assert "zoo/README.md:5:28: expected 30.10 of A fp32 PSNR, got '30.99'" in result.err
    assert "0 numbers updated" in result.out


def test_a_newer_schema_is_refused(sr_bench, draft: Zoo) -> None:
    path = draft.write(draft.session({A: 31.0}))
    data = json.loads(path.read_text()) | {"schema_version": 99}
    path.write_text(json.dumps(data))
    result = sr_bench("update", path, "--reason", "x")
    assert (result.code, draft.text) == (1, README)
    assert "schema 99 is newer than" in result.err


def test_a_file_that_is_not_a_run_is_refused(sr_bench, draft: Zoo) -> None:
    assert sr_bench("update", draft.readme, "--reason", "x").code == 1
    assert sr_bench("update", "absent.json", "--reason", "x").code == 3


def test_control_characters_of_documents_do_not_reach_the_terminal(sr_bench, draft: Zoo) -> None:
    draft.edit("# Zoo", "# Zoo \x1b[31m")
    result = sr_bench("update", draft.write(draft.session({A: 31.0})), "--dry-run")
    assert "\x1b" not in result.out
    draft.edit("\x1b[31m\n\n", "\x1b[31m\n")
    result = sr_bench("update", draft.write(draft.session({A: 31.0})), "--dry-run")
    assert "\\x1b[31m" in result.out


def test_git_applies_the_diff(sr_bench, draft: Zoo) -> None:
    draft.readme.write_text(draft.text.removesuffix("\n\nA tail that stays.\n"))
    draft.gap("a_x2", 'metric = "psnr"', 'precision = "fp32"')
    run = draft.write(draft.session({A: 31.0}))
    diff = sr_bench("update", run, "--mode", "all", "--dry-run").out
    subprocess.run(["git", "apply", "-"], input=diff.encode(), check=True, cwd=draft.root)
    applied = draft.text, draft.card.read_text()
    assert "31.00" in applied[0]
    assert "known_gap" not in applied[1]


def test_a_run_whose_names_are_hostile_reads_no_other_cell(sr_bench, draft: Zoo) -> None:
    names = {"model": "\x1b[31m", "node_id": "../x::\x1b"}
    session = changed(draft.session({A: 31.0}), "a_x2--fp32-psnr", **names)
    (record,) = (record for record in session.records if record.measurement and record.claim)
    away = replace(record.claim, source=replace(record.claim.source, path="../\x1b.md"))
    moved = replace(record, claim=away, place=away.source)
    result = sr_bench("update", draft.write(replace(session, records=(moved,))), "--reason", "x")
    assert (result.code, draft.text) == (1, README)
    assert "\x1b" not in result.err + result.out
