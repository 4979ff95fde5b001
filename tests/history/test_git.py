"""Git is asked who works here and which commit touched a line; without git there is no answer."""

import getpass
import subprocess
from pathlib import Path

import pytest

from sr_bench.history.environment import git_commit
from sr_bench.history.git import commits_between, last_commit, user_name


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep git away from the user's own settings and from a repository around the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "config", "user.name", "Ann Example")
    git(folder, "config", "user.email", "ann@example.org")
    (folder / "README.md").write_text("one\ntwo\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "add it")
    return folder


def git(folder: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True)


def test_the_user_is_the_one_that_git_names(repository: Path) -> None:
    assert user_name(repository) == "Ann Example"


@pytest.mark.parametrize("name", ["ann@example.org", ""])
def test_an_address_is_never_a_name(
    repository: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "config", "user.name", name)
    monkeypatch.setattr(getpass, "getuser", lambda: "ann@host.example.org")
    assert user_name(repository) == "ann"


def test_without_git_the_login_name_counts_and_without_that_nobody_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "login")
    monkeypatch.setenv("PATH", "")
    assert user_name(tmp_path) == "login"

    def nobody() -> str:
        raise KeyError(0)

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user_name(tmp_path) == "unknown"


def test_the_last_commit_of_a_line_is_read_without_an_address(repository: Path) -> None:
    commit = last_commit(repository / "README.md", 2)
    assert commit is not None
    assert (commit.author, commit.summary, len(commit.commit)) == ("Ann Example", "add it", 12)
    assert commit.when.endswith("+00:00")


def test_a_line_that_is_not_committed_has_no_digest(repository: Path) -> None:
    (repository / "README.md").write_text("one\nother\n")
    commit = last_commit(repository / "README.md", 2)
    assert commit is not None
    assert commit.commit == ""


def test_outside_of_git_and_beyond_the_file_there_is_none(repository: Path) -> None:
    (repository.parent / "README.md").write_text("one\n")
    assert last_commit(repository.parent / "README.md", 1) is None
    assert last_commit(repository / "README.md", 99) is None


def test_commits_between_two_are_those_that_touched_the_folder(repository: Path) -> None:
    before = git_commit(repository)
    for name, folder in (("first\tof\u2028two", "zoo"), ("elsewhere", "docs"), ("second", "zoo")):
        (repository / folder).mkdir(exist_ok=True)
        (repository / folder / name.replace("\t", " ")).touch()
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", name)
    now = git_commit(repository)
    commits = commits_between(repository / "zoo", before, f"{now}+dirty")
    assert [commit.summary for commit in commits] == ["second", "first\tof\u2028two"]
    assert (commits[0].commit, commits[0].author) == (now, "Ann Example")
    assert commits[0].when.startswith("20")
    assert commits_between(repository / "zoo", now, now) == ()


@pytest.mark.parametrize("before", ["", "0123456789ab", "HEAD~1", "--output=log"])
def test_there_are_no_commits_after_what_is_no_commit_that_is_there(
    repository: Path, before: str
) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    (repository / "new").touch()
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "third")
    assert commits_between(repository, before, git_commit(repository)) == ()
    assert sorted(path.name for path in repository.iterdir()) == [".git", "README.md", "new"]
