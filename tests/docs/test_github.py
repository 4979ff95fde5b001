"""The pages on GitHub and on exports show what works: inputs, hooks, and the output as it is."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sr_bench.cli import main
from sr_bench.core.history import SessionInfo
from sr_bench.core.record import Measurement
from sr_bench.history.store import SessionStore
from tests.report.records import CLAIM, record
from tests.report.sessions import ENVIRONMENT

ROOT = Path(__file__).parents[2]
GITHUB, PAPERS = (
    (ROOT / "docs" / "how-to" / name).read_text("utf-8") for name in ("github.md", "papers.md")
)
NIGHTLY = (ROOT / "docs" / "how-to" / "nightly.md").read_text("utf-8")
INPUTS = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_each_example_of_the_action_gives_inputs_that_it_has() -> None:
    jobs = [block for block in blocks(GITHUB + NIGHTLY, "yaml") if "jobs:" in block]
    used = [
        step
        for block in jobs
        for job in yaml.safe_load(block)["jobs"].values()
        for step in job["steps"]
        if "sr-bench" in step.get("uses", "")
    ]
    assert len(used) == len(jobs) == 4
    assert {name for step in used for name in step.get("with", {})} <= INPUTS.keys()


def test_the_table_of_inputs_has_each_with_its_default() -> None:
    rows = [line.split("|")[1:4] for line in GITHUB.splitlines() if line.startswith("| `")]
    table = {name: default for names, _, default in rows for name in re.findall(r"`(.+?)`", names)}
    assert table.keys() == INPUTS.keys()
    for name, entry in INPUTS.items():
        assert not entry["default"] or f"`{entry['default']}`" in table[name], name


def test_the_example_of_pre_commit_names_hooks_that_there_are() -> None:
    (config,) = (block for block in blocks(GITHUB, "yaml") if "repos:" in block)
    (repo,) = yaml.safe_load(config)["repos"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in repo["hooks"]] == [hook["id"] for hook in hooks]
    assert re.search(repo["hooks"][1]["files"], "my_zoo/edsr/README.md")


@pytest.fixture
def _run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the run whose results the page on exports shows."""
    monkeypatch.chdir(tmp_path)
    environment = replace(ENVIRONMENT, packages={"sr-bench": "0.1.0"})
    info = SessionInfo("20261121T091430-b65233", "2026-11-21T09:14:30+00:00", environment)
    base = record(replace(CLAIM, text="32.385"), 32.38475)
    scores = base.measurement.images * 6
    shown = replace(
        base,
        model="pocket_sr4k_x2",
        dataset="photos_x2",
        protocol="native_rgb",
        measurement=Measurement("psnr", "dB", 32.38475, scores, len(scores)),
    )
    store = SessionStore(Path("reports"), info)
    store.start()
    store.add(shown)
    store.finish([shown])


@pytest.mark.usefixtures("_run")
def test_the_commands_of_the_page_on_exports_run_and_show_what_it_shows(capsys) -> None:
    lines = [line for block in blocks(PAPERS, "sh") for line in block.splitlines()]
    printed = []
    for line in lines:
        program, *args = shlex.split(line)
        assert (program, main(args)) == ("sr-bench", 0)
        printed.append(capsys.readouterr().out)
    latex, markdown, index = printed
    assert latex == "table.tex: 1 record\n"
    assert "| pocket_sr4k_x2 | fp32        | 32.385" in markdown
    assert blocks(PAPERS, "yaml") == [index]
