"""A lock keeps others away from files, under whatever name."""

import tempfile
from pathlib import Path

import pytest

from sr_bench.errors import SrBenchError
from sr_bench.files.lock import locked

pytestmark = pytest.mark.usefixtures("cache")


def test_a_second_holder_is_asked_to_wait(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with (
        locked(tmp_path, wait_s=0),
        pytest.raises(SrBenchError, match=r"link: another process has been .* run this again"),
        locked(tmp_path / "link", wait_s=0),
    ):
        pass


def test_it_is_free_again_afterwards_and_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), locked(tmp_path, wait_s=0):
        raise KeyboardInterrupt
    with locked(tmp_path, wait_s=0):
        pass


def test_other_files_are_not_locked(tmp_path: Path) -> None:
    with locked(tmp_path / "a", wait_s=0), locked(tmp_path / "b", wait_s=0):
        pass


def test_nothing_is_written_beside_the_files(tmp_path: Path, cache: Path) -> None:
    with locked(tmp_path, wait_s=0):
        assert list(tmp_path.iterdir()) == [cache]


def test_without_a_cache_folder_the_lock_is_where_temporary_files_are(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        locked(tmp_path, wait_s=0),
        pytest.raises(SrBenchError, match="another process has been"),
        locked(tmp_path, wait_s=0),
    ):
        pass
