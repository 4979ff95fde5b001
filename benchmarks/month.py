"""A month of nightly sessions over a tiny zoo, with four events planted, each on its own night.

Run: python benchmarks/month.py [--quick] [--keep FOLDER]

Each night is what docs/how-to/nightly.md tells to run, in a process of its own: pytest with its
reports and its history, then commands that read them. Planted are weights that got worse, an update
of a package that moves numbers, a number that somebody edits, and a known gap that closes; on the
next day each is mended. Between them happens what must alarm nobody. The calendar is printed: what
was done on a day, the exit code of the night after it, and the title of its issue. The script ends
with 1 if an event was not found on its night with its cause, or anything on another night.

``--quick`` has the four events and their mending in 8 nights. ``--keep`` leaves the zoo, with all
reports, in a new folder.
"""

import argparse
import gc
import html
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from month_days import MONTH, SHORT, Day
from month_zoo import GAP, Zoo, make_zoo

EVE = datetime(2026, 10, 31, 2, 0, tzinfo=UTC)
"""Start of the night before the first."""

NIGHT = ("pytest", "trio", "--backend=acme", "--sr-compare=last")
READERS = {
    "history": ("sr-bench", "history", "--limit=1"),
    "compare": ("sr-bench", "compare", "previous", "last"),
    "check": ("sr-bench", "check", "trio/README.md"),
    "lint": ("sr-bench", "lint", "trio"),
}
BAD_NEWS = re.compile(
    r"-> (differs|better|gap_closed|error)|\d (loss|undecided|vanished)|[1-9] stale"
)
"""Of the commands, after a night in which there is none."""


@dataclass(frozen=True)
class Said:
    """What the tool said in a night."""

    exit_code: int
    issue: str
    """Content of ``issue.md``; empty if there is none."""
    readers: Mapping[str, tuple[int, str]]
    """Exit code and output of the commands after the session, by name; and of no command what the
    report's page of all families says."""
    trends: str
    """Text of the trend pages of the HTML report; empty without one."""

    @property
    def title(self) -> str:
        """Of the issue; empty without."""
        return self.issue.partition("\n")[0].removeprefix("# sr-bench: ")


def pytest_main(args: Sequence[str]) -> int:
    import pytest

    # What is imported before a session is not rewritten, and pytest warns of it.
    warned = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    return int(pytest.main([*args, *warned, "-p", "no:cacheprovider", "--color=no"]))


def sr_bench_main(args: Sequence[str]) -> int:
    from sr_bench.cli import main

    return main(list(args))


def typed(zoo: Zoo, when: datetime, words: Sequence[str]) -> tuple[int, str]:
    """Return exit code and output of a command that is begun at the time `when`.

    It runs in a process of its own, so that it finds nothing in memory; forked, as nothing need be
    imported twice.
    """
    log = zoo.root / "log"
    call = {"pytest": pytest_main, "sr-bench": sr_bench_main}[words[0]]
    process = get_context("fork").Process(target=_child, args=(zoo, when, call, words[1:], log))
    process.start()
    process.join()
    return process.exitcode or 0, log.read_text("utf-8", "replace")


def _child(
    zoo: Zoo,
    when: datetime,
    call: Callable[[Sequence[str]], int],
    args: Sequence[str],
    log: Path,
) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.chdir(zoo.repository)
    os.environ["SR_BENCH_CACHE"] = str(zoo.root / "cache")
    sys.path.insert(0, str(zoo.site))
    _set_clock(when)
    code = call(args)
    (zoo.root / "modules").write_text("\n".join(sys.modules))
    for text in (sys.stdout, sys.stderr):
        text.flush()
    os._exit(code)


def _set_clock(when: datetime) -> None:
    """Let this process think that it is `when`: runs and ledgers say the time they were made."""
    from sr_bench.plugin import session
    from sr_bench.update import ledger_lines

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return when.astimezone(tz)

    session.datetime = ledger_lines.datetime = Clock


def _import_for_all(zoo: Zoo) -> None:
    """Import what the last command did; none of it is called, as what is called may remember."""
    for name in (zoo.root / "modules").read_text().splitlines():
        if not name.startswith(("acme", "__")):
            with suppress(Exception):  # a module that a library made, or hides
                importlib.import_module(name)
    gc.freeze()  # or each process would get a copy of all objects


def set_up(root: Path) -> Zoo:
    """Make the zoo, let the tool fill its document, and let gamma's weights be older ones."""
    for name in ("sr_bench.engine.bench", "sr_bench.plugin.hooks", "pytest"):
        importlib.import_module(name)
    zoo = make_zoo(root)
    zoo.git("init", "--quiet", when=EVE)
    zoo.commit("three networks", "Ann", EVE)
    fill = ("--sr-update=missing", "--sr-reason=first numbers")
    _expect(zoo, EVE - timedelta(days=2), ("pytest", "trio", "--backend=acme", *fill))
    _import_for_all(zoo)
    zoo.train("gamma", 0.06)
    gaps = "".join(GAP.format(metric=metric) for metric in ("psnr", "ssim"))
    zoo.card.write_text(zoo.card.read_text("utf-8") + gaps, "utf-8")
    zoo.commit("first numbers", "Ann", EVE - timedelta(days=1))
    _expect(zoo, EVE, ("pytest", "trio", "--backend=acme"))
    _expect(zoo, EVE, READERS["check"])
    _import_for_all(zoo)
    return zoo


def _expect(zoo: Zoo, when: datetime, words: Sequence[str]) -> None:
    code, output = typed(zoo, when, words)
    if code:
        sys.exit(f"{' '.join(words)}: ended in {code}\n{output[-3000:]}")


def live(zoo: Zoo, day: Day, night: datetime) -> None:
    """Do what is done on the day before `night`."""
    noon = night - timedelta(hours=14)
    for words in day.do(zoo, noon):
        _expect(zoo, noon, words)
        zoo.commit("as typed", "Ann", noon)


def sleep(zoo: Zoo, night: datetime, reports: str, *, read: bool) -> Said:
    """Run the session of `night`, and with `read` the commands that read its results."""
    code, output = typed(zoo, night, (*NIGHT, f"--sr-report={reports}"))
    if code not in (0, 1):
        sys.exit(f"the session ended in {code}\n{output[-3000:]}")
    folder = zoo.repository / "reports"
    path = folder / "issue.md"
    issue = path.read_text("utf-8") if path.is_file() else ""
    asked = READERS if read or issue else {}
    readers = {name: typed(zoo, night, words) for name, words in asked.items()}
    if place := re.search(r"Edited: `(\S+)`", issue):
        readers["blame"] = typed(zoo, night, ("sr-bench", "blame", place[1]))
    readers["report"] = (0, (folder / "README.md").read_text("utf-8"))
    pages = (page.read_text("utf-8") for page in sorted(folder.glob("html/trend-*.html")))
    text = re.sub(r"<[^>]*>", " ", " ".join(pages))
    return Said(code, issue, readers, html.unescape(text))


def faults(said: Said, day: Day | None, night: datetime) -> Iterator[str]:
    """Yield what is missing from `said`, or what alarms without a reason."""
    if day is None or not day.issue:
        if said.exit_code or said.issue:
            yield f"a false alarm: exit code {said.exit_code}, {said.title!r}"
        yield from (
            f"a false alarm of sr-bench {name}:\n{output}"
            for name, (code, output) in said.readers.items()
            if code or BAD_NEWS.search(output)
        )
        return
    if said.exit_code != 1:
        yield f"exit code {said.exit_code}, expected 1"
    yesterday = night - timedelta(days=1)
    runs = [f"First (bad )?run: `{night:%Y%m%d}T", f"(Before|good) run: `{yesterday:%Y%m%d}T"]
    told = {name: output for name, (_, output) in said.readers.items()}
    wanted = [*(("issue.md", pattern) for pattern in (*day.issue, *runs)), *day.told.items()]
    for where, pattern in wanted:
        text = said.issue if where == "issue.md" else told.get(where, "")
        if not re.search(pattern, text):
            yield f"{where} does not say {pattern!r}:\n{text}"
    # From a run's name to the next, both of which have a T in them.
    if said.trends and not re.search(rf"{night:%Y%m%d}T[^T]*{day.cause}", said.trends):
        yield f"no trend page names {day.cause!r}"


def month(zoo: Zoo, days: Mapping[int, Day], nights: int, *, quick: bool) -> int:
    """Live `nights` days and print their calendar; return how many faults were found."""
    found, issues = [], 0
    reports = "markdown" if quick else "markdown,html,csv"
    for number in range(1, nights + 1):
        night, day = EVE + timedelta(days=number), days.get(number)
        if day:
            live(zoo, day, night)
        said = sleep(zoo, night, reports, read=not quick)
        what = day.what if day else ""
        print(f"{number:5d}  {what:37}  {said.exit_code:9d}  {said.title}".rstrip(), flush=True)
        found += [f"night {number}: {fault}" for fault in faults(said, day, night)]
        issues += bool(said.issue)
    print(*found, sep="\n", end="\n" * bool(found))
    print(f"{issues} issues in {nights} nights; {len(found)} faults")
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="8 nights in place of 30, fewer reports"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to leave the zoo")
    args = parser.parse_args()
    days, nights = (SHORT, 8) if args.quick else (MONTH, 30)
    with tempfile.TemporaryDirectory() as temp:
        zoo = set_up(args.keep.resolve() if args.keep else Path(temp))
        print(f"night  {'what was done on the day before':37}  exit code  issue.md")
        return int(month(zoo, days, nights, quick=args.quick) > 0)


if __name__ == "__main__":
    sys.exit(main())
