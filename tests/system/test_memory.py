"""The peak of the memory is that of the watched time, and None where it can't be known."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sr_bench.system import memory
from sr_bench.system.memory import PeakWatch, machine_bytes, watch_peak

MIB = 2**20

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak")


def started() -> PeakWatch:
    watch = watch_peak()
    assert watch is not None
    return watch


@on_linux
def test_what_is_taken_and_freed_again_counts():
    watch = started()
    np.ones(64 * MIB, np.uint8)
    assert 60 * MIB < watch.rise_bytes() < 80 * MIB


@on_linux
def test_what_was_taken_before_does_not_count():
    np.ones(64 * MIB, np.uint8)
    assert started().rise_bytes() < 8 * MIB


@on_linux
def test_reused_memory_that_the_process_had_kept_counts():
    kept = [bytearray(16 * 1024) for _ in range(64 * 64)]
    del kept[:-1]  # the last one pins the heap, so that the rest is kept for later
    watch = started()
    kept += [bytearray(16 * 1024) for _ in range(48 * 64)]
    assert watch.rise_bytes() > 40 * MIB


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The memory of these processes is what a file says: nothing of ours is to be given back.
    monkeypatch.setattr(memory, "_return_freed", lambda: None)
    write_status(tmp_path, now=1000, peak=1000)
    (tmp_path / "clear_refs").touch()
    return tmp_path


def write_status(proc: Path, *, now: int, peak: int, unit: str = "kB") -> None:
    lines = ["Name:\tpytest", f"VmHWM:\t {peak} {unit}", f"VmRSS:\t {now} {unit}"]
    (proc / "status").write_text("\n".join(lines) + "\n")


def test_the_peak_is_forgotten_at_the_start(proc: Path):
    assert watch_peak(proc)
    assert (proc / "clear_refs").read_text() == "5"


def test_the_rise_is_from_what_was_resident_at_the_start(proc: Path):
    write_status(proc, now=1000, peak=1500)
    watch = watch_peak(proc)
    write_status(proc, now=1200, peak=4000)
    assert watch is not None
    assert watch.rise_bytes() == 3000 * 1024


def test_a_rise_is_never_below_zero(proc: Path):
    watch = watch_peak(proc)
    write_status(proc, now=900, peak=950)
    assert watch is not None
    assert watch.rise_bytes() == 0


def test_a_system_that_does_not_forget_the_peak_reports_nothing(proc: Path):
    write_status(proc, now=1000, peak=2025)
    assert watch_peak(proc) is None


@pytest.mark.parametrize("name", ["status", "clear_refs"])
def test_a_system_without_these_files_reports_nothing(proc: Path, name: str):
    (proc / name).unlink()
    if name == "clear_refs":
        (proc / name).mkdir()  # a plain missing file would be made
    assert watch_peak(proc) is None


def test_a_status_in_other_words_reports_nothing(proc: Path):
    write_status(proc, now=1000, peak=1000, unit="MB")
    assert watch_peak(proc) is None
    (proc / "status").write_text("Name:\tpytest\n")
    assert watch_peak(proc) is None


def test_the_memory_of_a_container_is_what_it_allows(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:       2048 kB\nMemFree: 1 kB\n")
    assert machine_bytes(tmp_path, tmp_path) == 2048 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert machine_bytes(tmp_path, tmp_path) == 2048 * 1024
    (tmp_path / "memory.max").write_text("1000000\n")
    assert machine_bytes(tmp_path, tmp_path) == 1_000_000
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("900000\n")
    assert machine_bytes(tmp_path, tmp_path) == 900_000


def test_a_system_that_reports_no_memory_has_none(tmp_path: Path) -> None:
    assert machine_bytes(tmp_path, tmp_path) is None
