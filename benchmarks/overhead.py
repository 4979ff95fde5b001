"""What the harness costs beside plain pytest: 1000 claims whose numbers are known from before.

Run: python benchmarks/overhead.py [--models 250] [--rounds 5] [--quick]

A synthetic zoo of `models` models has four claims each. One session measures them and writes what
it measured into the table, so that all pass from then on, from the cache. Then these sessions take
turns, each a process of its own:

start    plain pytest, without the plugin, of one test
idle     the same with the plugin, which has no card to collect
plain    plain pytest of as many tests as there are claims, a parametrised ``assert``
collect  the zoo, with --collect-only
few      the zoo's first model alone: what a session takes before the first item
claims   the whole zoo, records and Markdown pages included

Printed are seconds of wall and CPU time, milliseconds for each item beyond ``start``, and the
ratios. Other work on the machine disturbs CPU time less.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common import print_ratios
from sessions import PLAIN, Folder, Usage, in_turns
from synthetic import Size, make_zoo

from sr_bench.core.record import Status
from sr_bench.history.store import read_run
from sr_bench.system.cpu import cpu_model, usable_cores

CLAIMS_OF_ONE = 4
TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_number(number):
    assert number >= 0
"""


def prepare(folder: Folder, models: int) -> tuple[object, ...]:
    """Make the zoo and the plain tests; return the options of a session on the zoo."""
    zoo = make_zoo(folder.root / "zoo", Size(models=models))
    (folder.root / "test_one.py").write_text(TESTS.format(count=1))
    (folder.root / "test_many.py").write_text(TESTS.format(count=CLAIMS_OF_ONE * models))
    options = (zoo.suite, f"--sr-data={zoo.data}")
    updating = ("--sr-update=all", "--sr-reason=benchmark", "--tb=no")
    usage = folder.session(*options, *updating, status=1)  # the claims differ, still
    print(f"the first session, which measures and writes the table: {usage.cpu_s:.1f} s of CPU")
    folder.session(*options)
    return options


def check(folder: Folder, claims: int) -> None:
    """Check that the last session judged all claims from the cache; print the time it reports."""
    records = read_run(folder.reports / "latest.json").records
    matching = sum(record.verdict.status is Status.MATCH for record in records)
    cached = sum(record.cached for record in records)
    if (len(records), matching, cached) != (claims, claims, claims // 2):
        sys.exit(f"{len(records)} of {claims} claims, {matching} match, {cached} images cached")
    rest_ms = 1000 * sum(record.seconds for record in records) / claims
    print(f"of which {rest_ms:.2f} ms of wall time are reading results, hashing files and judging")


def print_items(turns: Sequence[dict[str, Usage]], claims: int) -> None:
    """Print what each way takes, by itself and for each item, and the ratios."""
    for way in turns[0]:
        wall, cpu = (statistics.median(times(turns, way, kind)) for kind in ("wall_s", "cpu_s"))
        print(f"{way:8} {wall:6.2f} s, CPU {cpu:6.2f} s")
    for kind in ("wall_s", "cpu_s"):
        start, idle, plain, collect, few, whole = (
            times(turns, way, kind)
            for way in ("start", "idle", "plain", "collect", "few", "claims")
        )
        idle_s = statistics.median(a - b for a, b in zip(idle, start, strict=True))
        print(f"{kind}: a session without a card takes {1000 * idle_s:.0f} ms more with the plugin")
        seconds = statistics.median(a - b for a, b in zip(collect, start, strict=True))
        print(f"{kind}: collecting {claims} claims takes {seconds:.2f} s more than starting pytest")
        each = [1000 * (a - b) / claims for a, b in zip(whole, start, strict=True)]
        steady = [
            1000 * (a - b) / (claims - CLAIMS_OF_ONE) for a, b in zip(whole, few, strict=True)
        ]
        theirs = [1000 * (a - b) / claims for a, b in zip(plain, start, strict=True)]
        print(
            f"{kind}: {statistics.median(each):.2f} ms for each claim, imports and all;"
            f" {statistics.median(steady):.2f} ms for each further one;"
            f" {statistics.median(theirs):.2f} ms for each plain test"
        )
        print_ratios(f"{kind}: claims / plain", [a / b for a, b in zip(whole, plain, strict=True)])


def times(turns: Sequence[dict[str, Usage]], way: str, kind: str) -> list[float]:
    return [getattr(turn[way], kind) for turn in turns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=int, default=250, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="50 models, one round")
    args = parser.parse_args()
    models, rounds = (50, 1) if args.quick else (args.models, args.rounds)
    claims = CLAIMS_OF_ONE * models
    print(f"{cpu_model()}, {usable_cores()} cores, {claims} claims, {rounds} rounds")
    with tempfile.TemporaryDirectory() as temp:
        folder = Folder(Path(temp))
        zoo = prepare(folder, models)
        ways: dict[str, Sequence[object]] = {
            "start": (*PLAIN, "test_one.py"),
            "idle": ("test_one.py",),
            "plain": (*PLAIN, "test_many.py"),
            "collect": (*zoo, "--collect-only"),
            "few": (*zoo, "--sr-models=m0000_x2"),
            "claims": zoo,
        }
        turns = in_turns(folder, ways, rounds)
        print_items(turns, claims)
        folder.session(*zoo)
        check(folder, claims)


if __name__ == "__main__":
    main()
