"""Old runs, images and cached files go; what is the last, held, at work or elsewhere stays."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sr_bench.core.history import SessionInfo
from sr_bench.core.record import Kept, Record
from sr_bench.history import clean
from sr_bench.history.clean import Cleaning, Limits, plan_cleaning, remove
from sr_bench.history.store import SessionStore
from tests.report.records import record
from tests.sessions import ENVIRONMENT

DAY = 24 * 3600
NOW = datetime(2026, 12, 1, tzinfo=UTC).timestamp()


def name(day: int) -> str:
    return f"202611{day:02}T091430-aaaaaa"


def images(letter: str) -> str:
    return f"outputs/sr-8bit-{letter * 16}"


def ended(results: Path, day: int, *letters: str, case: str = "c", whole: bool = True) -> None:
    """Write the run of a day in November, whose record names kept images."""
    info = SessionInfo(name(day), f"2026-11-{day:02}T09:14:30+00:00", ENVIRONMENT)
    store = SessionStore(results, info)
    store.start()
    records: list[Record] = []
    for letter in letters or "":
        kept = Kept(images(letter), f"outputs/pairs-{letter * 16}")
        records.append(replace(record(), model=case, kept=kept))
        for folder in (kept.sr, kept.pairs):
            keep(results / folder)
    records += [] if letters else [replace(record(), model=case)]
    for one in records:
        store.add(one)
    if whole:
        store.finish(records)


def keep(folder: Path, day: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "0000.png").write_bytes(b"x" * 1000)
    aged(folder / "0000.png", day)


def aged(path: Path, day: int) -> None:
    when = datetime(2026, 11, day, tzinfo=UTC).timestamp()
    os.utime(path, (when, when))


def plan(results: Path, held: Sequence[str] = (), **limits: float | None) -> Cleaning:
    cache = results.parent / "cache"
    return plan_cleaning(results, cache, Limits(**limits), held, NOW)


def gone(cleaning: Cleaning) -> list[str]:
    return sorted(part.path.name for part in cleaning.gone)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def test_a_run_that_can_not_be_read_is_as_old_as_its_name_says(results: Path) -> None:
    for day in (1, 2, 3):
        ended(results, day)
    newer = '"schema_version": 9'
    for path in (results / "history").glob("*.jsonl"):
        first, mark, rest = path.read_text().partition('"schema_version": ')
        path.write_text(first + (newer if name(2) not in path.name else mark) + rest)
    assert gone(plan(results, runs=1)) == [f"{name(day)}.jsonl" for day in (1, 2)]


@pytest.mark.parametrize("limits", [{"seconds": 20 * DAY}, {"size": 0}])
def test_images_of_a_run_under_a_name_of_somebody_stay(
    results: Path, limits: dict[str, float]
) -> None:
    for day, letter in ((1, "a"), (2, "b"), (3, "c"), (20, "d")):
        ended(results, day, letter)
    history = results / "history"
    (history / f"{name(1)}.jsonl").rename(history / "approved.jsonl")
    (history / f"{name(2)}.jsonl").rename(results / "elsewhere")
    (history / f"{name(2)}.jsonl").symlink_to(results / "elsewhere")
    of_images = [f"{kind}-{'c' * 16}" for kind in ("pairs", "sr-8bit")]
    assert gone(plan(results, **limits)) == [f"{name(3)}.jsonl", *of_images]


def test_old_runs_go_with_the_images_that_only_they_name(results: Path) -> None:
    for day, letters in ((1, "ab"), (2, "b"), (20, "c")):
        ended(results, day, *letters)
    found = plan(results, seconds=20 * DAY)
    runs = [f"{name(day)}.jsonl" for day in (1, 2)]
    of_images = [f"{kind}-{letter * 16}" for kind in ("pairs", "sr-8bit") for letter in "ab"]
    assert gone(found) == [*runs, *of_images]
    assert remove(found.gone) == []
    assert sorted(path.name for path in (results / "outputs").iterdir()) == [
        f"pairs-{'c' * 16}",
        f"sr-8bit-{'c' * 16}",
    ]
    assert gone(plan(results, seconds=20 * DAY)) == []


def test_images_that_a_run_names_which_stays_are_kept(results: Path) -> None:
    for day in (1, 20):
        ended(results, day, "a")
    assert gone(plan(results, seconds=20 * DAY)) == [f"{name(1)}.jsonl"]


def test_only_so_many_runs_are_kept(results: Path) -> None:
    for day in (3, 1, 2):
        ended(results, day)
    assert gone(plan(results, runs=2)) == [f"{name(1)}.jsonl"]
    assert gone(plan(results, runs=1)) == [f"{name(day)}.jsonl" for day in (1, 2)]
    assert gone(plan(results)) == []


def test_what_was_used_longest_ago_goes_until_all_have_room(results: Path) -> None:
    for day in (1, 2, 3):
        ended(results, day)
    total = sum(part.size for part in plan(results).kept)
    assert gone(plan(results, size=total)) == []
    assert gone(plan(results, size=total - 1)) == [f"{name(1)}.jsonl"]
    assert gone(plan(results, size=0)) == [f"{name(day)}.jsonl" for day in (1, 2)]


def test_the_last_run_and_the_newest_of_each_case_stay(results: Path) -> None:
    ended(results, 1, case="measured once")
    ended(results, 2)
    ended(results, 3)
    ended(results, 4, whole=False)
    aged(results / "history" / f"{name(4)}.jsonl", 4)
    assert gone(plan(results, seconds=0, runs=1, size=0)) == [f"{name(2)}.jsonl"]


def test_runs_that_are_held_stay_with_their_images(results: Path) -> None:
    for day, letter in ((1, "a"), (2, "b"), (3, "c")):
        ended(results, day, letter)
    found = plan(results, [name(1)], seconds=0, size=0)
    assert gone(found) == [f"{name(2)}.jsonl", f"pairs-{'b' * 16}", f"sr-8bit-{'b' * 16}"]


def test_a_run_that_may_go_on_stays_and_so_do_all_images(results: Path) -> None:
    ended(results, 1, "a")
    ended(results, 2, whole=False)
    ended(results, 3)
    keep(results / images("f"))
    path = results / "history" / f"{name(2)}.jsonl"
    os.utime(path, (NOW - 60, NOW - 60))
    found = plan(results, seconds=0)
    assert gone(found) == [f"{name(1)}.jsonl"]
    assert found.notes == (f"no images go, as run {name(2)} may not have ended",)
    aged(path, 2)
    assert f"{name(2)}.jsonl" in gone(plan(results, seconds=0))


def test_images_that_no_run_names_go_once_they_are_a_day_old(results: Path) -> None:
    ended(results, 3)
    keep(results / images("f"))
    keep(results / images("e"), day=30)
    os.utime(results / images("e") / "0000.png", (NOW - 60, NOW - 60))
    (results / "outputs" / "mine").mkdir()
    (results / "outputs" / "mine" / "a.png").touch()
    assert gone(plan(results)) == [f"sr-8bit-{'f' * 16}"]


def test_images_of_old_runs_go_before_these_where_room_is_short(results: Path) -> None:
    for day, letter in ((1, "a"), (3, "c")):
        ended(results, day, letter)
    total = sum(part.size for part in plan(results).kept)
    assert gone(plan(results, size=total - 1500)) == [f"pairs-{'a' * 16}", f"sr-8bit-{'a' * 16}"]


def test_cached_files_go_by_their_last_use_and_what_was_fetched_stays(results: Path) -> None:
    cache = results.parent / "cache"
    for place in ("onnx/old", "results/ab/old", "weights/mine", "datasets/set5/a", "pairs/now"):
        (cache / place).parent.mkdir(parents=True, exist_ok=True)
        (cache / place).write_bytes(b"x")
        aged(cache / place, 1)
    os.utime(cache / "pairs" / "now", (NOW - 60, NOW - 60))
    assert gone(plan(results, seconds=0)) == gone(plan(results, size=0)) == ["old", "old"]
    assert gone(plan(results, seconds=40 * DAY)) == []


def test_no_link_is_followed(results: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    keep(elsewhere / f"sr-8bit-{'a' * 16}")
    ended(results, 1)
    ended(results, 2)
    (results / "outputs").symlink_to(elsewhere)
    (results / "history" / f"{name(1)}.jsonl").rename(tmp_path / "run")
    (results / "history" / f"{name(1)}.jsonl").symlink_to(tmp_path / "run")
    found = plan(results, seconds=0, size=0)
    assert gone(found) == []
    assert found.notes[-1].endswith("outputs is left as it is: a link, which is not followed")


def test_files_of_others_stay(results: Path) -> None:
    ended(results, 2)
    history = results / "history"
    for other in ("mine.jsonl", f"{name(1)}.txt", f"archive/{name(1)}.jsonl"):
        (history / other).parent.mkdir(exist_ok=True)
        (history / other).write_bytes((history / f"{name(2)}.jsonl").read_bytes())
        aged(history / other, 1)
    assert gone(plan(results, seconds=0, size=0)) == []


def test_a_folder_that_is_removed_by_half_is_no_folder_of_images(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(results / images("f"))
    ended(results, 3)
    found = plan(results)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clean.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove(found.gone)
    (left,) = (results / "outputs").iterdir()
    assert left.name.startswith(".sr-8bit-")
    assert left.name.endswith(".tmp")  # which a later session deletes
    assert gone(plan(results)) == []


def test_what_somebody_else_removed_is_no_fault_and_what_is_closed_is_named(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2, 3):
        ended(results, day)
    found = plan(results, seconds=0)
    found.gone[0].path.unlink()
    assert remove(found.gone[:1]) == []

    def closed(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", closed)
    (fault,) = remove(found.gone[1:])
    assert fault.startswith(f"cannot remove {found.gone[1].path}: permission denied")
