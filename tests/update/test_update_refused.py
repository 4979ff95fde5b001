"""A document that changed since the run, or can't be written, is left as it was."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

import sr_bench.update.documents as module
from sr_bench.core.update import Update
from sr_bench.files.lock import locked
from tests.update_zoo import (
    A,
    B,
    Zoo,
    make_zoo,
    refused,
    update,
)


def test_a_number_that_was_edited_since_refuses_the_whole_document(zoo: Zoo) -> None:
    session = zoo.session({A: 31.0, B: 0.8})
    zoo.edit("30.10", "30.99")
    reason = refused(session, zoo)
    assert "zoo/README.md: changed since the run: 1 fault" in reason
    assert "zoo/README.md:5:28: expected 30.10 of A fp32 PSNR, got '30.99'" in reason
    assert "run the tests again" in reason


def test_a_cell_that_moved_refuses_the_whole_document_and_says_where_it_is(zoo: Zoo) -> None:
    session = zoo.session({A: 31.0})
    zoo.edit("# Zoo\n", "# Zoo\n\nMore.\n")
    assert "zoo/README.md:5:28: expected 30.10" in refused(session, zoo)
    assert "it stands in zoo/README.md:7:28 now" in refused(session, zoo)


def test_a_row_that_is_gone_refuses_the_whole_document(zoo: Zoo) -> None:
    session = zoo.session({A: 31.0, B: 0.8})
    zoo.edit("| B | two | 1.5 | - | - | 0.85 |\n", "")
    assert "zoo/README.md:7:27: expected 0.85 of B fp32 SSIM; the document has no" in refused(
        session, zoo
    )


def test_a_row_that_became_another_models_is_not_written_into(zoo: Zoo) -> None:
    session = zoo.session({B: 0.8})
    zoo.edit("| B | two |", "| C | two |")
    assert "no such row" in refused(session, zoo)


def test_a_document_that_is_gone_is_refused(zoo: Zoo) -> None:
    session = zoo.session({A: 31.0})
    zoo.readme.unlink()
    assert "zoo/README.md: the run's document is not here" in refused(session, zoo)


def test_a_document_that_is_refused_does_not_stop_another(zoo: Zoo, tmp_path: Path) -> None:
    other = make_zoo(tmp_path / "second")
    records = [
        replace(
            old,
            place=replace(old.place, path=f"second/{old.place.path}"),
            node_id=f"second/{old.node_id}",
            claim=old.claim
            and replace(
                old.claim, source=replace(old.claim.source, path=f"second/{old.place.path}")
            ),
        )
        for old in zoo.session({A: 31.0}).records
        if old.place
    ]
    session = zoo.session({A: 31.0})
    zoo.edit("30.10", "30.99")
    result = update(replace(session, records=(*session.records, *records)))
    assert len(result.refused) == 1
    assert "**31.00**" in other.text
    assert other.ledger.exists()
    assert not zoo.ledger.exists()


def test_two_updates_at_once_wait_for_each_other(zoo: Zoo) -> None:
    sessions = [zoo.session({A: value}) for value in (31.0, 32.0)]
    results: list[Update] = []
    threads = [Thread(target=lambda old=old: results.append(update(old))) for old in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(result.edits) for result in results) == [0, 1]
    assert sum(len(result.refused) for result in results) == 1
    assert len(zoo.ledger.read_text().splitlines()) == 1


def test_a_folder_that_another_process_updates_all_the_time_is_refused(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.0)
    session = zoo.session({A: 31.0})
    with locked(zoo.readme.parent, wait_s=0):
        assert "zoo: another process has been changing it" in refused(session, zoo)


@pytest.mark.parametrize("name", ["README.md", "ledger.jsonl", "."])
def test_a_read_only_tree_is_refused_and_nothing_is_written(zoo: Zoo, name: str) -> None:
    zoo.ledger.write_text("")
    path = zoo.readme.parent / name
    path.chmod(0o555)
    try:
        assert "read-only: make it writable" in refused(zoo.session({A: 31.0}), zoo)
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
    assert "cannot write" in refused(zoo.session({A: 31.0}), zoo)
    assert replaced == ["README.md", "ledger.jsonl", "README.md"]
