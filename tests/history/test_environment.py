"""The environment says what made the numbers, and nothing about who."""

import dataclasses
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from sr_bench.history import environment
from sr_bench.history.environment import git_commit, read_environment


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    result = subprocess.run(
        ["git", "-C", str(folder), *identity, *args], capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "README.md").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_the_commit_is_that_of_the_suites_repository(repository: Path) -> None:
    (repository / "suite").mkdir()
    head = git(repository, "rev-parse", "HEAD")
    assert git_commit(repository) == head[:12]
    assert git_commit(repository / "suite") == head[:12]


def test_a_changed_file_makes_it_dirty_and_a_new_one_does_not(repository: Path) -> None:
    (repository / "reports.md").write_text("new")
    assert not git_commit(repository).endswith("+dirty")
    (repository / "README.md").write_text("two")
    assert git_commit(repository).endswith("+dirty")


def test_outside_of_a_repository_and_without_git_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit(tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path) == ""


def test_it_names_versions_cpu_and_cores(tmp_path: Path) -> None:
    environment = read_environment(tmp_path)
    assert environment.packages["numpy"] == version("numpy")
    assert "no-such-package" not in environment.packages
    assert environment.cpu
    assert 1 <= environment.cores <= (os.cpu_count() or 1)


def test_absent_packages_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGES", ("numpy", "no-such-package"))
    assert list(environment.package_versions()) == ["numpy"]


def test_it_names_no_user(tmp_path: Path) -> None:
    text = str(dataclasses.asdict(read_environment(tmp_path)))
    assert str(Path.home()) not in text
