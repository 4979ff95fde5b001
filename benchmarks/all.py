"""Run every benchmark of this folder, one after the other, and say how long each took.

Run: python benchmarks/all.py [--quick] [NAME ...]

``--quick`` takes minutes in place of hours and only shows that all of them work: its numbers mean
little. NAME is a script, such as ``scaling``. A benchmark whose peer is not installed says so and
goes on without; ``pip install 'sr-bench[peers]' nncf`` installs them. A script that is new is found
by itself; it should know ``--quick``.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Command:
    """One call of a script: what follows its name, in full and where it has to be quick."""

    full: str = ""
    quick: str = "--quick"


COMMANDS: dict[str, Sequence[Command]] = {
    "cluster": [Command(quick="--images 4 --rounds 1 --tasks 50")],
    "damages": [Command("--more", "--seconds 0.1")],
    "fidelity": [
        Command("--peers minmax nncf", "--models pocket_edsr_x2 --modes int8_max --rounds 1")
    ],
    "kills": [Command(quick="--kills 5")],
    "lint": [Command(quick="--documents 10 --repeats 1")],
    "matrix": [Command("--peers")],
    "own_networks": [Command(quick="--images 1 --rounds 1")],
    "parallel": [Command(quick="--images 4 --rounds 1")],
    "plan": [
        Command("pocket_edsr_x2 --min-fidelity 52", "pocket_edsr_x2 --min-fidelity 45 --seconds 10")
    ],
    "quantisation": [Command(part, f"{part} --rounds 1") for part in ("time", "memory", "int8")],
    "report": [Command("--peers", "--peers --quick"), Command(quick="--peers --quick")],
    "runtimes": [Command(quick="--models pocket_edsr_x2 --images 1 --rounds 1")],
    "scale": [Command("--check", "--check")],
    "threads": [Command(quick="--images 2 --rounds 1")],
}
"""Calls of the scripts that are not simply called, or don't know --quick."""

LEFT_OUT = {
    "calibration_images": "measures nothing: it draws images of datasets/photos",
    "emulation": "needs the authors' weights of LESRCNN: emulation.py speed --data DIR",
    "gpu": "needs a CUDA GPU",
}
"""Why a script only runs when it is named, or by hand."""


def scripts() -> list[str]:
    """Return the names of this folder's scripts but this one."""
    return sorted(
        path.stem
        for path in FOLDER.glob("*.py")
        if path != Path(__file__).resolve() and 'if __name__ == "__main__"' in path.read_text()
    )


def run(name: str, *, quick: bool) -> str:
    """Run a benchmark, its output going where ours goes; return what to say of it in the end."""
    start, status = time.perf_counter(), 0
    for command in COMMANDS.get(name, [Command()]):
        options = command.quick if quick else command.full
        print(f"\n=== {name}.py {options}".rstrip(), flush=True)
        result = subprocess.run(
            [sys.executable, FOLDER / f"{name}.py", *options.split()], check=False
        )
        status = status or result.returncode
    took = f"{name}.py: {time.perf_counter() - start:.0f} s"
    return f"{took}, FAILED: it ended in {status}" if status else took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="scripts (default: all)")
    parser.add_argument("--quick", action="store_true", help="small runs, of minutes")
    args = parser.parse_args()
    known = scripts()
    if unknown := set(args.names) - set(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    chosen = args.names or [name for name in known if name not in LEFT_OUT]
    outcomes = [run(name, quick=args.quick) for name in chosen]
    if not args.names:
        outcomes += [f"{name}.py: left out, {why}" for name, why in LEFT_OUT.items()]
    print("", *outcomes, sep="\n")
    return int(any("FAILED" in line for line in outcomes))


if __name__ == "__main__":
    sys.exit(main())
