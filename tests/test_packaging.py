"""What the wheel is built from."""

import importlib.metadata
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from sr_bench import __version__
from sr_bench.cli import demo

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIMES = ("mnn", "ncnn", "openvino", "tract")
FOR_USERS = ("cluster", "lpips", "parallel", "parquet", "weights", *RUNTIMES)
"""The extras that users install; those of developers have the pinned versions alone."""


def bounds(requirements: Iterable[str]) -> Mapping[str, str]:
    """Return each package's version bounds by its name."""
    parsed = map(Requirement, requirements)
    return {canonicalize_name(each.name): str(each.specifier) for each in parsed}


def pins(name: str) -> Mapping[str, str]:
    """Return the version of each package in a constraints file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(package): version for package, version in pairs}


def declared() -> Mapping[str, str]:
    """Return the bounds of all that users install."""
    extras = (PROJECT["optional-dependencies"][name] for name in FOR_USERS)
    return bounds([*PROJECT["dependencies"], *(each for extra in extras for each in extra)])


def test_each_lower_bound_is_the_version_that_the_lowest_smoke_run_has() -> None:
    lowest = pins("constraints-lowest.txt")
    assert declared() == {package: f">={version}" for package, version in lowest.items()}


def test_no_pinned_version_is_below_the_lowest() -> None:
    pinned = pins("constraints.txt")
    for package, version in pins("constraints-lowest.txt").items():
        assert Version(pinned[package]) >= Version(version)


def test_what_only_developers_install_has_no_bound_that_nobody_tests() -> None:
    extras = PROJECT["optional-dependencies"]
    for name in extras.keys() - set(FOR_USERS):
        assert set(bounds(extras[name]).values()) == {""}


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    place = ROOT / project["tool"]["hatch"]["version"]["path"]
    lines = [x for x in place.read_text("utf-8").splitlines() if x.startswith("__version__ = ")]
    assert lines == [f'__version__ = "{__version__}"']
    assert str(Version(__version__)) == __version__


def test_the_version_installed_is_that_of_the_package() -> None:
    try:
        installed = importlib.metadata.version("sr-bench")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("sr-bench is not installed")
    assert installed == __version__


def test_the_wheel_takes_along_what_the_demo_is_made_from() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
    included = hatch["build"]["targets"]["wheel"]["force-include"]
    assert all((ROOT / source).exists() for source in included)
    for name in demo.MODELS:
        weights = f"weights/{name}.safetensors"
        assert included[f"suites/pocket/{weights}"] == f"sr_bench/_pocket/{weights}"


def test_no_committed_file_is_ignored_as_the_wheel_would_lack_it() -> None:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    result = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-from=.gitignore"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == ""
