"""The command line: ``sr-bench COMMAND``, arguments in; text or JSON and an exit code out.

Only this package parses arguments. Each command is a module of this folder, which offers ``HELP``,
``EXAMPLE``, ``add_arguments(parser)`` and ``run(args) -> int``, and imports what computes inside
``run``, so that ``--help`` is instant.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence

from sr_bench import __version__, discovery
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from sr_bench.text.printable import printable

EXIT_OK, EXIT_FAULT, EXIT_USAGE, EXIT_ABSENT = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0: done; 1: an input is wrong; 2: the command line is wrong; 3: something is merely absent.
    """
    try:
        args = _parser().parse_args(argv)
        with warnings.catch_warnings():
            warnings.showwarning = _warn  # type: ignore[assignment]
            return int(args.run(args))
    except SrBenchError as cause:
        print(f"sr-bench: {printable(str(cause))}", file=sys.stderr)
        if isinstance(cause, NotRunError):
            return EXIT_ABSENT
        return EXIT_USAGE if isinstance(cause, OptionError) else EXIT_FAULT
    except KeyboardInterrupt:
        return 130  # what shells report of SIGINT
    except BrokenPipeError:
        # Or Python would complain there, at its end, that standard output is gone.
        sys.stderr.close()
        return EXIT_OK


def _warn(message: Warning | str, *_where: object) -> None:
    print(f"sr-bench: warning: {printable(str(message))}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sr-bench",
        description="Every number in a super-resolution model zoo's README is a test."
        " The tests themselves run with pytest: pytest suites/ --backend=onnxruntime",
    )
    parser.add_argument("--version", action="version", version=f"sr-bench {__version__}")
    # Without a metavar, usage would list every command in braces.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in discovery.names("sr_bench.cli"):
        module = discovery.load("sr_bench.cli", name)
        command = commands.add_parser(
            name.replace("_", "-"),
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
