"""What a session with reports costs after a year or three of nights: 1000 runs beside 1.

Run: python benchmarks/history.py [--runs 1000] [--rounds 5] [--quick]

A synthetic zoo is measured once; its run is then repeated under other names and days, as a nightly
job leaves it, with values that move a little. Sessions on the results of before, which write the
Markdown and the HTML report, take turns with a history of one run and one of ``runs``, each a
process of its own; so do those that also compare with the last values (``--sr-compare=last``).
Printed are seconds and the ratios, for a tiny zoo of one model and one of 20.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from common import print_ratios
from overhead import CLAIMS_OF_ONE, prepare
from sessions import Folder, Usage

from sr_bench.core.history import HistoryEntry, Point
from sr_bench.core.trend import started
from sr_bench.history.index import read_history
from sr_bench.history.store import HISTORY, INDEX, index_line
from sr_bench.system.cpu import cpu_model, usable_cores

REPORTS = "--sr-report=markdown,html"
SIZES = (1, 20)
_STEPS = 7  # values that the noise of a metric takes


def nights(entry: HistoryEntry) -> Iterator[HistoryEntry]:
    """Yield `entry` as the nights before it would have left it, the newest first."""
    start, name = started(entry.info), entry.info.run
    assert start is not None
    night = 0
    while True:
        night += 1
        when = start - timedelta(days=night)
        run = f"{when:%Y%m%dT%H%M%S}{name[15:]}"
        info = replace(entry.info, run=run, started=when.isoformat(timespec="seconds"))
        moved = 1e-4 * (night % _STEPS)
        yield HistoryEntry(info, tuple(_moved(point, moved) for point in entry.points))


def _moved(point: Point, by: float) -> Point:
    return replace(point, value=point.value - by) if point.dataset and point.value else point


def write_history(results: Path, count: int) -> None:
    """Put the `count` - 1 nights before the one run of `results` into its history."""
    folder = results / HISTORY
    (entry,) = read_history(results).entries
    content = (folder / f"{entry.info.run}.jsonl").read_text(encoding="utf-8")
    past = list(islice(nights(entry), count - 1))[::-1]
    for night in past:
        text = content.replace(entry.info.run, night.info.run, 1)
        text = text.replace(entry.info.started, night.info.started, 1)
        (folder / f"{night.info.run}.jsonl").write_text(text, encoding="utf-8")
    lines = [index_line(each) for each in (*past, entry)]
    (folder / INDEX).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


class Kept:
    """A folder of results that each session finds as it was made."""

    def __init__(self, results: Path) -> None:
        self.results, self._index = results, results / HISTORY / INDEX
        self._content = self._index.read_bytes()
        self._files = set((results / HISTORY).iterdir())

    @property
    def size(self) -> int:
        """Bytes of the index."""
        return len(self._content)

    def session(self, folder: Folder, *options: object) -> Usage:
        """Run a session, and take out of the history what it has added."""
        usage = folder.session(*options, f"--sr-results-path={self.results}")
        for path in set((self.results / HISTORY).iterdir()) - self._files:
            path.unlink()
        self._index.write_bytes(self._content)
        return usage


def measure(root: Path, models: int, runs: int, rounds: int) -> None:
    """Print what sessions of a zoo of `models` cost with a history of one run and of `runs`."""
    folder = Folder(root)
    zoo = prepare(folder, models)
    folder.session(*zoo)
    counts = {"1 run": 1, f"{runs} runs": runs}
    kept = {}
    for name, count in counts.items():
        results = root / f"results-{count}"
        shutil.copytree(folder.reports, results)
        write_history(results, count)
        kept[name] = Kept(results)
    short, long = kept
    size = kept[long].size / 1e6
    print(
        f"{models} models, {CLAIMS_OF_ONE * models} claims, an index of {size:.1f} MB", flush=True
    )
    for what, options in {"report": (), "report and comparison": ("--sr-compare=last",)}.items():
        turns = []
        for turn in range(rounds + 1):
            order = list(kept) if turn % 2 else list(kept)[::-1]
            usage = {n: kept[n].session(folder, *zoo, REPORTS, *options) for n in order}
            if turn:  # the first session of a folder makes all pages
                turns.append(usage)
        for kind in ("wall_s", "cpu_s"):
            of = {name: [getattr(usage[name], kind) for usage in turns] for name in kept}
            seconds = [statistics.median(of[name]) for name in (short, long)]
            label = f"{what}, {kind}: {seconds[0]:.2f} and {seconds[1]:.2f} s, {long} / {short}"
            print_ratios(label, [b / a for a, b in zip(of[short], of[long], strict=True)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="100 runs, one model, one round")
    args = parser.parse_args()
    runs, rounds = (100, 1) if args.quick else (args.runs, args.rounds)
    print(f"{cpu_model()}, {usable_cores()} cores, {runs} runs, {rounds} rounds")
    for models in SIZES[: 1 if args.quick else None]:
        with tempfile.TemporaryDirectory() as temporary:
            measure(Path(temporary), models, runs, rounds)


if __name__ == "__main__":
    main()
