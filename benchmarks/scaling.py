"""How time and memory of a whole session grow with the number of images, models and pixels.

Run: python benchmarks/scaling.py [images] [models] [size] [--quick]

images   one small network on 1 to 2000 images of 64x64 LR pixels
models   1 to 1000 small networks with four claims each, on one image of 64x64
size     one small network on 20 images of 32x32 to 512x512 LR pixels

Each session runs pytest on a zoo of its own, from an empty cache. Printed are its time, the
straight line that fits best (a fixed start, and so much for each unit), how far the time lies from
that line, and the peak of its memory beside that of bare inference, which imports onnxruntime and
NumPy alone. The line is fitted to CPU time, which other work on the machine disturbs less. Linux
only.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from memory import BARE, peak_mb
from sessions import Folder, Usage
from synthetic import Size, Zoo, make_zoo

from sr_bench.history.store import read_run
from sr_bench.system.cpu import cpu_model, usable_cores

TOLERANCE = """
[model.tolerance]
flops = { slack = 1e9, reason = "noise" }
params = { slack = 1e9, reason = "noise" }
psnr = { slack = 1e9, reason = "noise" }
ssim = { slack = 1e9, reason = "noise" }
"""


@dataclass(frozen=True)
class Curve:
    """A series of zoos that differ in one thing."""

    unit: str
    values: Sequence[int]
    quick: Sequence[int]
    size: Callable[[int], Size]
    """The zoo by the value."""
    units: Callable[[Size], int]
    """How much work a zoo is, which time should be proportional to."""


CURVES = {
    "images": Curve(
        "image",
        (1, 20, 200, 2000),
        (1, 20, 200),
        lambda count: Size(images=count),
        lambda size: size.images,
    ),
    "models": Curve(
        "model",
        (1, 10, 100, 1000),
        (1, 10, 100),
        lambda count: Size(models=count),
        lambda size: size.models,
    ),
    "size": Curve(
        "LR pixel",
        (32, 64, 128, 256, 512),
        (32, 64, 128),
        lambda side: Size(images=20, lr_px=side),
        lambda size: size.images * size.lr_px**2,
    ),
}


def tolerant_zoo(root: Path, size: Size) -> Zoo:
    """Make a zoo whose claims, which are made up, all pass: failures have a cost of their own."""
    zoo = make_zoo(root, size)
    card = zoo.suite / "card.toml"
    head, *models = card.read_text().split("[[model]]")
    card.write_text(head + "".join(f"[[model]]{model}{TOLERANCE}" for model in models))
    return zoo


def measure(folder: Folder, size: Size) -> tuple[Usage, float]:
    """Return what a session on a new zoo of `size` takes, and bare inference's peak in MB."""
    with tempfile.TemporaryDirectory(dir=folder.root) as temp:
        zoo = tolerant_zoo(Path(temp) / "zoo", size)
        usage = folder.session(zoo.suite, f"--sr-data={zoo.data}", cache=f"{temp}/cache")
        bare = peak_mb(BARE, zoo.suite / "m0000.onnx", size.lr_px, usable_cores())
    records = read_run(folder.reports / "latest.json").records
    scored = [record for record in records if record.metric in ("psnr", "ssim")]
    images = {len(record.measurement.images) for record in scored if record.measurement}
    if len(scored) != 2 * size.models or images != {size.images}:
        sys.exit(f"{len(scored)} values of {images} images; expected all of {size}")
    return usage, bare


def straight_line(units: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Return the slope and the start of the line whose relative deviations are least."""
    slope, start = np.polyfit(units, seconds, 1, w=1 / np.asarray(seconds))
    return float(slope), float(start)


def draw(name: str, curve: Curve, folder: Folder, *, quick: bool) -> None:
    """Measure every zoo of `curve`, and print its line and its memory."""
    sizes = [curve.size(value) for value in (curve.quick if quick else curve.values)]
    print(f"\n{name}", flush=True)
    usages = []
    for size in sizes:
        usage, bare = measure(folder, size)
        usages.append((usage, bare))
        print(
            f"{curve.units(size):8} {curve.unit}s: {usage.wall_s:7.1f} s, CPU {usage.cpu_s:7.1f} s,"
            f" peak {usage.peak_mb:.0f} MB, {usage.peak_mb - bare:+.0f} MB beside bare inference",
            flush=True,
        )
    units, times = [curve.units(size) for size in sizes], [usage.cpu_s for usage, _ in usages]
    slope, start = straight_line(units, times)
    off = [
        seconds / (start + slope * count) - 1 for count, seconds in zip(units, times, strict=True)
    ]
    worst = max(off, key=abs)
    print(
        f"CPU: {start:.1f} s + {1000 * slope:.4g} ms for each {curve.unit};"
        f" at most {100 * worst:+.0f} % off the line (from the first: {_percents(off)})"
    )


def _percents(shares: Sequence[float]) -> str:
    return ", ".join(f"{100 * share:+.0f} %" for share in shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=f"of {', '.join(CURVES)}")
    parser.add_argument("--quick", action="store_true", help="up to 200 images, 100 models, 128 px")
    args = parser.parse_args()
    if unknown := set(args.curves) - set(CURVES):
        parser.error(f"no such curve: {', '.join(sorted(unknown))}")
    print(f"{cpu_model()}, {usable_cores()} cores")
    with tempfile.TemporaryDirectory() as temp:
        folder = Folder(Path(temp))
        measure(folder, Size())  # compiles the modules
        for name in args.curves or CURVES:
            draw(name, CURVES[name], folder, quick=args.quick)


if __name__ == "__main__":
    main()
