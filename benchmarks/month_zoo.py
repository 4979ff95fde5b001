"""The zoo of the simulated month: three tiny networks in a git repository, and what befalls them.

What runs them is a package of another author, as docs/how-to/extending.md tells to write one: the
backend ``acme`` of ``acme-runtime``, of which several versions can be installed.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr_bench.imaging.files import write_png

IMAGES = 40
"""From 36 on a comparison of two runs can tell a loss from noise."""

_SIDE = 24  # px of the images in LR

MODELS = {"alpha": 0.12, "beta": 0.1, "gamma": 0.08}
"""Their weights, as published."""

GAP = """
[[model.known_gap]]
metric = "{metric}"
precision = "fp32"
reason = "issue 41: the server still has the weights of an earlier training"
"""

_MODEL = """
[[model]]
name = "{name}_x2"
row = "{name}"
scale = 2
onnx = "{name}.onnx"
cost = {{ rule = "standard", shape = "3x64x64" }}
evaluation = [{{ dataset = "waves", protocol = "native_rgb" }}]
"""

_HEAD = """# Three networks

| Models | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |
| :-- | --: | --: | --: | --: | :-: |
"""

_ROW = "| {name} | - | - | - | - | 3x64x64 |\n"

_DATASET = f"""
title = "Waves"
description = "of the simulated month"
licence = "none"
homepage = "https://example.org"
scales = [2]
count = {IMAGES}
stems = {{ first = 1, last = {IMAGES}, width = 3 }}

[[layout]]
hr = "HR/{{stem}}.png"
lr = "LR/{{stem}}.png"
"""

_RUNTIME = '''"""acme-runtime {version}: onnxruntime, and a rounding of our own in between."""

from importlib.metadata import version

from sr_bench.backends._session import CheckedSession
from sr_bench.core.backend import DEFAULT_OPTIONS, BackendInfo
from sr_bench.core.precision import Precision

LEVELS = {levels}


def describe(options=DEFAULT_OPTIONS):
    library = version("acme-runtime")
    return BackendInfo("acme", library, "cpu", emulated=False, note="the simulated month's")


def precisions(options=DEFAULT_OPTIONS):
    return (Precision.FP32,)


def open_session(artefact, *, threads=1, options=DEFAULT_OPTIONS):
    import numpy as np
    import onnxruntime

    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = 1
    graph = onnxruntime.InferenceSession(artefact.onnx, chosen, ["CPUExecutionProvider"])

    def run(lr):
        (sr,) = graph.run(None, {{"lr": lr}})
        return np.round(sr * LEVELS) / np.float32(LEVELS)

    return CheckedSession(run, backend="acme", device="cpu")
'''


@dataclass(frozen=True)
class Zoo:
    """A folder with a git repository ``zoo``, and what is installed: ``site``."""

    root: Path

    @property
    def repository(self) -> Path:
        """Where the nightly job runs."""
        return self.root / "zoo"

    @property
    def suite(self) -> Path:
        """The card, the document and the networks."""
        return self.repository / "trio"

    @property
    def readme(self) -> Path:
        """The document that prints the numbers."""
        return self.suite / "README.md"

    @property
    def card(self) -> Path:
        """The suite's card."""
        return self.suite / "card.toml"

    @property
    def site(self) -> Path:
        """Where packages are installed, for ``sys.path``."""
        return self.root / "site"

    def commit(self, message: str, author: str, when: datetime) -> None:
        """Commit all there is."""
        self.git("add", "--all", when=when)
        who = (f"user.name={author}", f"user.email={author.lower()}@example.org")
        options = [word for each in who for word in ("-c", each)]
        self.git(*options, "commit", "--quiet", "--allow-empty", f"--message={message}", when=when)

    def revert(self, author: str, when: datetime) -> None:
        """Take the newest commit back."""
        who = ("-c", f"user.name={author}", "-c", f"user.email={author.lower()}@example.org")
        self.git(*who, "revert", "--no-edit", "HEAD", when=when)

    def git(self, *args: str, when: datetime) -> None:
        """Run git at the time `when`."""
        date = when.isoformat(timespec="seconds")
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ["git", "-C", str(self.repository), *args]
        env = {**os.environ, **dates, **alone}
        subprocess.run(command, env=env, check=True, capture_output=True)

    def edit(self, path: Path, old: str, new: str) -> None:
        """Replace `old`, which is there once, by `new`."""
        text = path.read_text("utf-8")
        if text.count(old) != 1:
            msg = f"{path}: expected {old!r} once"
            raise ValueError(msg)
        path.write_text(text.replace(old, new), "utf-8")

    def train(self, model: str, sharpness: float) -> None:
        """Write the weights of `model`, all of which follow from one number."""
        onnx.save(_network(sharpness), self.suite / f"{model}.onnx")

    def install(self, version: str, levels: int = 4096) -> None:
        """Install a version of ``acme-runtime`` that rounds outputs to `levels` steps."""
        shutil.rmtree(self.site, ignore_errors=True)
        info = self.site / f"acme_runtime-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: acme-runtime\nVersion: {version}\n")
        point = "[sr_bench.backends]\nacme = acme_runtime\n"
        (info / "entry_points.txt").write_text(point)
        (info / "RECORD").write_text("acme_runtime.py,,\n")
        code = _RUNTIME.format(version=version, levels=levels)
        (self.site / "acme_runtime.py").write_text(code)


def make_zoo(root: Path) -> Zoo:
    """Make the zoo in the new folder `root`, with no number in its document yet."""
    zoo = Zoo(root)
    datasets = zoo.repository / "datasets" / "waves"
    for folder in (zoo.suite, datasets):
        folder.mkdir(parents=True)
    (datasets / "dataset.toml").write_text(_DATASET)
    zoo.card.write_text("schema = 1\n" + "".join(_MODEL.format(name=name) for name in MODELS))
    zoo.readme.write_text(_HEAD + "".join(_ROW.format(name=name) for name in MODELS))
    (zoo.repository / ".gitignore").write_text("/reports/\n/images/\n")
    (zoo.repository / "pytest.ini").write_text("[pytest]\naddopts = --sr-data=images\n")
    _make_images(zoo.repository / "images")
    for name, sharpness in MODELS.items():
        zoo.train(name, sharpness)
    zoo.install("1.0")
    return zoo


def _make_images(folder: Path) -> None:
    """Write pairs of images: waves, each of its own, and in LR blurred."""
    for kind in ("HR", "LR"):
        (folder / kind).mkdir(parents=True)
    for index in range(1, IMAGES + 1):
        rng = np.random.default_rng(index)
        waves = [np.sin(np.arange(2 * _SIDE) * rng.uniform(0.1, 0.6)) for _ in "xy"]
        noise = rng.normal(0, 1, (2 * _SIDE, 2 * _SIDE, 3))
        hr = (128 + 40 * np.add.outer(*waves)[..., None] + noise).clip(0, 255)
        wide = np.pad(hr, ((1, 1), (1, 1), (0, 0)), mode="edge")
        wide = (wide[:-2] + wide[1:-1] + wide[2:]) / 3
        blurred = (wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]) / 3
        lr = blurred.reshape(_SIDE, 2, _SIDE, 2, 3).mean(axis=(1, 3))
        for kind, image in (("HR", hr), ("LR", lr)):
            write_png(folder / kind / f"{index:03d}.png", image.round().astype(np.uint8))


def _network(sharpness: float) -> onnx.ModelProto:
    """Return a network that enlarges by 2, after what it takes from a pixel's 4 neighbours."""
    kernel = np.zeros((3, 1, 3, 3), np.float32)
    kernel[:, :, 1, 1] = 1 + 4 * sharpness
    for row, column in ((0, 1), (1, 0), (1, 2), (2, 1)):
        kernel[:, :, row, column] = -sharpness
    constants = {
        "edges": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "weight": kernel,
        "scales": np.array([1, 1, 2, 2], np.float32),
    }
    nodes = [
        helper.make_node("Pad", ["lr", "edges"], ["padded"], mode="edge"),
        helper.make_node("Conv", ["padded", "weight"], ["sharp"], group=3),
        helper.make_node("Resize", ["sharp", "", "scales"], ["sr"], mode="cubic"),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, f"{name}_h", f"{name}_w"])
        for name in ("lr", "sr")
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "trio", ends[:1], ends[1:], weights)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="month")
