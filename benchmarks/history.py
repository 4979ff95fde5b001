"""What a nightly session costs after a year or three of nights: 1000 runs beside 1.

Run: python benchmarks/history.py [--runs 1000] [--rounds 5] [--quick]

A synthetic zoo is measured once; its run is then repeated under other names and days, as a nightly
job leaves it. Sessions on the results of before, which write the Markdown and the HTML report and
compare with the last values, take turns with a history of one run and one of ``runs``, each a
process of its own. Printed are seconds and the ratios, for a zoo of one model and one of 20; once
where values move every 30th night, as networks and packages do, and once where all values move
every night, as times do.
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
from overhead import prepare
from sessions import Folder, Usage

from sr_bench.core.history import HistoryEntry, Point
from sr_bench.core.trend import started
from sr_bench.history.index import read_history
from sr_bench.history.store import HISTORY, INDEX, index_line
from sr_bench.system.cpu import cpu_model, usable_cores
from sr_bench.text.printable import counted

NIGHTLY = ("--sr-report=markdown,html", "--sr-compare=last")
SIZES = (1, 20)
EVERY = {"values move every 30th night": 30, "values move every night": 1}


def nights(entry: HistoryEntry, every: int) -> Iterator[HistoryEntry]:
    """Yield `entry` as the nights before it would have left it, the newest first.

    Its values move once in `every` nights.
    """
    start, name = started(entry.info), entry.info.run
    assert start is not None
    night = 0
    while True:
        night += 1
        when = start - timedelta(days=night)
        run = f"{when:%Y%m%dT%H%M%S}{name[15:]}"
        info = replace(entry.info, run=run, started=when.isoformat(timespec="seconds"))
        moved = 1e-5 * (night // every)
        yield HistoryEntry(info, tuple(_moved(point, moved) for point in entry.points))


def _moved(point: Point, by: float) -> Point:
    return replace(point, value=point.value - by) if point.dataset and point.value else point


def write_history(results: Path, count: int, every: int) -> None:
    """Put the `count` - 1 nights before the one run of `results` into its history."""
    folder = results / HISTORY
    (entry,) = read_history(results).entries
    content = (folder / f"{entry.info.run}.jsonl").read_text(encoding="utf-8")
    past = list(islice(nights(entry, every), count - 1))[::-1]
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
    first = folder.reports.rename(root / "first")  # a session deletes the reports of the last
    for what, every in EVERY.items():
        kept = {}
        for count in (1, runs):
            results = root / f"results-{count}-{every}"
            shutil.copytree(first, results)
            write_history(results, count, every)
            kept[count] = Kept(results)
        size = f"{counted(models, 'model')}, an index of {kept[runs].size / 1e6:.1f} MB, {what}"
        turns = []
        for turn in range(rounds + 1):
            order = (1, runs) if turn % 2 else (runs, 1)
            usage = {count: kept[count].session(folder, *zoo, *NIGHTLY) for count in order}
            if turn:  # the first session of a folder makes all pages
                turns.append(usage)
        for kind in ("wall_s", "cpu_s"):
            short, long = ([getattr(usage[count], kind) for usage in turns] for count in (1, runs))
            seconds = f"{statistics.median(short):.2f} and {statistics.median(long):.2f} s"
            ratios = [b / a for a, b in zip(short, long, strict=True)]
            print_ratios(f"{size}, {kind}: {seconds}, {runs} runs / 1 run", ratios)


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
