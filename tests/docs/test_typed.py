"""What pages tell to type is run, word for word, in a small zoo with the names of the pages.

Blocks of ``sh`` are followed step by step by tests of their own.
"""

import re
import shlex
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import onnx
import pytest
import torch
from safetensors.torch import save_file

from sr_bench.cli import main
from sr_bench.plugin import session
from sr_bench.zoo.families.edsr import build
from tests.tiny_zoo import DATASET, make_images, nearest_x2

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

NOT_RUN: Mapping[str, str] = {
    "pip install .*": "it needs a network; .ci/wheel and .ci/smoke do",
    "dask .*|srun .*|.*--sr-cluster=tcp:.*": "a cluster of other machines",
    ".* tests/.*": "the tests themselves",
    "pytest my_zoo/ .*": "tests/docs/test_own_zoo.py",
    "pytest suites/realsr .*": "weights of 74 MB",
    "sr-bench fetch .*": "a network, or an archive of 448 MB; tests/cli/test_fetch.py",
    "sr-bench demo .*": "tests/cli/test_demo.py, and .ci/wheel",
    r".*\$model .*": "a loop of the shell; the command stands above it",
}
"""Commands that can't be run here, by pattern, and why or what does."""

COLLECTED = re.compile("pytest .*(-n 2|--sr-cluster=local|--sr-isolate=model|--benchmark-compare)")
"""Those that start processes, or fail by times, are collected; tests/plugin has the rest."""

FAILS = re.compile("sr-bench (audit-tolerance last --fail|plan .*)")
"""Those that exit with 1 here: of two images, each mistake is not seen, and no plan is sure."""

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(
    r"^ *(?:\$ )?((?:[A-Z_]+=\S+ )?(?:sr-bench|pytest|pip|dask|srun) .*)", re.MULTILINE
)
_REDIRECTED = re.compile(r" (?:\|\||[>|;]).*")

CARD = """
schema = 1

[[model]]
name = "pocket_edsr_x2"
row = "Pocket EDSR"
scale = 2
architecture = "edsr"
hyper = { form = "basicsr", n_feats = 4, n_resblocks = 1, res_scale = 1.0, rgb_range = 255.0 }
checkpoint = { file = "edsr.safetensors" }
cost = { shape = "3x12x16" }
evaluation = [{ dataset = "pair", protocol = "native_rgb" }]
tolerance.psnr = { slack = 99.0, reason = "no training" }

[model.int8]
calibration = "pair"
shared_images = true
tolerance.psnr = { slack = 99.0, reason = "no training" }

[model.gate]
min_fidelity_db = 20.0
max_drop_db = 1.0
max_drop_ssim = 0.5
max_image_drop_db = 2.0
max_image_drop_ssim = 0.9

[[model]]
name = "edsr_baseline_x2"
row = "Baseline"
scale = 2
onnx = "tiny.onnx"
cost = { shape = "3x12x16" }
evaluation = [{ dataset = "pair", protocol = "native_rgb" }]

[model.int8]
calibration = "pair"
shared_images = true
tolerance.psnr = { slack = 1.0, reason = "only that it is one" }
"""

TABLE = """# Networks with the names of the pages

As small as can be.






| Models | PSNR(dB) | SSIM |
| --- | --- | --- |
| Pocket EDSR | 20 | - |
| Pocket EDSR **onnxruntime max int8** | 20 | - |
| Baseline | {psnr:.3f} | {ssim:.4f} |
| Baseline **onnxruntime max int8** | {psnr:.1f} | - |
"""


def commands(page: Path) -> list[str]:
    """Return each command of the blocks that name no language."""
    blocks = (text for language, text in _BLOCK.findall(page.read_text("utf-8")) if not language)
    return [line for text in blocks for line in _TYPED.findall(text.replace("\\\n", " "))]


PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if commands(page)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of somebody with two runs of a small zoo, and images of others."""
    home = tmp_path_factory.mktemp("typed") / "home"
    write_zoo(home / "work")
    write_others(home)
    with pytest.MonkeyPatch.context() as patch:
        settle(patch, home)
        shell("git init --quiet --initial-branch=main && git add . && git commit --quiet -m first")
        patch.setattr(session, "datetime", OnThe20th)
        assert run("pytest suites --sr-keep=8bit") == 0
        patch.undo()
        settle(patch, home)
        shell("git switch --quiet -c work && git commit --quiet --allow-empty -m second")
        assert run("pytest suites --sr-keep=8bit") == 0
    return home


class OnThe20th(datetime):
    """The clock of the first run, which pages name by its date."""

    @classmethod
    def now(cls, tz=None) -> datetime:
        return datetime(2026, 11, 20, 2, tzinfo=tz or UTC)


def write_zoo(work: Path) -> None:
    """Write suites/pocket with its images: networks that are built and that are given."""
    suite, dataset = work / "suites" / "pocket", work / "suites" / "datasets" / "pair"
    for folder in (suite, dataset):
        folder.mkdir(parents=True)
    psnr, ssim = make_images(dataset)
    (dataset / "dataset.toml").write_text(DATASET)
    onnx.save(nearest_x2(), suite / "tiny.onnx")
    (suite / "card.toml").write_text(CARD)
    (suite / "README.md").write_text(TABLE.format(psnr=psnr, ssim=ssim))
    once = "--benchmark-min-rounds=1 --benchmark-max-time=0.001 --benchmark-warmup=off"
    (work / "pytest.ini").write_text(f"[pytest]\naddopts = -p no:cacheprovider {once}\n")
    hyper = {"form": "basicsr", "n_feats": 4, "n_resblocks": 1, "res_scale": 1.0}
    network = build(hyper | {"rgb_range": 255.0}, 2).state_dict()
    weights = {
        name: torch.linspace(-0.1, 0.1, old.numel()).reshape(old.shape)
        for name, old in network.items()
    }
    save_file(weights, suite / "edsr.safetensors")


def write_others(home: Path) -> None:
    """Write zoos, images and outputs of other people, where pages have them."""
    for folder in ("weights", "datasets"):
        (home / folder).mkdir()
    for name, label in (("RCAN", "RCAN"), ("fastsr", "fastsr_x2")):
        zoo = home / "zoo" / name
        zoo.mkdir(parents=True)
        (zoo / "README.md").write_text(f"| Models | PSNR(dB) |\n|---|---|\n| {label} | 30.1 |\n")
    images = home / "work" / "suites" / "datasets" / "pair" / "HR"
    onnx.save(nearest_x2(), home / "work" / "fastsr_x2.onnx")
    for folder, name in {
        "Set5/HR": "{}_HR_x2.png",
        "out": "{}_RCAN_x2.png",
        "rcan": "{}_RCAN_x2.png",
    }.items():
        (home / "work" / folder).mkdir(parents=True, exist_ok=True)
        for stem in "ab":
            source = images / f"{stem}.png"
            shutil.copy(source, home / "work" / folder / name.format(stem))


def settle(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Be in the working directory of `home`, with a terminal and a cache of its own."""
    patch.chdir(home / "work")
    patch.setenv("HOME", str(home))
    patch.setenv("SR_BENCH_CACHE", str(home.parent / "cache"))
    patch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")
    for person in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{person}_NAME", "A. Nyone")
        patch.setenv(f"GIT_{person}_EMAIL", "a@example.org")
    patch.setattr(webbrowser, "open", lambda _: True)


def shell(line: str) -> None:
    subprocess.run(line, shell=True, check=True)


def expanded(word: str) -> list[str]:
    """Return the paths that a shell makes of `word`."""
    if word.startswith("~"):
        return [str(Path(word).expanduser())]
    return sorted(map(str, Path().glob(word))) if "/*/" in word else [word]


def run(line: str) -> int:
    """Do in this process what a shell does with `line`, and return the exit code."""
    program, *words = shlex.split(_REDIRECTED.sub("", line), comments=True)
    args = [path for word in words for path in expanded(word)]
    if program == "sr-bench":
        return main(args)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("path", "meta_path"):
            patch.setattr(sys, name, [*getattr(sys, name)])
        collected = ["--collect-only"] if COLLECTED.search(line) else []
        return int(pytest.main([*args, *collected]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(page, home, tmp_path, monkeypatch, capsys):
    shutil.copytree(home, tmp_path / "home")
    shutil.copytree(home.parent / "cache", tmp_path / "cache")
    settle(monkeypatch, tmp_path / "home")
    for line in commands(page):
        if not any(re.fullmatch(pattern, line) for pattern in NOT_RUN):
            assert run(line) == (1 if FAILS.fullmatch(line) else 0), (line, *capsys.readouterr())


def test_each_command_that_is_not_run_is_on_a_page():
    lines = [line for page in PAGES for line in commands(page)]
    for pattern in NOT_RUN:
        assert any(re.fullmatch(pattern, line) for line in lines), pattern
