"""A release is what its tag says, and its notes are the changelog's."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sr_bench import __version__

ROOT = Path(__file__).parents[1]
JOBS = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
CHANGELOG = """# Changelog

## Unreleased

- Later.

## {title}

- First, with `code` and ## in it.

  More of it.

## 0.0.1

- Before.
"""


@pytest.fixture
def step(tmp_path: Path):
    """Return what runs the workflow's step of the notes in a project with a changelog."""
    for name in (".ci/release_notes.py", "sr_bench/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (script,) = (
        each["run"] for each in JOBS["build"]["steps"] if "notes.md" in str(each.get("run"))
    )

    def run(changelog: str, tag: str = f"v{__version__}") -> subprocess.CompletedProcess[str]:
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        environment = os.environ | {"GITHUB_REF_NAME": tag, "PATH": path}
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize("title", ["{}", "{} (2026-12-01)", "[{}] - 2026-12-01"])
def test_the_notes_are_the_section_of_the_version(step, tmp_path: Path, title: str) -> None:
    done = step(CHANGELOG.format(title=title.format(__version__)))
    assert (done.returncode, done.stderr) == (0, "")
    notes = (tmp_path / "notes" / "notes.md").read_text()
    assert notes == "- First, with `code` and ## in it.\n\n  More of it.\n"


@pytest.mark.parametrize(
    ("tag", "title", "told"),
    [
        ("v9.9.9", __version__, f"tag v9.9.9: expected v{__version__}, as sr_bench/__init__.py"),
        (__version__, __version__, f"tag {__version__}: expected v{__version__}"),
        (f"v{__version__}", "9.9.9", f"CHANGELOG.md: expected a section '## {__version__}'"),
        (f"v{__version__}", f"{__version__}\n\n## 0.0.2", "with what changed, got none"),
    ],
)
def test_another_tag_or_a_silent_changelog_ends_the_release(step, tag, title, told) -> None:
    done = step(CHANGELOG.format(title=title), tag)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_is_published_before_the_wheel_was_tested() -> None:
    assert [JOBS[name].get("needs") for name in JOBS] == [None, "build", "test", "publish"]
    versions = JOBS["test"]["strategy"]["matrix"]["python-version"]
    lowest = re.findall(r'requires-python = ">=(.+)"', (ROOT / "pyproject.toml").read_text())
    assert [versions[0]] == lowest


def test_only_the_job_that_needs_it_may_publish_or_write() -> None:
    permissions = {name: JOBS[name]["permissions"] for name in JOBS}
    assert permissions == {
        "build": {"contents": "read"},
        "test": {"contents": "read"},
        "publish": {"id-token": "write"},
        "announce": {"contents": "write"},
    }
    assert JOBS["publish"]["environment"]["name"] == "pypi"
    assert "password" not in str(JOBS)
