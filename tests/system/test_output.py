"""Output is kept to a limit, with its end; the last lines are shown, and what is left out."""

import sys
from pathlib import Path

import pytest

from sr_bench.system import output
from sr_bench.system.output import read_tail, with_tail
from sr_bench.system.process import Group


def group_of(code: str, log: Path) -> Group:
    return Group([sys.executable, "-c", code], log=log)


def test_what_is_printed_without_end_fills_no_disk_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "KEPT_BYTES", 100_000)
    code = "for i in range(100_000): print(f'{i:>19}')"
    group = group_of(code, tmp_path / "log")
    assert group.wait(60.0)
    tail = group.output.tail()
    assert tail.startswith(f"[{2_000_000 - 2**16} bytes left out]\n")
    assert tail.endswith(f"{99_999:>19}\n")
    assert (tmp_path / "log").stat().st_size <= 2 * 100_000 + 100
    assert with_tail("it ended", tail).startswith(
        "it ended; its last output (1,934,464 bytes left out):\n  | "
    )
    assert group.end(1.0) == 0


def test_a_native_program_and_what_it_starts_are_heard(tmp_path: Path) -> None:
    group = Group(["sh", "-c", "echo one; (echo two >&2)"], log=tmp_path / "log")
    group.wait(60.0)
    assert group.output.tail() == "one\ntwo\n"
    assert group.end(1.0) == 0


def test_what_was_printed_before_can_be_forgotten(tmp_path: Path) -> None:
    group = Group(["sh", "-c", "echo before; sleep 600"], log=tmp_path / "log")
    while "before" not in group.output.tail():
        pass
    group.output.clear()
    assert group.output.tail() == ""
    assert group.end(1.0) == -15


def test_a_process_that_left_its_output_open_is_not_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    group = group_of("import os, time\nif os.fork(): os._exit(3)\ntime.sleep(600)", log)
    assert group.wait(60.0)
    assert group.output.tail() == ""
    assert group.end(1.0) == 3


def test_of_a_file_that_is_not_there_nothing_is_read(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "log") == ""


def test_the_last_lines_are_shown_cut_and_without_home_or_control_characters() -> None:
    lines = [*map(str, range(20)), "", f"{Path.home()}/x \x1b[2J\t" + "y" * 500]
    shown = with_tail("it ended", "\n".join(lines)).splitlines()
    assert shown[:2] == ["it ended; its last output:", "  | 6"]
    assert shown[-1].startswith("  | ~/x \\x1b[2J\\tyyy")
    assert [len(shown), len(shown[-1])] == [16, 164]
    assert with_tail("it ended", " \n") == "it ended"


def test_of_a_crash_the_innermost_calls_are_shown() -> None:
    calls = [f'  File "x.py", line {i} in f' for i in range(30)]
    log = "\n".join(["before", "Fatal Python error: Segmentation fault", *calls])
    shown = with_tail("it ended", log).splitlines()
    assert shown[1:3] == ["  | Fatal Python error: Segmentation fault", f"  | {calls[0]}"]
    assert len(shown) == 16
