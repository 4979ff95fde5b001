"""The hooks of .pre-commit-hooks.yaml, run as pre-commit does, on what each asks for."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from sr_bench.cli import main
from tests import tiny_zoo
from tests.update_zoo import make_zoo

ROOT = Path(__file__).parents[1]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.chdir(tmp_path)


def run(name: str, **configured: object) -> int:
    """Run the hook on all files below the working directory, `configured` as a user does."""
    hook = HOOKS[name] | configured
    command, *entry = shlex.split(hook["entry"])
    assert command in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    files: list[str] = []
    if hook.get("pass_filenames", True):
        paths = (path.as_posix() for path in sorted(Path().rglob("*")) if path.is_file())
        files = [path for path in paths if re.search(hook["files"], path)]
        assert files
    return main([*entry, *hook.get("args", []), *files])


def test_lint_looks_at_the_suites_whatever_changed(tmp_path: Path, capsys) -> None:
    zoo = tiny_zoo.make_zoo(tmp_path / "suites")
    (tmp_path / "README.md").write_text("# No table\n")
    assert run("sr-bench-lint") == 0
    assert "1 document: 0 errors" in capsys.readouterr().out
    readme = zoo.suite / "README.md"
    readme.write_text(readme.read_text().replace("| 0.018 |", "| 0.036 |"))
    assert run("sr-bench-lint", args=["suites", "--fail-on=error"]) == 1
    assert "suites/tiny/README.md:5:" in capsys.readouterr().out


def test_check_needs_a_run_that_confirms_the_documents(tmp_path: Path, capsys) -> None:
    zoo = make_zoo(tmp_path)
    mine = {"files": r"^zoo/README\.md$"}
    assert run("sr-bench-check", **mine) == 3
    assert "there is no run in" in capsys.readouterr().err
    zoo.write(zoo.session({"a_x2 fp32 psnr": 30.1}))
    assert run("sr-bench-check", **mine) == 0
    zoo.edit("30.10", "30.90")
    assert run("sr-bench-check", **mine) == 1
    assert "zoo/README.md:5:28: stale" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "is_checked"),
    [
        ("suites/edsr/README.md", True),
        ("suites/edsr/x2/README.rst", True),
        ("README.md", False),
        ("old/suites/README.md", False),
        ("suites/edsr/build.md", False),
    ],
)
def test_check_is_for_the_documents_of_suites(path: str, is_checked: bool) -> None:
    assert bool(re.search(HOOKS["sr-bench-check"]["files"], path)) is is_checked
