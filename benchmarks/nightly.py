"""The pocket suite by the emulated card, and the same again with nothing changed.

Run: python benchmarks/nightly.py [--rounds 3]

Each session is pytest as a whole, with the reports that it writes by itself; the first of a round
starts with an empty cache.
"""

import argparse
import tempfile
from pathlib import Path

from common import print_ratios
from sessions import Folder

from sr_bench.system.cpu import cpu_model, usable_cores

SUITE = Path(__file__).resolve().parent.parent / "suites" / "pocket"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round")
    args = parser.parse_args()
    rounds = 1 if args.quick else args.rounds
    print(f"{cpu_model()}, {usable_cores()} cores, {rounds} rounds")
    with tempfile.TemporaryDirectory() as temp:
        folder, ratios = Folder(Path(temp)), []
        for turn in range(rounds):
            first, again = (
                folder.session(SUITE, "--backend=vacc", cache=f"cache_{turn}") for _ in range(2)
            )
            print(f"first {first.wall_s:.1f} s, again {again.wall_s:.1f} s", flush=True)
            ratios.append(first.wall_s / again.wall_s)
        print_ratios("again, times faster", ratios)


if __name__ == "__main__":
    main()
