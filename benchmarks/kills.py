"""Kill sessions at random moments, and see that the next ones go on as if nothing had happened.

Run: python benchmarks/kills.py [--kills 200] [--images 40] [--seed 0]

Each session runs pytest on the same zoo and is killed with SIGKILL at a random moment between the
first result and the end of an undisturbed one; the next one takes over what it left. Kills count
that cut a run in progress. Once a session ends by itself, its records are compared with those of a
session that nobody disturbed, and a new chain begins with an empty cache. After each kill the kept
results are checked: none that was there is lost, none is there twice, and each is the undisturbed
one's.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from synthetic import Size, Zoo, make_zoo

from sr_bench.core.codec import encode
from sr_bench.history.store import read_run

AMID = "kills of a run in progress"


class Sessions:
    """Sessions on one zoo, each chain of them with a cache of its own.

    Args:
        zoo: What they measure.
        work: Where caches and reports go.
    """

    def __init__(self, zoo: Zoo, work: Path) -> None:
        self.zoo = zoo
        self.work = work

    def start(self, chain: str) -> subprocess.Popen[bytes]:
        """Start a session of `chain`."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]
        command += [str(self.zoo.root), str(self.zoo.suite), "-c", os.devnull]
        command += [f"--sr-data={self.zoo.data}", f"--sr-results-path={self.work / chain}"]
        environment = os.environ | {"SR_BENCH_CACHE": str(self.work / f"{chain}-cache")}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            command, stdout=quiet, stderr=quiet, env=environment, start_new_session=True
        )

    def kept(self, chain: str) -> Counter[str]:
        """Return the whole lines of the results that are kept, and how often each is there."""
        folder = self.work / f"{chain}-cache" / "results"
        lines: Counter[str] = Counter()
        for path in folder.glob("??/*.jsonl"):
            whole = path.read_text(errors="replace").split("\n")[:-1]
            lines.update(f"{path.name} {line}" for line in whole if '"image"' in line)
        return lines

    def records(self, chain: str) -> list[object]:
        """Return the records of the last session of `chain` that ended, without its times."""
        records = []
        for record in read_run(self.work / chain / "latest.json").records:
            plain = encode(record)
            assert isinstance(plain, dict)
            records.append({**plain, "seconds": 0, "cached": 0})
        return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as temp:
        size = Size(models=2, images=args.images, lr_px=128, channels=32, layers=4)
        sessions = Sessions(make_zoo(Path(temp) / "zoo", size), Path(temp))
        start = time.monotonic()
        undisturbed = sessions.start("undisturbed")
        while not sessions.kept("undisturbed"):
            time.sleep(0.01)
        span = [time.monotonic() - start, 0.0]
        undisturbed.wait()
        span[1] = time.monotonic() - start
        whole, lines = sessions.records("undisturbed"), sessions.kept("undisturbed")
        print(
            f"undisturbed: {len(lines)} results of images, from {span[0]:.1f} to {span[1]:.1f} s",
            flush=True,
        )
        tally: Counter[str] = Counter()
        chain = 0
        while tally[AMID] < args.kills:
            chain += 1
            run_chain(sessions, f"chain{chain}", span, rng, whole, lines, tally, args.kills)
        print(", ".join(f"{count} {outcome}" for outcome, count in tally.items()))
        wrong = tally["lost"] + tally["doubled"] + tally["wrong"] + tally["other records"]
        sys.exit(1 if wrong else 0)


def run_chain(
    sessions: Sessions,
    chain: str,
    span: list[float],
    rng: random.Random,
    whole: list[object],
    lines: Counter[str],
    tally: Counter[str],
    kills: int,
) -> None:
    """Kill sessions until one has ended, and compare its results."""
    before: Counter[str] = Counter()
    while True:
        session = sessions.start(chain)
        try:
            session.wait(rng.uniform(*span) if tally[AMID] < kills else None)
            break
        except subprocess.TimeoutExpired:
            os.killpg(session.pid, signal.SIGKILL)
            session.wait()
        tally["kills"] += 1
        now = sessions.kept(chain)
        tally[AMID] += now.keys() != before.keys() and now.keys() != lines.keys()
        tally["lost"] += len(before.keys() - now.keys())
        tally["doubled"] += sum(count - 1 for count in now.values())
        tally["wrong"] += len(now.keys() - lines.keys())
        before = now
    tally["resumes to the end"] += 1
    kept = sessions.kept(chain)
    tally["lost"] += len(lines.keys() - kept.keys())
    tally["doubled"] += sum(count - 1 for count in kept.values())
    tally["other records"] += sessions.records(chain) != whole
    print(f"{chain}: {dict(tally)}", flush=True)


if __name__ == "__main__":
    main()
