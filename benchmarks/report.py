"""Time the HTML report of a large run, and reports of many claims beside pytest-html.

    python benchmarks/report.py [FOLDER]
    python benchmarks/report.py --peers [--models 250] [--rounds 5] [--quick]

The first makes records and images (100 images of 512x512, 14 models, 5 precisions), builds the
report in a process of its own, and prints seconds, the peak of its memory, and bytes; then what a
second build takes, and how fast pages open if Chromium is there.

With ``--peers`` four sessions on the same claims take turns, all from the cache: without a report,
with our Markdown pages, with these and the HTML report, and with pytest-html's page. A report costs
what its session takes beyond the one without.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from common import print_ratios
from overhead import CLAIMS_OF_ONE, prepare
from sessions import Folder, in_turns

from sr_bench.core.claim import Claim, Source
from sr_bench.core.history import Environment, HistoryEntry, PastSession, SessionInfo, point
from sr_bench.core.precision import Precision
from sr_bench.core.record import ImageScore, Kept, Measurement, Record, Status, Verdict
from sr_bench.imaging.files import read_image, write_png
from sr_bench.report.html.build import build_report
from sr_bench.system.cpu import cpu_model, usable_cores

IMAGES, MODELS, SIDE, DAYS = 100, 14, 512, 20
PRECISIONS = ("fp32", "fp16", "int8_max", "int8_percentile", "int8_kl")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
_FIRST_VIEW = (
    "performance.getEntriesByName('first-contentful-paint')[0].startTime,"
    "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
)


def records() -> list[Record]:
    """Return PSNR, SSIM and fidelity of all models in all precisions."""
    return [
        _record(f"model_{model:02d}", precision, metric)
        for model in range(MODELS)
        for precision in PRECISIONS
        for metric in ("psnr", "ssim", "fidelity")
        if (precision, metric) != ("fp32", "fidelity")
    ]


def _record(model: str, precision: str, metric: str) -> Record:
    rank = PRECISIONS.index(precision)
    base = {"psnr": 30.0, "ssim": 0.9, "fidelity": 70.0}[metric] - 0.02 * rank
    scores = tuple(ImageScore(f"image_{i:03d}", base + 0.01 * (i % 17)) for i in range(IMAGES))
    claim = None
    if metric in ("psnr", "ssim"):
        place = Source("README.md", 7, 22)
        row = Precision(precision)
        claim = Claim(metric, f"{base:.3f}", model, "", row, "", "", "", place)
    return Record(
        case_id=f"{model}-{precision}-set_x2-{metric}",
        node_id=f"zoo/card.toml::{model}-{precision}-{metric}",
        family="zoo",
        model=model,
        metric=metric,
        precision=precision,
        dataset="set_x2",
        backend="onnxruntime",
        device="cpu",
        protocol="paper_y",
        fingerprint="f" * 64,
        verdict=Verdict(Status.MATCH, "agrees", base, base if claim else None, 0.001),
        claim=claim,
        measurement=Measurement(metric, "", base, scores, IMAGES),
        kept=Kept(f"outputs/{model}-{precision}", "outputs/pairs"),
    )


def _make_image(results: Path, number: int) -> None:
    """Write one image with its LR and all outputs; textured, so that PNG compresses as photos."""
    random = np.random.default_rng(number)
    small = random.integers(0, 256, (SIDE // 16, SIDE // 16, 3)).astype(np.float32)
    smooth = np.kron(small, np.ones((16, 16, 1), np.float32))
    hr = np.clip(smooth * 0.6 + random.normal(40, 6, smooth.shape), 0, 255).astype(np.uint8)
    pairs = results / "outputs" / "pairs"
    write_png(pairs / f"{number:04d}-hr.png", hr)
    write_png(pairs / f"{number:04d}-lr.png", np.ascontiguousarray(hr[::2, ::2]))
    for model in range(MODELS):
        for rank, precision in enumerate(PRECISIONS):
            shift = np.int16((model + rank) % 5 - 2)
            sr = np.clip(hr.astype(np.int16) + shift, 0, 255).astype(np.uint8)
            top = (37 * number + 11 * model) % (SIDE - 64)
            sr[top : top + 40, top : top + 40] ^= np.uint8(rank + 1)
            folder = results / "outputs" / f"model_{model:02d}-{precision}"
            write_png(folder / f"{number:04d}.png", sr)


def _run(results: Path) -> PastSession:
    environment = Environment({"torch": "2.13"}, "3.11", "Linux", "a CPU", 2, "abc")
    info = SessionInfo("20261121T091430-b65233", "2026-11-21T09:14:30+00:00", environment)
    return PastSession(info, tuple(records()), results / "latest.json", results)


def _build(results: Path) -> None:
    """Build the report and print what it took; runs in a process of its own."""
    run = _run(results)
    points = tuple(map(point, run.records))
    history = [
        HistoryEntry(SessionInfo(f"202611{day:02d}T0", "2026-11-01", run.info.environment), points)
        for day in range(1, DAYS + 1)
    ]
    start = time.perf_counter()
    result = build_report(run, history, results / "html")
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak, busy = usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime
    print(
        f"{seconds:.1f} s ({busy:.1f} s of CPU), {peak:.0f} MiB, {result.size / 1e6:.1f} MB,"
        f" {result.built} pages built, {result.kept} kept, {result.outside} images outside",
        flush=True,
    )


def _open_pages(report: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no chromium: pages were not opened")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        for name in ("index", "model-zoo-model-00", "trend-zoo-model-00"):
            page = browser.new_page()
            page.goto(next(report.glob(f"{name}*.html")).as_uri())
            page.wait_for_timeout(200)
            paint, ready = page.evaluate(f"[{_FIRST_VIEW}]")
            print(f"{name}: first view after {paint:.0f} ms, ready after {ready:.0f} ms")
        browser.close()


def beside_pytest_html(folder: Folder, models: int, rounds: int) -> None:
    """Print what reports of the same session cost, and how large they are."""
    zoo, page = prepare(folder, models), folder.root / "pytest-html.html"
    peer = {"pytest-html": (*zoo, "--sr-report=none", f"--html={page}", "--self-contained-html")}
    if not find_spec("pytest_html"):
        print("pytest-html is not installed: left out (pip install 'sr-bench[peers]')")
        peer = {}
    ways = {
        "none": (*zoo, "--sr-report=none"),
        "Markdown": (*zoo, "--sr-report=markdown"),
        "Markdown and HTML": (*zoo, "--sr-report=markdown,html"),
        **peer,
    }
    turns = in_turns(folder, ways, rounds)
    claims = CLAIMS_OF_ONE * models
    for name in list(ways)[1:]:
        beyond = [(turn[name], turn["none"]) for turn in turns]
        wall = statistics.median(ours.wall_s - none.wall_s for ours, none in beyond)
        cpu = statistics.median(ours.cpu_s - none.cpu_s for ours, none in beyond)
        each = 1000 * cpu / claims
        print(f"{name}: {wall:.2f} s, CPU {cpu:.2f} s, {each:.2f} ms of CPU for each claim")
    if peer:
        ratios = [
            (turn["Markdown and HTML"].cpu_s - turn["none"].cpu_s)
            / (turn["pytest-html"].cpu_s - turn["none"].cpu_s)
            for turn in turns
        ]
        print_ratios("CPU, Markdown and HTML / pytest-html", ratios)
        print(f"pytest-html: one page of {page.stat().st_size / 1e6:.1f} MB")
    folder.session(*ways["Markdown and HTML"])  # each session takes away the reports of the last
    files = [path for path in (folder.reports / "html").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    print(f"ours: {len(files)} files of {size / 1e6:.1f} MB, with charts and trends")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="kept, and used again if it is there")
    parser.add_argument("--build", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--peers", action="store_true", help="beside pytest-html")
    parser.add_argument("--models", type=int, default=250, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="with --peers: 20 models, one round")
    args = parser.parse_args()
    if args.build:
        _build(args.folder)
        return
    print(f"{cpu_model()}, {usable_cores()} cores")
    if args.peers:
        models, rounds = (20, 1) if args.quick else (args.models, args.rounds)
        with tempfile.TemporaryDirectory() as temporary:
            beside_pytest_html(Folder(Path(temporary)), models, rounds)
        return
    with tempfile.TemporaryDirectory() as temporary:
        results = args.folder or Path(temporary)
        last = results / "outputs" / "pairs" / f"{IMAGES - 1:04d}-hr.png"
        if not last.exists():
            with ProcessPoolExecutor() as pool:
                list(pool.map(_make_image, [results] * IMAGES, range(IMAGES)))
        read_image(last)
        for build_name in ("first build", "second build"):
            print(build_name, end=": ", flush=True)
            command = [sys.executable, __file__, str(results), "--build"]
            subprocess.run(command, check=True)
        _open_pages(results / "html")


if __name__ == "__main__":
    main()
