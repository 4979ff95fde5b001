"""``sr-bench lint``: find what is wrong with a document's numbers, without running a model."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench import discovery
from sr_bench.cli._args.output import print_table
from sr_bench.cli._args.suites import add_trust_argument
from sr_bench.errors import OptionError
from sr_bench.lint.finding import Severity

HELP = "find what is wrong with the numbers of documents, without running a model"
EXAMPLE = "sr-bench lint suites/ ~/zoo/RCAN/README.md --format github"

if TYPE_CHECKING:
    from sr_bench.data.dataset import Dataset

_FORMATS = "sr_bench.lint.formats"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="README files, pages of them, card.toml files, and folders with either at any depth",
    )
    cards = parser.add_mutually_exclusive_group()
    cards.add_argument("--card", type=Path, help="the card.toml that binds the one README named")
    cards.add_argument("--no-card", action="store_true", help="use no card for the READMEs named")
    parser.add_argument(
        "--suites",
        type=Path,
        default=Path("suites"),
        metavar="DIR",
        help="folder whose cards may bind a README of the same rows (default: suites)",
    )
    parser.add_argument(
        "--format",
        default="text",
        metavar="NAME",
        help="text, json, github (annotations) or sarif (default: text)",
    )
    parser.add_argument(
        "--fail-on",
        choices=[severity.value for severity in Severity],
        default=Severity.WARNING.value,
        help="exit with 1 from this severity on (default: warning)",
    )
    add_trust_argument(parser)
    parser.add_argument("--show-waived", action="store_true", help="show what cards waive, too")
    parser.add_argument("--rules", action="store_true", help="list the rules, and look at nothing")


def run(args: argparse.Namespace) -> int:
    """Print the report and return 1 if a finding that nobody waives is grave enough."""
    from sr_bench.lint.gather import Request
    from sr_bench.lint.run import lint

    if args.rules:
        _print_rules()
        return 0
    if not args.paths:
        msg = "name a README.md, card.toml or folder of suites; --rules lists what is looked for"
        raise OptionError(msg)
    if args.card and (len(args.paths) != 1 or args.paths[0].is_dir()):
        msg = f"--card {args.card}: expected one README.md for it, got a folder or several paths"
        raise OptionError(msg)
    render = discovery.load(_FORMATS, args.format).render  # a package may add formats
    cards = (args.suites, args.card, not args.no_card, args.trust_code)
    request = Request(tuple(args.paths), _load_dataset, *cards)
    report = lint(request)
    sys.stdout.write(render(report, show_waived=args.show_waived))
    return int(report.fails(Severity(args.fail_on)))


def _load_dataset(slug: str, folders: tuple[Path, ...]) -> "Dataset":
    from sr_bench.data.locate import load_dataset  # imports OpenCV, which only cards need

    return load_dataset(slug, folders)


def _print_rules() -> None:
    from sr_bench.lint.run import rules

    print_table(
        ["code", "severity", "what is wrong"],
        [[rule.code, rule.severity.value, rule.title] for rule in rules()],
    )
    for rule in rules():
        print(f"\n{rule.code} {rule.title}\n  {rule.meaning}\n  To do: {rule.advice}.")
