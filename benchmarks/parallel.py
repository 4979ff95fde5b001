"""Measure whole sessions with one worker and with two, on a zoo that it generates.

Six networks of the EDSR kind with random weights are scored on photographs, each session with an
empty cache of its own: one image at a time, two images at a time in one process, and two workers
with one image each. The three take turns; the records of all must be the same but for the times.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import print_ratios
from skimage import data

from sr_bench.export.to_onnx import export_onnx
from sr_bench.history.environment import cpu_model, usable_cores
from sr_bench.imaging.files import write_png
from sr_bench.zoo.build import build

MODELS = 6
CORES = 2

MODEL = """
[[model]]
name = "net{index}_x2"
row = "Net {index}"
scale = 2
onnx = "net{index}.onnx"
evaluation = [{{ dataset = "crops", protocol = "native_rgb" }}]
"""

MANIFEST = """
title = "Crops"
description = "of photographs"
licence = "see scikit-image"
homepage = "https://scikit-image.org"
scales = [2]
count = {count}
stems = {{ first = 1, last = {count}, width = 4 }}

[[layout]]
hr = "HR/{{stem}}.png"
lr = "LR/{{stem}}.png"
"""


@dataclass(frozen=True)
class Way:
    """One way to run the session."""

    name: str
    options: tuple[str, ...]


SERIAL = Way("one image at a time", ("--sr-threads=1",))
WAYS = (
    SERIAL,
    Way("two images at a time", (f"--sr-threads={CORES}",)),
    Way("two workers", (f"-n{CORES}",)),
)


def make_zoo(root: Path, *, images: int, size: int) -> None:
    """Write the networks, their card and table, and `images` pairs of LR `size` x `size`."""
    suite = root / "zoo" / "nets"
    suite.mkdir(parents=True)
    for index in range(MODELS):
        hyper = {
            "form": "official",
            "n_feats": 48,
            "n_resblocks": 8,
            "res_scale": 1.0,
            "rgb_range": 255.0,
        }
        export_onnx(build("edsr", hyper, 2).eval(), suite / f"net{index}.onnx")
    models = "".join(MODEL.format(index=index) for index in range(MODELS))
    (suite / "card.toml").write_text(f"schema = 1\n{models}")
    rows = "".join(f"| Net {index} | 10.0 | 0.5 |\n" for index in range(MODELS))
    (suite / "README.md").write_text(f"# Nets\n\n| Models | PSNR(dB) | SSIM |\n|--|--|--|\n{rows}")
    manifest = root / "zoo" / "datasets" / "crops" / "dataset.toml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(MANIFEST.format(count=images))
    make_images(root / "images", images, size)


def make_images(folder: Path, count: int, size: int) -> None:
    """Write pairs that are cut from one photograph at places drawn with a fixed seed."""
    rng, photo = np.random.default_rng(0), data.astronaut()
    for index in range(1, count + 1):
        y, x = (rng.integers(0, side - 2 * size) for side in photo.shape[:2])
        hr = np.ascontiguousarray(photo[y : y + 2 * size, x : x + 2 * size])
        for kind, image in (("HR", hr), ("LR", np.ascontiguousarray(hr[::2, ::2]))):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_png(folder / kind / f"{index:04d}.png", image)


def run_session(root: Path, way: Way) -> tuple[float, list[dict[str, object]]]:
    """Return the wall time of the session in seconds, and its records without their times."""
    with tempfile.TemporaryDirectory(dir=root) as temp:
        fixed = ["zoo", "--sr-data=images", f"--sr-results-path={temp}/reports", "--sr-report=none"]
        command = [sys.executable, "-m", "pytest", *fixed, "-p", "no:cacheprovider", *way.options]
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=root,
            env=os.environ | {"SR_BENCH_CACHE": f"{temp}/cache"},
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - start
        latest = Path(temp) / "reports" / "latest.json"
        if not latest.is_file():
            sys.exit(f"{way.name}: the session wrote no records\n{done.stdout}{done.stderr}")
        records = json.loads(latest.read_text())["records"]
    return wall, [record | {"seconds": 0.0} for record in records]


def compare(root: Path, rounds: int) -> None:
    """Run every way once a round, and print each one's times as parts of the serial ones."""
    walls: dict[str, list[float]] = {way.name: [] for way in WAYS}
    expected: list[dict[str, object]] = []
    for turn in range(rounds):
        for way in WAYS if turn % 2 == 0 else WAYS[::-1]:
            wall, records = run_session(root, way)
            walls[way.name].append(wall)
            expected = expected or records
            if not records or records != expected:
                sys.exit(f"{way.name}: {len(records)} records differ from the first session's")
            print(f"round {turn + 1}, {way.name}: {wall:.1f} s", flush=True)
    serial = walls[SERIAL.name]
    for name, found in walls.items():
        print_ratios(
            f"{name}: faster than {SERIAL.name}",
            [one / other for one, other in zip(serial, found, strict=True)],
        )
    print(f"all sessions gave the same {len(expected)} records")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    args = parser.parse_args()
    if usable_cores() != CORES:
        sys.exit(f"run it bound to {CORES} cores, such as by taskset -c 0,1")
    print(f"{cpu_model()}, {CORES} cores, {MODELS} models, {args.images} images")
    with tempfile.TemporaryDirectory() as temp:
        make_zoo(Path(temp), images=args.images, size=args.size)
        compare(Path(temp), args.rounds)


if __name__ == "__main__":
    main()
