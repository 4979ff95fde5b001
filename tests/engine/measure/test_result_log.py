"""Results are kept image by image, survive whatever ends a process, and are never mixed up."""

import errno
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from sr_bench.engine.job import ImageResult
from sr_bench.engine.measure import result_log
from sr_bench.engine.measure.result_log import Made, ResultCache, RunResults
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.errors import CacheWarning, MetricError
from sr_bench.files.hashing import sha256_bytes
from sr_bench.files.kept import Spare

KEY = "ab" + "0" * 62
IMAGES = ("i0", "i1", "i2")


def result(value: float, close: Fidelity | None = None) -> ImageResult:
    return ImageResult("a name", {"psnr": value, "ssim": value / 100}, close)


def cache(tmp_path: Path, **how: object) -> ResultCache:
    kept = ({"folder": tmp_path / "results", "session": "night 1"} | how).items()
    return ResultCache(**dict(kept))


@pytest.fixture(autouse=True)
def warned() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def opened(tmp_path: Path, *, repeats: bool = True, **how: object) -> RunResults:
    return cache(tmp_path, **how).open(KEY, IMAGES, repeats=repeats)


def filled(tmp_path: Path, count: int, **how: object) -> RunResults:
    """Return results of which `count` images are made."""
    results = opened(tmp_path, **how)
    results.begin("cpu", {"kernel": "exact"})
    for index in range(count):
        results.add(IMAGES[index], result(30.0 + index))
    return results


def file_of(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "results").rglob("*.jsonl")
    return path


def test_what_one_session_made_the_next_one_finds(tmp_path: Path) -> None:
    close = Fidelity(50.0, float("inf"), 40.25)
    results = filled(tmp_path, 1)
    results.add("i1", ImageResult("b", {"psnr": float("inf"), "ssim": 1.0}, close))
    again = opened(tmp_path, session="night 2")
    assert again.made == Made("night 1", "cpu", {"kernel": "exact"})
    assert again.get("i0") == ImageResult("", {"psnr": 30.0, "ssim": 0.3})
    assert again.get("i1") == ImageResult("", {"psnr": float("inf"), "ssim": 1.0}, close)
    assert again.get("i2") is None
    assert [bool(again.get(image)) for image in IMAGES] == [True, True, False]


def test_a_score_that_failed_is_known_to_its_session_and_not_kept(tmp_path: Path) -> None:
    results = filled(tmp_path, 1)
    failed = ImageResult("b", {"psnr": 30.0}, faults={"ssim": "too small"})
    for _again in range(2):
        results.add("i1", failed)
    with pytest.raises(MetricError, match="image b: too small"):
        failed.score("ssim")
    assert results.get("i1").faults == failed.faults
    again = opened(tmp_path, session="night 2")
    assert again.get("i1") == ImageResult("", {"psnr": 30.0})
    again.add("i1", failed)
    lines = file_of(tmp_path).read_bytes().splitlines()
    assert [b"too small" in line or b"faults" in line for line in lines] == [False] * 3


def test_results_are_on_the_disk_as_they_are_made(tmp_path: Path) -> None:
    results = filled(tmp_path, 2)
    assert opened(tmp_path).get("i1") == results.get("i1")


def test_other_content_has_other_results(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    other = cache(tmp_path).open("ab" + "1" * 62, IMAGES, repeats=True)
    assert (other.made, other.get("i0")) == (None, None)


def test_off_reads_and_writes_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    before = file_of(tmp_path).read_bytes()
    results = filled(tmp_path, 1, folder=None)
    assert results.get("i0") == result_without_name(30.0)
    assert results.get("i1") is None
    results.close()
    assert file_of(tmp_path).read_bytes() == before


def result_without_name(value: float) -> ImageResult:
    return ImageResult("", {"psnr": value, "ssim": value / 100})


def test_refresh_uses_nothing_of_earlier_sessions_and_replaces_it(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    results = filled(tmp_path, 1, refresh=True, session="night 2")
    assert results.get("i1") is None
    assert opened(tmp_path, session="night 3").get("i1") is None


def test_refresh_keeps_what_another_process_of_its_session_made(tmp_path: Path) -> None:
    filled(tmp_path, 2, refresh=True)
    assert opened(tmp_path, refresh=True).get("i1") is not None


def test_a_process_that_looked_before_drops_nothing_that_its_session_made(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    late = RunResults(file_of(tmp_path), "night 2")
    first = filled(tmp_path, 2, refresh=True, session="night 2")
    late.forget()
    assert [bool(late.get(image)) for image in IMAGES] == [True, True, False]
    first.close()
    assert opened(tmp_path, session="night 2").get("i1") is not None


@pytest.mark.parametrize(("count", "is_kept"), [(3, False), (2, True)])
def test_a_device_is_asked_again_unless_its_run_was_interrupted(
    tmp_path: Path, count: int, is_kept: bool
) -> None:
    filled(tmp_path, count)
    again = opened(tmp_path, repeats=False, session="night 2")
    assert (again.get("i0") is not None) is is_kept


def test_a_device_is_asked_once_a_session(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    assert all(map(opened(tmp_path, repeats=False).get, IMAGES))


def test_a_continued_run_is_of_the_session_that_continued_it(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    results = opened(tmp_path, repeats=False, session="night 2")
    results.begin("cpu", {"kernel": "exact"})
    results.add("i2", result(32.0))
    assert all(map(opened(tmp_path, repeats=False, session="night 2").get, IMAGES))
    assert opened(tmp_path, repeats=False, session="night 3").get("i0") is None


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    results = filled(tmp_path, 3)
    before = file_of(tmp_path).read_bytes()
    results.begin("cpu", {"kernel": "exact"})
    results.add("i1", result(31.0))
    assert file_of(tmp_path).read_bytes() == before


def test_the_newest_result_of_an_image_counts(tmp_path: Path) -> None:
    results = filled(tmp_path, 1)
    results.add("i0", result(30.0, Fidelity(1.0, 2.0, 3.0)))
    again = opened(tmp_path).get("i0")
    assert again is not None
    assert again.fidelity == Fidelity(1.0, 2.0, 3.0)


def test_a_file_cut_at_any_byte_loses_only_what_was_cut(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    whole = file_of(tmp_path).read_bytes()
    ends = [index for index, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole)):
        file_of(tmp_path).write_bytes(whole[:cut])
        results = opened(tmp_path)
        # A line is there once its last character is; the line feed may be written with the next.
        lines = sum(end <= cut for end in ends)
        assert (results.made is not None) == (lines > 0)
        assert [image for image in IMAGES if results.get(image)] == list(
            IMAGES[: max(0, lines - 1)]
        )


def test_after_a_cut_the_run_goes_on_and_ends_as_if_there_were_none(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    whole = file_of(tmp_path).read_bytes()
    for cut in range(0, len(whole), 7):
        file_of(tmp_path).write_bytes(whole[:cut])
        filled(tmp_path, 3, session="night 2")
        again = opened(tmp_path)
        assert [again.get(image) for image in IMAGES] == [
            result_without_name(30.0 + index) for index in range(3)
        ]


@pytest.mark.parametrize("spoil", [b"\0", b"7", b"\xff"])
def test_a_spoilt_byte_loses_its_line_and_changes_no_number(tmp_path: Path, spoil: bytes) -> None:
    filled(tmp_path, 3)
    whole = file_of(tmp_path).read_bytes()
    for at in range(0, len(whole), 3):
        file_of(tmp_path).write_bytes(whole[:at] + spoil + whole[at + 1 :])
        results = opened(tmp_path)
        for index, image in enumerate(IMAGES):
            assert results.get(image) in (None, result_without_name(30.0 + index))


def test_zeros_that_a_power_failure_left_are_no_results(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40] + bytes(40))
    assert opened(tmp_path).get("i1") is not None
    assert opened(tmp_path).get("i2") is None


@pytest.mark.parametrize("content", ["[]", "7", '{"x": 1}', '{"image": 3, "result": {}}', "{"])
def test_a_line_of_something_else_is_left_out(tmp_path: Path, content: str) -> None:
    filled(tmp_path, 1)
    with file_of(tmp_path).open("a") as file:
        file.write(f"{result_log._digest(KEY, content.encode())} {content}\n")
    assert opened(tmp_path).get("i0") is not None


def test_threads_and_files_do_not_mix_lines(tmp_path: Path) -> None:
    several = [opened(tmp_path) for _ in range(2)]
    for results in several:
        results.begin("cpu", {})

    def add(results: RunResults, start: int) -> None:
        for index in range(start, start + 50):
            results.add(f"x{index}", result(float(index)))

    threads = [Thread(target=add, args=(several[n % 2], 50 * n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = opened(tmp_path)
    assert all(again.get(f"x{n}") == result_without_name(float(n)) for n in range(200))


WRITER = """
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from sr_bench.engine.measure.result_log import ResultCache
from sr_bench.engine.job import ImageResult

cache = ResultCache(Path(sys.argv[1]), session=sys.argv[2])
results = cache.open("ab" + "0" * 62, (), repeats=True)
results.begin("cpu", {})
for index in range(10**9):
    results.add(f"x{index}", ImageResult("", {"psnr": float(index), "ssim": 0.5}))
    print(index, flush=True)
"""


def test_killed_writers_lose_nothing_that_they_had_made(tmp_path: Path) -> None:
    for last in (3, 40, 41, 90):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path / "results", f"until {last}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < last:
            pass
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        results = opened(tmp_path)
        assert all(
            results.get(f"x{n}") == ImageResult("", {"psnr": n, "ssim": 0.5})
            for n in range(last + 1)
        )


def test_a_file_that_can_not_be_written_is_told_once_and_results_stay_in_memory(
    tmp_path: Path, warned: list[warnings.WarningMessage]
) -> None:
    (tmp_path / "results").write_text("a file")
    spare = Spare("told")
    for _again in range(2):
        results = filled(tmp_path, 2, spare=spare)
        results.close()
        assert [bool(results.get(image)) for image in IMAGES] == [True, True, False]
    (warning,) = warned
    assert "can't be used: cannot" in str(warning.message)
    assert "a part of the path is a file" in str(warning.message)


def test_a_full_disk_keeps_what_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = filled(tmp_path, 1)

    def full(_handle: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        results.add("i1", result(31.0))
    results.add("i2", result(32.0))
    assert all(map(results.get, IMAGES))
    assert [bool(opened(tmp_path).get(image)) for image in IMAGES] == [True, False, False]


def test_the_lines_are_json_with_a_digest_of_the_run_too(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    for line in file_of(tmp_path).read_text().splitlines():
        digest, _, text = line.partition(" ")
        assert digest == sha256_bytes(f"{KEY} {text}".encode())[:32]
        assert isinstance(json.loads(text), dict)


def test_damage_is_told_once_and_taken_out(
    tmp_path: Path, warned: list[warnings.WarningMessage]
) -> None:
    filled(tmp_path, 3)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-9], whole.replace(b"31.0", b"31.5"), bytes(len(whole))):
        path.write_bytes(damaged)
        os.utime(path, (1, 1))  # not one that is just being made
        spare = Spare("a session")
        with pytest.warns(CacheWarning, match="damaged or cut off") as told:
            results = opened(tmp_path, spare=spare)
        assert results.get("i1") in (None, result_without_name(31.0))
        assert len(told.list) == 1
        count = len(warned)
        opened(tmp_path, spare=Spare("the next session"))
        assert len(warned) == count


def test_the_file_of_another_run_holds_no_results(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    other = "ab" + "1" * 62
    file_of(tmp_path).rename(file_of(tmp_path).with_stem(other))
    results = cache(tmp_path).open(other, IMAGES, repeats=True)
    assert (results.made, results.get("i0")) == (None, None)


def test_what_another_session_deleted_meanwhile_is_written_again(tmp_path: Path) -> None:
    results = filled(tmp_path, 2)
    file_of(tmp_path).unlink()
    results.close()
    results.add("i2", result(32.0))
    assert all(map(opened(tmp_path, session="night 2").get, IMAGES))


def test_another_metric_of_an_image_is_kept_beside_the_others(tmp_path: Path) -> None:
    close = Fidelity(50.0, 51.0, 40.25)
    results = opened(tmp_path)
    results.begin("cpu", {})
    results.add("i0", result(30.0, close))
    results.add("i0", ImageResult("a name", {"mae": 2.5}))
    both = ImageResult("", {"psnr": 30.0, "ssim": 0.3, "mae": 2.5}, close)
    assert results.get("i0") == opened(tmp_path).get("i0") == both


def test_metrics_that_two_sessions_add_side_by_side_are_both_kept(tmp_path: Path) -> None:
    first, second = filled(tmp_path, 1), opened(tmp_path)
    first.add("i0", ImageResult("a name", {"mae": 2.5}))
    second.add("i0", ImageResult("a name", {"lpips": 0.1}))
    assert opened(tmp_path).get("i0").scores.keys() == {"psnr", "ssim", "mae", "lpips"}
