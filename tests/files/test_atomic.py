"""A file is written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import append_line, write_bytes, write_text


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _full_disk(*_args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_bytes_are_written_as_they_are_and_nothing_else_is_left(tmp_path):
    write_bytes(tmp_path / "new" / "a.bin", b"\x00\r\n")
    assert (tmp_path / "new" / "a.bin").read_bytes() == b"\x00\r\n"
    assert _names(tmp_path / "new") == ["a.bin"]


def test_text_is_utf8_with_its_line_ends(tmp_path):
    write_text(tmp_path / "a.md", "峰值\r\nsecond\n")
    assert (tmp_path / "a.md").read_bytes() == "峰值\r\nsecond\n".encode()


def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step):
    target = tmp_path / "a.json"
    write_text(target, "old")
    monkeypatch.setattr(os if step == "fsync" else Path, step, _full_disk)
    with pytest.raises(SrBenchError, match=r"a\.json: the disk is full: free some space"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["a.json"]


def test_a_path_below_a_file_is_explained(tmp_path):
    (tmp_path / "reports").write_text("")
    with pytest.raises(SrBenchError, match=r"reports/latest\.json: .*choose another folder"):
        write_text(tmp_path / "reports" / "latest.json", "{}")


def test_a_folder_in_the_way_is_explained(tmp_path):
    (tmp_path / "latest.json").mkdir()
    with pytest.raises(SrBenchError, match="this is a folder"):
        write_text(tmp_path / "latest.json", "{}")
    assert _names(tmp_path) == ["latest.json"]


def test_an_empty_path_is_explained():
    with pytest.raises(SrBenchError, match=r"cannot write \.: this is a folder"):
        write_text(Path(), "{}")


def test_lines_are_appended_in_order(tmp_path):
    for line in ("one", "zwei ü"):
        append_line(tmp_path / "runs" / "a.jsonl", line)
    assert (tmp_path / "runs" / "a.jsonl").read_bytes() == "one\nzwei ü\n".encode()


def test_two_lines_at_once_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected one line"):
        append_line(tmp_path / "a.jsonl", "one\ntwo")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_appending_to_a_really_full_device_is_explained():
    with pytest.raises(SrBenchError, match="/dev/full: the disk is full"):
        append_line(Path("/dev/full"), "{}")


def test_half_a_line_is_taken_back(tmp_path, monkeypatch):
    target = tmp_path / "a.jsonl"
    append_line(target, "first")
    real = os.write
    monkeypatch.setattr(
        os, "write", lambda fd, data: real(fd, data[:3]) if len(data) > 4 else _full_disk()
    )
    with pytest.raises(SrBenchError, match="the disk is full"):
        append_line(target, "second")
    assert target.read_text() == "first\n"


@pytest.mark.parametrize(("cut", "torn"), [(False, b'{"b"\n'), (True, b"")])
def test_a_torn_last_line_stays_a_line_of_its_own_or_is_cut(tmp_path, cut, torn):
    target = tmp_path / "a.jsonl"
    target.write_bytes(b'{"a": 1}\n{"b"')
    for line in ("{}", "[]"):
        append_line(target, line, cut_torn=cut)
    assert target.read_bytes() == b'{"a": 1}\n' + torn + b"{}\n[]\n"


def test_a_full_disk_leaves_a_torn_line_as_it_was(tmp_path, monkeypatch):
    target = tmp_path / "a.jsonl"
    target.write_bytes(b"torn")
    monkeypatch.setattr(os, "write", _full_disk)
    with pytest.raises(SrBenchError, match="the disk is full"):
        append_line(target, "second")
    assert target.read_bytes() == b"torn"


def test_a_file_is_locked_while_a_line_is_added(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    target, held = tmp_path / "new" / "a.jsonl", []
    real = os.write

    def write(handle, data):
        with target.open("ab") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.append(data)
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    append_line(target, "one")
    assert held == [b"one\n"]
    with target.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_line_below_a_file_is_explained(tmp_path):
    (tmp_path / "reports").write_text("")
    with pytest.raises(SrBenchError, match=r"cannot append to .*: .*choose another folder"):
        append_line(tmp_path / "reports" / "a.jsonl", "{}")
