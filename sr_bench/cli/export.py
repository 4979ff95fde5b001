"""``sr-bench export``: a run as a table, the results of a model card, or a badge."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from sr_bench import discovery
from sr_bench.cli._args.models import add_models_argument, is_named
from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.errors import OptionError

HELP = "write a run as a table, the results of a model card, or a badge"
EXAMPLE = "sr-bench export last --format latex --models 'edsr_*' --output table.tex"

_SHOWN = 8
_FORMATS = "sr_bench.report.formats"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser)
    parser.add_argument(
        "--format",
        required=True,
        metavar="NAME",
        help="csv or json (all records), markdown or latex (a paper's table), model-index"
        " (Hugging Face), badge (shields.io)",
    )
    add_models_argument(parser)
    parser.add_argument(
        "--source", default="", metavar="URL", help="address of the run's report, named as source"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to (default: standard output)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the run in the format that was asked for."""
    from sr_bench.files.atomic import write_text
    from sr_bench.text.printable import counted, printable, some

    # A package may add formats; on the command line words are joined by dashes.
    render = discovery.load(_FORMATS, args.format.replace("-", "_")).render
    if args.source and urlsplit(args.source).scheme not in ("http", "https"):
        msg = f"--source {args.source}: expected an address that starts with http:// or https://"
        raise OptionError(msg)
    past = named_run(args.run_name, args.results)
    records = tuple(record for record in past.records if is_named(record.model, args.models))
    if not records:
        models = [*dict.fromkeys(record.model for record in past.records)]
        there = some(models, _SHOWN) if models else "no records"
        msg = f"--models {args.models}: {past.path} has none of them; it has {there}"
        raise OptionError(printable(msg))
    text = render(replace(past, records=records), args.source)
    if args.output is None:
        sys.stdout.write(text)
    else:
        write_text(args.output, text)
        print(f"{args.output}: {counted(len(records), 'record')}")
    return 0
