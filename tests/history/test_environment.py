"""The environment says what made the numbers, and nothing about who."""

import dataclasses
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from sr_bench.history import environment
from sr_bench.history.environment import git_commit, read_environment, usable_cores


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


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def system(folder: Path, cgroup: str, **files: str) -> Path:
    """Make a system in which this process is in `cgroup`; ``__`` in names is a slash."""
    limits = {f"sys/fs/cgroup/{name.replace('__', '/')}": text for name, text in files.items()}
    for name, text in {"proc/self/cgroup": cgroup, **limits}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("9900000 100000", 8),
        ("0 100000", 8),
        ("200000 0", 8),
        ("", 8),
        ("many of them", 8),
    ],
)
@pytest.mark.usefixtures("eight_cores")
def test_a_containers_time_on_the_cores_counts_rounded_up(
    tmp_path: Path, limit: str, cores: int
) -> None:
    root = system(tmp_path, "0::/\n", **{"cpu.max": f"{limit}\n"})
    assert usable_cores(root) == cores


@pytest.mark.usefixtures("eight_cores")
def test_the_smallest_limit_of_a_group_and_those_around_it_counts(tmp_path: Path) -> None:
    files = {
        "a__b__cpu.max": "600000 100000",
        "a__cpu.max": "300000 100000",
        "c__cpu.max": "100000 100000",
    }
    assert usable_cores(system(tmp_path, "0::/a/b\n", **files)) == 3


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("250000", 3)])
@pytest.mark.usefixtures("eight_cores")
def test_the_first_version_of_control_groups_limits_too(
    tmp_path: Path, quota: str, cores: int
) -> None:
    lines = "5:cpuset:/other\n4:cpu,cpuacct:/docker/0123\n0::/\n"  # the host's path
    files = {
        "cpu__cpu.cfs_quota_us": f"{quota}\n",
        "cpu__cpu.cfs_period_us": "100000\n",
        "cpuset__cpu.max": "100000 100000",
        "cpu__other__cpu.max": "100000 100000",
    }
    assert usable_cores(system(tmp_path, lines, **files)) == cores


@pytest.mark.parametrize("cgroup", ["", "0::/../up\n", "nonsense\n", "7:name=systemd:/\n"])
@pytest.mark.usefixtures("eight_cores")
def test_a_group_that_cannot_be_found_limits_nothing(tmp_path: Path, cgroup: str) -> None:
    files = {"..__up__cpu.max": "100000 100000", "cpu__cpu.max": "100000 100000"}
    assert usable_cores(system(tmp_path, cgroup, **files)) == 8


@pytest.mark.usefixtures("eight_cores")
def test_without_control_groups_all_bound_cores_count(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 8
