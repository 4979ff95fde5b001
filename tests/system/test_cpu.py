"""The cores that a process may use: those it is bound to, within its container's time on them."""

import os
from pathlib import Path

import pytest

from sr_bench.system import cpu
from sr_bench.system.cpu import usable_cores


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


def test_the_wait_for_a_core_is_the_time_in_which_nothing_ran(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu, "perf_counter", lambda: 14.0)
    monkeypatch.setattr(cpu, "process_time", lambda: 6.0)
    assert cpu.CoreWatch(wall_s=10.0, cpu_s=3.0).waited_percent() == pytest.approx(25)
    assert cpu.CoreWatch(wall_s=12.0, cpu_s=1.0).waited_percent() == 0  # two threads
