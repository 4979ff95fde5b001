"""The steps of action.yml, run as GitHub runs them: its files and variables, and bash."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.tiny_zoo import make_zoo

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}
WORKFLOWS = [path.relative_to(ROOT) for path in (ROOT / ".github" / "workflows").glob("*.yml")] + [
    Path("action.yml")
]
_EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")


@dataclass
class Runner:
    """A runner of GitHub with a checkout, as far as the action's own steps see it."""

    root: Path
    inputs: dict[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> Path:
        return self.root / "temp" / "summary.md"

    @property
    def pip(self) -> list[str]:
        """What pip was asked for."""
        return (self.root / "temp" / "pip").read_text().splitlines()

    def do(self) -> "Runner":
        """Run each step whose condition holds, one after the other, those of others excepted."""
        for step in ACTION["runs"]["steps"]:
            if "run" in step:
                ran = self.holds(step.get("if", "success()"))
                self.outcomes[step["id"]] = self.outcome(step) if ran else "skipped"
        return self

    def outcome(self, step: Mapping[str, str]) -> str:
        output = self.root / "temp" / step["id"]
        output.touch()
        values = {name: _EXPRESSION.sub(self.value, text) for name, text in step["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.root,
            env=self.environment | values | {"GITHUB_OUTPUT": str(output)},
            capture_output=True,
            text=True,
        )
        self.printed[step["id"]] = done.stdout + done.stderr
        self.outputs[step["id"]] = dict(
            line.split("=", 1) for line in output.read_text().splitlines()
        )
        return "failure" if done.returncode else "success"

    @property
    def environment(self) -> dict[str, str]:
        path = (self.root / "bin", Path(sys.executable).parent, os.environ["PATH"])
        return os.environ | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.root),
            "PATH": os.pathsep.join(map(str, path)),
            "PYTHONPATH": str(ROOT),
            "SR_BENCH_CACHE": str(self.root / "cache"),
        }

    def value(self, match: re.Match[str]) -> str:
        kind, _, name = match[1].partition(".")
        known = {"github.action_path": "/action", "runner.temp": str(self.root / "temp")}
        return self.inputs[name] if kind == "inputs" else known[match[1]]

    def holds(self, condition: str) -> bool:
        """Tell whether `condition`, terms joined by ``&&``, holds."""
        terms = condition.split(" && ")
        failed = "failure" in self.outcomes.values()
        return all(map(self.term, terms)) and ("always()" in terms or not failed)

    def term(self, term: str) -> bool:
        if term in ("always()", "success()"):
            return True
        name, sign, word = term.split(" ")
        kind, _, key = name.partition(".")
        value = (
            self.inputs[key] if kind == "inputs" else self.outcomes[key.removesuffix(".outcome")]
        )
        return (value == word.strip("'")) is (sign == "==")


def runner(root: Path, **inputs: str) -> Runner:
    """Return a runner whose pip notes what it is asked for, and installs nothing."""
    for name in ("bin", "temp"):
        (root / name).mkdir(parents=True)
    python = root / "bin" / "python"
    python.write_text(f'#!/bin/sh\n[ "$2" = pip ] && printf "%s\\n" "$@" > {root}/temp/pip\n')
    python.chmod(0o755)
    defaults = {name: str(entry["default"]) for name, entry in ACTION["inputs"].items()}
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    assert given.keys() <= defaults.keys()
    return Runner(root, defaults | given)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a runner after all steps, on a zoo whose README prints wrong Flops."""
    root = tmp_path_factory.mktemp("action")
    zoo = make_zoo(root / "my zoo")
    readme = zoo.suite / "README.md"
    readme.write_text(readme.read_text().replace("| 0.018 |", "| 0.036 |"))
    args = "--sr-data='my zoo/images' --sr-report=markdown -k 'flops or no_such'"
    args += ' --junitxml="$(touch x) *.xml"'
    return runner(root, paths="\nmy zoo/tiny\n", args=args, lint="sarif").do()


def test_a_number_that_differs_fails_the_step_and_the_others_still_run(done: Runner) -> None:
    assert done.outcomes == {"install": "success", "run": "failure", "lint": "success"}, (
        done.printed
    )
    assert "1 failed" in done.printed["run"]


def test_arguments_are_split_as_in_a_shell_and_nothing_in_them_is_run(done: Runner) -> None:
    assert not (done.root / "x").exists()
    assert (done.root / "$(touch x) *.xml").exists()
    records = json.loads((done.root / "reports" / "latest.json").read_text())["records"]
    assert {record["metric"] for record in records} == {"flops"}


def test_the_failure_is_an_annotation_at_the_line_of_the_readme(done: Runner) -> None:
    place = r"file=my zoo/tiny/README.md,line=5,col=\d+,title=tiny_x2 fp32 flops%3A differs"
    assert re.search(f"^::error {place}::", done.printed["run"], re.MULTILINE)


def test_the_summary_shows_the_failure_and_the_reports_lie_in_their_folder(done: Runner) -> None:
    assert "### Failures: 1" in done.summary.read_text()
    assert "0.036" in (done.root / "reports" / "README.md").read_text()


def test_the_badge_lies_where_the_output_says(done: Runner) -> None:
    badge = done.root / done.outputs["run"]["badge"]
    assert badge == done.root / "reports" / "html" / "badge.json"
    assert json.loads(badge.read_text())["message"] == "0 of 1 verified, 1 failed"


def test_code_scanning_gets_a_file_with_places_in_the_repository(done: Runner) -> None:
    run = json.loads((done.root / "temp" / "sr-bench.sarif").read_text())["runs"][0]
    places = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    ]
    assert places
    assert set(places) == {"my%20zoo/tiny/README.md"}


def test_by_default_pip_installs_the_action_itself(done: Runner) -> None:
    assert done.pip == ["-m", "pip", "install", "--disable-pip-version-check", "/action"]


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({"extras": "openvino,parallel"}, ["/action[openvino,parallel]"]),
        (
            {"install": "sr-bench==0.1.0\nmy zoo/package\n", "pip_args": "--index-url 'a b' $(id)"},
            ["--index-url", "a b", "$(id)", "sr-bench==0.1.0", "my zoo/package"],
        ),
    ],
)
def test_pip_gets_what_is_asked_for_word_by_word(tmp_path: Path, inputs, asked) -> None:
    run = runner(tmp_path / "r", **inputs)
    assert run.outcome(STEPS["install"]) == "success"
    assert run.pip[4:] == asked


@pytest.mark.parametrize(
    ("step", "inputs", "told"),
    [
        ("run", {"args": '-k "psnr'}, "unmatched double quote"),
        ("lint", {"lint": "SARIF"}, "::error::lint: expected annotations, sarif or off, got SARIF"),
    ],
)
def test_a_wrong_input_is_one_line(tmp_path: Path, step: str, inputs, told: str) -> None:
    run = runner(tmp_path / "r", **inputs)
    assert run.outcome(STEPS[step]) == "failure"
    assert told in run.printed[step]
    assert run.printed[step].count("\n") == 1


def steps(path: Path) -> list[Mapping[str, str]]:
    content = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    jobs = content["jobs"].values() if "jobs" in content else [content["runs"]]
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=str)
def test_no_script_holds_an_expression_as_what_stands_in_it_would_be_run(path: Path) -> None:
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=str)
def test_actions_of_others_are_pinned_by_commit_and_say_which_version_that_is(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    used = [line.partition("uses: ")[2] for line in text.splitlines() if "uses: " in line]
    assert len(used) == sum("uses" in step for step in steps(path))
    pinned = re.compile(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [name for name in used if name != "./" and not pinned.fullmatch(name)] == []


def test_the_cache_is_kept_where_sr_bench_keeps_it() -> None:
    from sr_bench.files.cache import cache_dir

    kept, restored = (s["with"]["path"] for s in ACTION["runs"]["steps"] if "cache" in str(s))
    assert kept == restored
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SR_BENCH_CACHE", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        home = f"~/{cache_dir().relative_to(Path.home())}"
    assert shlex.split(kept)[0:5] == ["${{", "env.SR_BENCH_CACHE", "||", home, "}}"]
