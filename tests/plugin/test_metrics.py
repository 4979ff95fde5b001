"""A metric is one module of any package: measured, judged, reported and compared like PSNR."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from sr_bench.imaging.files import read_image
from tests.tiny_zoo import Zoo, make_zoo

CARD = """
[[model]]
name = "second_x2"
row = "Second"
scale = 2
onnx = "tiny.onnx"
evaluation = [{ dataset = "pair", protocol = "native_rgb" }]
"""
TABLE = """# Tiny

| Models | PSNR(dB) | Worst error | MAE | PSNR-Y | FID | LPIPS |
| :---: | :--: | :--: | :---: | :----: | :--: | :--: |
| Tiny | {psnr:.3f} | {worst:.2f} | {mae:.3f} | 30.1 | 12.3 | 0.1 |
| Second | {psnr:.3f} | {second:.2f} | - | - | - | - |
"""

FENCE = re.compile(r"```\w+\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Installed:
    """The zoo beside a package that holds the metric of docs/how-to/extending.md."""

    zoo: Zoo
    truth: dict[str, float]
    environment: dict[str, str]
    module: Path
    """Of the metric."""

    def write(self, second: float) -> None:
        (self.zoo.suite / "README.md").write_text(TABLE.format(**self.truth, second=second))

    def python(self, *args: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, args)]
        where = self.zoo.root.parent
        return subprocess.run(
            command, cwd=where, env=self.environment, capture_output=True, text=True, check=False
        )

    def pytest(self, *args: str) -> dict[str, dict[str, object]]:
        result = self.python("-m", "pytest", "my_zoo", f"--sr-data={self.zoo.data}", *args)
        assert result.returncode in (0, 1), result.stdout + result.stderr
        return self.zoo.records()

    def sr_bench(self, *args: object, code: int = 0) -> str:
        result = self.python(
            "-c", "import sys; from sr_bench.cli import main; sys.exit(main())", *args
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout


def install(folder: Path, page: str) -> Path:
    """Make the package of the page in `folder`, as if installed; return the metric's module."""
    (module,) = (text for text in FENCE.findall(page) if "INFO = MetricInfo" in text)
    (points,) = (text for text in FENCE.findall(page) if '"sr_bench.metrics"' in text)
    groups = tomllib.loads(points)["project"]["entry-points"]
    ((name, value),) = groups["sr_bench.metrics"].items()
    package, _, file = value.partition(".")
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("")
    (folder / package / f"{file}.py").write_text(module)
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[sr_bench.metrics]\n{name} = {value}\n")
    return folder / package / f"{file}.py"


def errors_of(zoo: Zoo) -> np.ndarray:
    """Return the absolute errors of nearest enlargement, images x pixels."""
    errors = []
    for stem in "ab":
        hr, lr = (read_image(zoo.data / kind / f"{stem}.png").astype(int) for kind in ("HR", "LR"))
        errors.append(np.abs(lr.repeat(2, axis=0).repeat(2, axis=1) - hr).ravel())
    return np.array(errors)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Installed:
    folder = tmp_path_factory.mktemp("metric")
    metric = install(
        folder / "site", (project_root / "docs" / "how-to" / "extending.md").read_text()
    )
    zoo = make_zoo(folder / "my_zoo")
    zoo.write_card(CARD)
    apart = errors_of(zoo)
    truth = {"psnr": zoo.psnr, "worst": float(apart.max(1).mean()), "mae": float(apart.mean())}
    paths = [str(folder / "site"), str(project_root)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "SR_BENCH_CACHE": str(folder / "cache"),
        "TORCH_HOME": str(folder / "empty"),
        "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:cacheprovider",
        # Its module changes within a second, and not in size.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("CI", "GITHUB_ACTIONS", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    return Installed(zoo, truth, environment, metric)


@pytest.fixture(scope="module")
def records(installed: Installed) -> dict[str, dict[str, object]]:
    """Run the zoo once with a stale claim of the second model."""
    installed.write(second=installed.truth["worst"] + 1)
    return installed.pytest("--sr-report=markdown,html", "--junitxml=junit.xml")


def status(records: dict[str, dict[str, object]], case: str) -> str:
    return records[case]["verdict"]["status"]


def test_its_marker_is_listed_and_selects(installed: Installed) -> None:
    listed = installed.python("-m", "pytest", "--markers").stdout
    assert "@pytest.mark.worst_error: numbers of Worst error, in levels (sr-bench)\n" in listed
    installed.write(second=installed.truth["worst"])
    options = ("my_zoo", "-m", "worst_error and claim", "--strict-markers", "--collect-only", "-q")
    assert "2/8 tests collected" in installed.python("-m", "pytest", *options).stdout


def test_a_column_of_a_metric_of_another_package_is_a_claim(installed, records) -> None:
    record = records["tiny_x2-fp32-pair_x2-worst_error"]
    assert record["verdict"]["status"] == "match"
    assert record["measurement"]["value"] == pytest.approx(installed.truth["worst"])
    assert record["measurement"]["unit"] == "levels"
    assert len(record["measurement"]["images"]) == 2
    assert record["inputs"]["metric"]
    junit = (installed.zoo.root.parent / "junit.xml").read_text()
    assert 'name="tiny_x2-fp32-pair_x2-worst_error"' in junit


def test_the_shipped_metrics_are_measured_beside_it(installed, records) -> None:
    assert status(records, "tiny_x2-fp32-pair_x2-mae") == "match"
    assert records["tiny_x2-fp32-pair_x2-psnr_y"]["measurement"]["value"] > installed.zoo.psnr
    assert "metric" not in records["tiny_x2-fp32-pair_x2-mae"]["inputs"]


def test_a_lower_value_than_claimed_is_better_and_the_floor_is_above(installed, records) -> None:
    assert status(records, "second_x2-fp32-pair_x2-worst_error") == "better"
    floor = records["second_x2-fp32-pair_x2-worst_error"]["measurement"]["notes"]["bicubic"]
    assert 0 < floor < installed.truth["worst"]
    page = (installed.zoo.root.parent / "reports" / "README.md").read_text()
    assert f"above bicubic {floor:.2f} levels" in page


def test_unavailable_metrics_are_not_run_and_the_others_are(records) -> None:
    fid, lpips = (records[f"tiny_x2-fp32-pair_x2-{name}"]["verdict"] for name in ("fid", "lpips"))
    assert fid["status"] == lpips["status"] == "not_run"
    assert fid["sentence"].startswith("FID compares sets of images")
    assert lpips["sentence"].startswith("LPIPS can't be computed here: ")
    assert status(records, "tiny_x2-fp32-pair_x2-psnr") == "match"


def test_both_reports_show_it(installed, records) -> None:
    reports = installed.zoo.root.parent / "reports"
    pages = [path.read_text() for path in reports.glob("*.md") if path.name != "README.md"]
    assert any("worst_error on pair_x2" in page for page in pages)
    index = Words.of(reports / "html" / "index.html")
    assert {"Worst error ↓", "MAE ↓", "PSNR-Y"} <= set(index)
    (page,) = (reports / "html").glob("model-tiny-tiny-x2-*.html")
    assert "fp32 Worst error ↓" in Words.of(page)


class Words(HTMLParser):
    """The texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    @classmethod
    def of(cls, path: Path) -> list[str]:
        parser = cls()
        parser.feed(path.read_text())
        return parser.texts


def test_the_command_line_knows_it(installed, records) -> None:
    listed = json.loads(installed.sr_bench("list", "--suites", "my_zoo", "--json"))["metrics"]
    (line,) = (metric for metric in listed if metric["metric"] == "worst_error")
    assert (line["unit"], line["better"], line["computed"]) == ("levels", "lower", "here")
    data = installed.zoo.data
    options = ("--protocol", "native_rgb", "--metric", "worst_error", "--json", "-")
    scores = json.loads(installed.sr_bench("score", data / "HR", data / "HR", *options))
    assert scores["mean"] == {"worst_error": 0.0}
    assert "worst_error" in installed.sr_bench("history", "tiny_x2", "--metric", "worst_error")
    installed.sr_bench("lint", "my_zoo/tiny/README.md")


WORST = "tiny_x2-fp32-pair_x2-worst_error"
ONLY_PSNR = ("-k", "pair_x2-psnr and not psnr_y")


def test_results_are_kept_until_the_module_of_the_metric_changes(installed, records) -> None:
    again = installed.pytest()[WORST]
    assert (again["cached"], again["fingerprint"]) == (2, records[WORST]["fingerprint"])
    with edited(installed.module, "* 255.0", "* 127.5"):
        assert {record["cached"] for record in installed.pytest(*ONLY_PSNR).values()} == {2}
        changed = installed.pytest("-k", "worst_error")[WORST]
    assert (changed["cached"], changed["verdict"]["status"]) == (0, "better")
    assert changed["measurement"]["value"] == pytest.approx(installed.truth["worst"] / 2)
    assert changed["fingerprint"] != again["fingerprint"]
    back = installed.pytest("-k", "worst_error")[WORST]
    assert (back["cached"], back["measurement"]) == (2, again["measurement"])


def test_a_metric_that_raises_on_an_image_fails_alone(installed, records) -> None:
    total = int(read_image(installed.zoo.data / "HR" / "b.png").sum())
    fault = f"    if hr.sum() == {total}:\n        raise KeyError('boom')\n    import numpy as np\n"
    with edited(installed.module, "    import numpy as np\n", fault):
        for cached in (0, 1):  # what failed is tried again
            broken = installed.pytest("--sr-isolate=model" if cached else "--sr-isolate=off")
            verdict, others = broken.pop(WORST)["verdict"], broken
            assert verdict["status"] == "error"
            assert "image b: worst_error: its score raised KeyError('boom')" in verdict["sentence"]
            assert "worst_error.py, line 2" in verdict["sentence"]
            others.pop("second_x2-fp32-pair_x2-worst_error")
            for case, record in others.items():
                assert record["verdict"] == records[case]["verdict"]
            assert others["tiny_x2-fp32-pair_x2-mae"]["cached"] == cached
    with edited(installed.module, "    import numpy as np\n", f"{fault.replace(f'{total}', '0')}"):
        mended = installed.pytest("-k", "worst_error")[WORST]
    assert (mended["verdict"]["status"], mended["cached"]) == ("match", 0)


@contextmanager
def edited(module: Path, old: str, new: str) -> Iterator[None]:
    text = module.read_text()
    assert old in text
    try:
        module.write_text(text.replace(old, new))
        yield
    finally:
        module.write_text(text)


def test_a_changed_network_is_a_loss_where_the_metric_rises(installed, records) -> None:
    network = installed.zoo.suite / "tiny.onnx"
    right = network.read_bytes()
    model = onnx.load(network)
    (weight,) = (tensor for tensor in model.graph.initializer if tensor.name == "weight")
    weight.CopyFrom(numpy_helper.from_array(0 * numpy_helper.to_array(weight), "weight"))
    onnx.save(model, network)
    installed.write(second=installed.truth["worst"] - 1)
    try:
        now = installed.pytest("-k", "worst_error")
        result = installed.sr_bench("compare", "previous", "last", "--json", code=1)
    finally:
        network.write_bytes(right)
    assert status(now, "second_x2-fp32-pair_x2-worst_error") == "differs"
    cases = {(case["model"], case["metric"]): case for case in json.loads(result)["cases"]}
    assert cases["tiny_x2", "worst_error"]["outcome"] == "loss"
    assert "Worst error rises by" in cases["tiny_x2", "worst_error"]["sentence"]
