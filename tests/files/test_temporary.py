"""Temporary files and folders say whose they are; only those of processes that are gone go."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sr_bench.files import temporary
from sr_bench.files.temporary import folder_of, remove_left_behind, temporary_beside

GONE = (2**22 + 1, 1)  # above all ids that Linux gives


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Return what makes a folder and a file as another process leaves them."""

    def left(own: tuple[int, int], here: tuple[str, str] | None = None) -> list[Path]:
        with monkeypatch.context() as patch:
            patch.setattr(temporary, "_own", lambda: own)
            if here:
                patch.setattr(temporary, "_here", lambda: here)
            file = temporary_beside(tmp_path / "deep" / "x.json")
            folder = Path(tempfile.mkdtemp(prefix=f"sr-bench-{temporary._owner()}"))
        file.parent.mkdir(exist_ok=True)
        file.touch()
        (folder / "content").touch()
        remove_left_behind([tmp_path])
        return [path for path in (folder, file) if path.exists()]

    return left


def test_what_a_process_left_that_is_gone_goes(left) -> None:
    assert left(GONE) == []


def test_what_a_live_process_has_stays_also_under_an_id_that_is_used_again(left) -> None:
    own = temporary._own()
    assert len(left(own)) == 2
    assert left((own[0], own[1] - 1)) == []


def test_nobody_judges_another_machine_but_this_one_before_it_was_started_again(left) -> None:
    machine, boot = temporary._here()
    assert len(left(GONE, ("0" * 8, boot))) == 2
    assert left(temporary._own(), (machine, "0" * 8)) == []


def test_names_of_others_are_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / "tmp" / "sr-bench-mine", tmp_path / ".x.0123.tmp"]
    for path in others:
        path.touch()
        os.utime(path, (1, 1))
    remove_left_behind([tmp_path, tmp_path / "absent"])
    assert all(path.exists() for path in others)


def test_a_folder_goes_with_its_owner_and_with_the_process(tmp_path: Path) -> None:
    class Owner:
        pass

    owner = Owner()
    folder = folder_of(owner)
    assert folder.is_dir()
    del owner
    assert not folder.exists()
    code = "from sr_bench.files.temporary import folder_of as f; x = type('X', (), {})(); f(x)"
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert list((tmp_path / "tmp").iterdir()) == []
