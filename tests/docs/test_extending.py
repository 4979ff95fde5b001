"""The examples of docs/how-to/extending.md, installed and used: one file adds one of anything."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.tiny_zoo import DATASET, make_images

pytestmark = pytest.mark.slow

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_POINT = re.compile(r'\[project\.entry-points\."(.+)"\]\n(\w+) = "([\w.]+)"\n')
_FILE = re.compile(r"# (acme_sr/(\w+)\.\w+)\n")

CARD = """
schema = 1

[[model]]
name = "shuffle_x2"
row = "Shuffle"
scale = 2
architecture = "shuffle"
hyper = { kernel = 1 }
checkpoint = { file = "shuffle.safetensors" }
cost = { rule = "gmacs", shape = "3x1000x1000" }
evaluation = [{ dataset = "pair", protocol = "acme_rgb" }]

[model.int8]
calibration = "pair"
shared_images = true
tolerance.psnr = { slack = 3.0, reason = "only that it is one" }

[[waive]]
code = "ACM001"
row = "Shuffle"
reason = "half a dB is all it takes"
"""

TABLE = """# Shuffle

| Models | Flops(G) | Params(M) | PSNR(dB) |
| :--- | ---: | ---: | ---: |
| Shuffle | 0.036 | 0.000048 | {psnr:.3f} |
| Shuffle **plain thousandth int8** | - | - | {psnr:.1f} |
"""


@dataclass(frozen=True)
class Example:
    """What a section of the page adds."""

    group: str
    name: str
    module: str
    file: str
    text: str


def examples(page: str) -> list[Example]:
    """Return the example of each section, which is one entry point and one file."""
    examples = []
    for section in page.split("\n## ")[1:]:
        blocks = [text for _, text in _FENCE.findall(section)]
        points = [point.groups() for point in map(_POINT.fullmatch, blocks) if point]
        files = [(head, text) for text in blocks if (head := _FILE.match(text))]
        if blocks:
            ((point,), ((head, text),)) = points, files
            assert (point[1], point[2]) == (head[2], f"acme_sr.{head[2]}")
            examples.append(Example(*point, head[1], text))
    return examples


@dataclass(frozen=True)
class Installed:
    """The folder of a zoo whose suite needs all that the page adds, and where that is installed."""

    root: Path
    site: Path

    def run(self, *command: str, code: int = 0) -> str:
        """Run Python beside the zoo; return what it printed."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(self.site), *filter(None, sys.path))),
            "SR_BENCH_CACHE": str(self.root / "cache"),
            "PYTEST_ADDOPTS": "-p no:hypothesispytest",
        }
        result = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, f"{result.stdout[-4000:]}\n{result.stderr[-2000:]}"
        return result.stderr if code else result.stdout

    def sr_bench(self, *args: str, code: int = 0) -> str:
        return self.run(
            "-c", "import sr_bench.cli as c; raise SystemExit(c.main())", *args, code=code
        )


@pytest.fixture(scope="module")
def added(project_root: Path) -> dict[str, Example]:
    page = (project_root / "docs" / "how-to" / "extending.md").read_text(encoding="utf-8")
    return {example.group: example for example in examples(page)}


@pytest.fixture(scope="module")
def installed(added: dict[str, Example], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    installed = Installed(tmp_path_factory.mktemp("extending"), tmp_path_factory.mktemp("site"))
    write_package(installed.site, added)
    psnr, _ = make_images(installed.root / "zoo" / "images")
    write_suite(installed.root / "zoo", psnr)
    return installed


def write_package(site: Path, added: dict[str, Example]) -> None:
    info = site / "acme_sr-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: acme-sr\nVersion: 1\n")
    points = [f"[{module.group}]\n{module.name} = {module.module}\n" for module in added.values()]
    (info / "entry_points.txt").write_text("".join(points))
    (site / "acme_sr").mkdir()
    for example in added.values():
        (site / example.file).write_text(example.text)


def write_suite(zoo: Path, psnr: float) -> None:
    (zoo / "datasets" / "pair").mkdir(parents=True)
    (zoo / "datasets" / "pair" / "dataset.toml").write_text(DATASET)
    (zoo / "shuffle").mkdir()
    (zoo / "shuffle" / "card.toml").write_text(CARD)
    (zoo / "shuffle" / "README.md").write_text(TABLE.format(psnr=psnr))
    weight = torch.eye(3).repeat_interleave(4, dim=0).reshape(12, 3, 1, 1)  # enlarges by nearest
    state = {"0.weight": weight, "0.bias": torch.zeros(12)}
    save_file(state, zoo / "shuffle" / "shuffle.safetensors")


def test_a_session_measures_with_all_that_is_added(installed: Installed) -> None:
    options = ("--backend=plain", "--sr-data=zoo/images", "--sr-report=markdown,html")
    assert "4 match" in installed.run("-m", "pytest", "zoo", *options)
    latest = json.loads((installed.root / "reports" / "latest.json").read_text())
    records = {(record["precision"], record["metric"]): record for record in latest["records"]}
    full, low = records["fp32", "psnr"], records["int8_permille", "psnr"]
    assert (full["backend"], full["protocol"]) == (low["backend"], low["protocol"])
    assert (full["backend"], full["protocol"]) == ("plain", "acme_rgb")
    assert low["detail"]["observer"] == "permille"
    report = (installed.root / "reports" / "shuffle.md").read_text()
    assert all(word in report for word in ("int8_permille", "acme_rgb", "plain"))
    html = installed.root / "reports" / "html"
    page = (html / "index.html").read_text()
    assert "int8_permille" in page
    assert "shuffle_x2-" in page.split("Slowest numbers</h2>")[1]
    assert '<th scope="col">seconds</th>' in next(html.glob("model-*.html")).read_text()
    # Without pytest the same is added: nothing is built anew.
    assert "0 pages built" in installed.sr_bench("report")


def test_commands_know_what_is_added(installed: Installed) -> None:
    counted = json.loads(installed.sr_bench("cost", "shuffle_x2", "--suites=zoo", "--json"))
    assert (counted["card_rule"], counted["flops_g"]["gmacs"]) == ("gmacs", 0.036)
    hr = "zoo/images/HR"
    by = ("--protocol=acme_rgb", "--metric=psnr", "--metric=worst_error", "--json=-")
    scored = json.loads(installed.sr_bench("score", hr, hr, *by))
    assert scored["mean"] == {"psnr": "inf", "worst_error": 0.0}
    refused = installed.sr_bench("quantize", "x", "--precision=int8_mill", "--out=x", code=2)
    assert "int8_mse, int8_percentile, int8_permille" in refused
    assert "backend   plain" in installed.sr_bench("doctor", "--suites=zoo", "--data=zoo/images")


def test_lint_applies_the_rule_and_the_card_waives_it(installed: Installed) -> None:
    args = ("lint", "zoo", "--format=json", "--show-waived", "--fail-on=error")
    findings = json.loads(installed.sr_bench(*args))["findings"]
    waived = {finding["code"]: finding["waived"] for finding in findings}
    assert waived["ACM001"] == "half a dB is all it takes"
    assert waived["SRB201"] == ""
