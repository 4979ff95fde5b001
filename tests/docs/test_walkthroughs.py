"""The pages that people follow word for word do what they say."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXITS = re.compile(r"\s+# exits with (\d+)$")
"""The exit code that a line says it has."""


@dataclass(frozen=True)
class Clone:
    """A clone of the project with its pocket suite, as somebody has it who reads a page."""

    root: Path
    environment: dict[str, str]

    def shell(self, line: str, *, code: int = 0) -> str:
        """Run `line` as typed, see that it ends in `code`, and return what it printed."""
        done = subprocess.run(
            line, shell=True, cwd=self.root, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == code, f"$ {line}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache for all pages: what one measured, the next need not."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def clone(project_root: Path, tmp_path: Path, cache: Path) -> Clone:
    root = tmp_path / "clone"
    shutil.copytree(project_root / "suites" / "pocket", root / "suites" / "pocket")
    shutil.copytree(project_root / "datasets" / "photos", root / "datasets" / "photos")
    # What no page is about takes no time: other precisions, and the search for a loss's layers.
    addopts = "--sr-precision=fp32,fp16 --sr-explain=0"
    (root / "pytest.ini").write_text(f"[pytest]\naddopts = {addopts}\n")
    # Nor the wait for the disk.
    (root / "conftest.py").write_text("import os\n\nos.fsync = lambda handle: None\n")
    (root / ".gitignore").write_text("/reports/\n")
    own = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "SR_BENCH_CACHE": str(cache),
    }
    made = Clone(root, {**os.environ, **own})
    made.environment.pop("PYTEST_ADDOPTS", None)
    (tmp_path / "gitconfig").write_text("[user]\nname = A. Nyone\nemail = a@example.org\n")
    made.shell("git init --quiet --initial-branch=main && git add . && git commit --quiet -m first")
    return made


def commands(page: Path) -> Iterator[tuple[str, int]]:
    """Yield each line that the page tells to type, and the exit code that it says."""
    for language, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "sh":
            for line in text.splitlines():
                code = _EXITS.search(line)
                yield _EXITS.sub("", line), int(code[1]) if code else 0


def follow(clone: Clone, page: Path) -> list[str]:
    """Type what `page` says, and return what each line printed."""
    return [clone.shell(line, code=code) for line, code in commands(page)]


def test_the_nightly_page(clone: Clone, project_root: Path) -> None:
    page = project_root / "docs" / "how-to" / "nightly.md"
    first, second, nights, history, same = follow(clone, page)
    assert "There is no earlier run yet to compare with." in first
    assert "Nothing could be compared, which is not a pass." in first
    assert re.search(r"^\d+ same$", second, re.MULTILINE)
    assert len(re.findall(r"^20\d\d-", nights, re.MULTILINE)) == 2
    assert history.count("pocket_sr4k_x2") >= 1
    assert "same" in same
    left = re.findall(r"`(?:reports/)?([\w/.]+)`", page.read_text("utf-8").split("## The issue")[0])
    files = [name for name in left if "." in name or name.endswith("/")]
    # Of a night that needs nobody.
    assert [n for n in files if not (clone.root / "reports" / n).exists()] == ["issue.md"]


def test_the_gate_page(clone: Clone, project_root: Path) -> None:
    *_, changed, compared = follow(clone, project_root / "docs" / "how-to" / "gate.md")
    assert re.search(r"^verdict +differs", changed, re.MULTILINE)
    assert re.search(r"^verdict +loss", changed, re.MULTILINE)
    for text in (changed, compared):
        assert re.search(r"int8_percentile +psnr .* loss +plan", text)


def test_the_page_on_tables(clone: Clone, project_root: Path) -> None:
    readme = clone.root / "suites" / "pocket" / "README.md"
    true = readme.read_text("utf-8")
    readme.write_text(true.replace("32.846", "32.640"), "utf-8")
    _, dry, done, again, blamed, checked = follow(
        clone, project_root / "docs" / "how-to" / "readme-tables.md"
    )
    assert "-| pocket_edsr_x2 | 2.995 | 0.0899 | 32.640" in dry
    assert "1 number updated" in done
    assert "0 numbers updated" in again
    assert "because: retrained on ten more photographs" in blamed
    assert ", 0 stale" in checked
    assert readme.read_text("utf-8") == true
