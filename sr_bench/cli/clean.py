"""``sr-bench clean``: remove old runs, kept images and cached files, by age, number or size."""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.cli._args.results import add_results_argument
from sr_bench.errors import OptionError, SrBenchError
from sr_bench.text.printable import printable, sized

if TYPE_CHECKING:
    from sr_bench.history.clean import Cleaning, Part

HELP = "remove old runs, kept images and cached files; never the last run or a baseline's"
EXAMPLE = "sr-bench clean --older-than 30d --dry-run"

_AGE = re.compile(r"(\d{1,6})([hdw])")
_ENDS = (min, max)
_SECONDS = {"h": 3600.0, "d": 24 * 3600.0, "w": 7 * 24 * 3600.0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would go; remove nothing")
    parser.add_argument(
        "--older-than", metavar="AGE", help="what was not used for so long: 30d, 12h or 8w"
    )
    parser.add_argument("--keep-runs", type=int, metavar="N", help="files of the newest N runs")
    parser.add_argument(
        "--max-size", metavar="SIZE", help="what all may take, such as 2GB; the oldest goes first"
    )
    parser.add_argument(
        "--suites",
        type=Path,
        default=[Path()],
        nargs="+",
        metavar="DIR",
        help="where baselines and ledgers are looked for, whose runs stay (default: here)",
    )
    add_json_argument(parser)
    add_results_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Remove what the limits leave no room for, and say what and how much."""
    from sr_bench.files.cache import cache_dir
    from sr_bench.files.temporary import remove_left_behind
    from sr_bench.history.clean import Limits, plan_cleaning, remove

    if args.keep_runs is not None and args.keep_runs < 1:
        msg = f"--keep-runs {args.keep_runs}: expected a number of runs, at least 1"
        raise OptionError(msg)
    limits = Limits(_age(args.older_than), args.keep_runs, _size(args.max_size))
    held = {run for folder in args.suites for run in _held(folder)}
    cleaning = plan_cleaning(args.results, cache_dir(), limits, held, time.time())
    faults = []
    if not args.dry_run:
        faults = remove(cleaning.gone)
        remove_left_behind((args.results, cache_dir()))
    value = {
        "dry_run": args.dry_run,
        "gone": [{**vars(part), "path": str(part.path)} for part in cleaning.gone],
        "bytes": _bytes(cleaning.gone),
        "bytes_kept": _bytes(cleaning.kept),
        "notes": cleaning.notes,
        "faults": faults,
    }
    lines = map(printable, _lines(cleaning, "would go" if args.dry_run else "gone"))
    print_result(value, lines, as_json=args.json)
    for fault in faults:
        print(f"sr-bench: {printable(fault)}", file=sys.stderr)
    return int(bool(faults))


def _age(text: str | None) -> float | None:
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        msg = f"--older-than {text}: expected a number of hours, days or weeks: 12h, 30d or 8w"
        raise OptionError(msg)
    return int(match[1]) * _SECONDS[match[2]]


def _size(text: str | None) -> int | None:
    from pydantic import ByteSize, TypeAdapter

    if text is None:
        return None
    try:
        return TypeAdapter(ByteSize).validate_python(text)
    except ValueError:
        msg = f"--max-size {text}: expected a size such as 2GB or 500MB"
        raise OptionError(msg) from None


def _held(folder: Path) -> Iterator[str]:
    """Yield the runs that baselines and ledgers below `folder` name; links are not followed.

    Raises:
        OptionError: It is no folder; what is not read would hold nothing.
        SrBenchError: A folder in it can't be read.
    """
    from sr_bench.core.baseline import FILE_NAME
    from sr_bench.files.disk import read_if_present
    from sr_bench.history.clean import RUN
    from sr_bench.history.ledger import LEDGER

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # somebody else may remove one meanwhile
            why = f"{error.strerror}, and a baseline in it would hold runs"
            msg = f"{error.filename}: {why}; name your suites with --suites"
            raise SrBenchError(msg)

    if not folder.is_dir():
        msg = f"--suites {folder}: expected the folder of your suites, got none there"
        raise OptionError(msg)
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in {FILE_NAME, LEDGER}.intersection(names):
            content = read_if_present(Path(place, name)) or b""
            yield from RUN.findall(content.decode(errors="replace"))


def _lines(cleaning: "Cleaning", verb: str) -> Iterator[str]:
    yield from cleaning.notes
    for kind, one, many, told in (
        ("images", "folder of images", "folders of images", "no run that stays names them"),
        ("runs", "file of a run", "files of runs", "their means stay in the history"),
        ("cache", "cached file", "cached files", "made again when needed"),
    ):
        if parts := [part for part in cleaning.gone if part.kind == kind]:
            number = f"{len(parts)} {one if len(parts) == 1 else many}"
            days = " to ".join(dict.fromkeys(_day(pick(p.used for p in parts)) for pick in _ENDS))
            yield f"{number} of {days}, {sized(_bytes(parts))}: {told}"
    gone = sized(_bytes(cleaning.gone)) if cleaning.gone else "nothing"
    yield f"{gone} {verb}, {sized(_bytes(cleaning.kept))} stay"


def _bytes(parts: "Sequence[Part]") -> int:
    return sum(part.size for part in parts)


def _day(when: float) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d}"
