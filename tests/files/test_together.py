"""Several files are written all together or not at all."""

import errno
import os
from pathlib import Path

import pytest

from sr_bench.errors import SrBenchError
from sr_bench.files.together import write_together


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "a").write_bytes(b"old a")
    (tmp_path / "b").write_bytes(b"old b")
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refuse(monkeypatch: pytest.MonkeyPatch, *times: int, error: BaseException) -> None:
    """Let the n-th replacement of a file fail, counted from 1, for each n of `times`."""
    rename, count = Path.replace, iter(range(1, 99))

    def replace(source: Path, target: Path) -> Path:
        if next(count) in times:
            raise error
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", replace)


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_all_are_written_new_ones_too(old: Path) -> None:
    write_together({old / "a": b"1", old / "b": b"2", old / "c": b"3"})
    assert content(old) == {"a": b"1", "b": b"2", "c": b"3"}


@pytest.mark.parametrize("failing", [1, 2, 3])
@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()])
def test_if_one_fails_all_are_as_they_were(
    old: Path, monkeypatch: pytest.MonkeyPatch, failing: int, error: BaseException
) -> None:
    before = content(old)
    refuse(monkeypatch, failing, error=error)
    with pytest.raises((SrBenchError, KeyboardInterrupt)):
        write_together({old / "a": b"1", old / "c": b"2", old / "b": b"3"})
    assert content(old) == before


def test_what_cannot_be_put_back_is_named(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, 2, 3, error=FULL)
    with pytest.raises(SrBenchError, match=r"write .*/b: the disk is full.*put back .*/a$"):
        write_together({old / "a": b"1", old / "b": b"2"})
    assert content(old) == {"a": b"1", "b": b"old b"}


@pytest.mark.parametrize("name", ["b", "."])
def test_a_read_only_file_or_folder_is_refused_before_anything_is_written(
    old: Path, name: str
) -> None:
    before = content(old)
    (old / name).chmod(0o555)
    try:
        with pytest.raises(SrBenchError, match=r"is read-only: make it writable"):
            write_together({old / "a": b"1", old / "b": b"2"})
        assert content(old) == before
    finally:
        old.chmod(0o755)


def test_permissions_stay_and_links_stay_links(old: Path) -> None:
    (old / "a").chmod(0o640)
    (old / "link").symlink_to(old / "a")
    write_together({old / "link": b"1"})
    assert (old / "link").is_symlink()
    assert (old / "a").read_bytes() == b"1"
    assert (old / "a").stat().st_mode & 0o777 == 0o640
