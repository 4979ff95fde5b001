"""Measure whole sessions with one worker, with two, and on a cluster of two.

Six networks of 18 convolutions with random weights, each session with an empty cache of its own:
one image at a time, two images at a time in one process, two workers with one image each, and the
two of a Dask cluster of this machine. They take turns; the records of all must be the same but for
the times.
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

from common import print_ratios
from synthetic import Size, Zoo, make_zoo

from sr_bench.system.cpu import cpu_model, usable_cores

MODELS = 6
CORES = 2


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
    Way("a cluster of two workers", (f"--sr-cluster=local:{CORES}",)),
)


def run_session(zoo: Zoo, way: Way) -> tuple[float, list[dict[str, object]]]:
    """Return the wall time of the session in seconds, and its records without their times."""
    with tempfile.TemporaryDirectory(dir=zoo.root) as temp:
        args = [str(zoo.suite), f"--sr-data={zoo.data}", f"--sr-results-path={temp}/reports"]
        fixed = ["--sr-report=none", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *args, *fixed, *way.options]
        start = time.perf_counter()
        result = subprocess.run(
            command,
            cwd=zoo.root,
            env=os.environ | {"SR_BENCH_CACHE": f"{temp}/cache"},
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - start
        latest = Path(temp) / "reports" / "latest.json"
        if not latest.is_file():
            sys.exit(f"{way.name}: the session wrote no records\n{result.stdout}{result.stderr}")
        records = json.loads(latest.read_text())["records"]
    return wall, [record | {"seconds": 0.0} for record in records]


def compare(zoo: Zoo, rounds: int) -> None:
    """Run every way once a round, and print each one's times as parts of the serial ones."""
    walls: dict[str, list[float]] = {way.name: [] for way in WAYS}
    expected: list[dict[str, object]] = []
    for turn in range(rounds):
        for way in WAYS if turn % 2 == 0 else WAYS[::-1]:
            wall, records = run_session(zoo, way)
            walls[way.name].append(wall)
            expected = expected or records
            if not records or records != expected:
                sys.exit(f"{way.name}: {len(records)} records differ from the first session's")
            print(f"round {turn + 1}, {way.name}: {wall:.1f} s", flush=True)
    serial = walls[SERIAL.name]
    for name, seconds in walls.items():
        print_ratios(
            f"{name}: faster than {SERIAL.name}",
            [alone_s / other for alone_s, other in zip(serial, seconds, strict=True)],
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
        size = Size(MODELS, args.images, args.size, channels=48, layers=16)
        compare(make_zoo(Path(temp) / "zoo", size), args.rounds)


if __name__ == "__main__":
    main()
