"""What three int8 modes of a deep network cost in one session, as a multiple of a session in fp32.

Run: python benchmarks/int8_modes.py [--rounds 3] [--quick]

RealSR DF2K on the 12 crops of `photos`, from an empty cache each time: export, calibration, the
second moments, rounding, writing, opening and inference. Its weights are in the extra
``sr-bench[weights]``; ``--quick`` takes a pocket network.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common import print_ratios
from sessions import Folder

from sr_bench.system.cpu import cpu_model, usable_cores

SUITES = Path(__file__).resolve().parent.parent / "suites"
MODES = "int8_max,int8_percentile,int8_kl"


def measure(folder: Folder, what: Sequence[object], rounds: int) -> None:
    """Print the time of the sessions of each round, and the ratios."""
    folder.session(*what, "--sr-precision=fp32", "--sr-limit=1", cache="compiling")
    walls, cpus = [], []
    for turn in range(rounds):
        full = folder.session(*what, "--sr-precision=fp32", cache=f"full{turn}")
        low = folder.session(*what, f"--sr-precision={MODES}", cache=f"low{turn}")
        for name, used in (("fp32", full), (MODES, low)):
            seconds = f"{used.wall_s:.1f} s, CPU {used.cpu_s:.1f} s"
            print(f"{name}: {seconds}, {used.peak_mb:.0f} MB", flush=True)
        walls.append(low.wall_s / full.wall_s)
        cpus.append(low.cpu_s / full.cpu_s)
    print_ratios("three modes / fp32, wall", walls)
    print_ratios("three modes / fp32, CPU", cpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a pocket network, one round")
    args = parser.parse_args()
    suite, model = ("pocket", "pocket_edsr_x2") if args.quick else ("realsr", "realsr_df2k")
    what = (SUITES / suite, "--sr-datasets=photos", f"--sr-models={model}", "--sr-gate=off")
    print(f"{cpu_model()}, {usable_cores()} cores")
    with tempfile.TemporaryDirectory() as temp:
        measure(Folder(Path(temp)), what, 1 if args.quick else args.rounds)


if __name__ == "__main__":
    main()
