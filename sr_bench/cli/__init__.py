"""The command line: ``sr-bench COMMAND``, arguments in; text or JSON and an exit code out.

Only this package parses arguments. Each command is a module of this folder, which offers ``HELP``,
``EXAMPLE``, ``add_arguments(parser)`` and ``run(args) -> int``, and imports what computes inside
``run``, so that ``--help`` is instant.
"""

import argparse
import io
import re
import sys
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import NoReturn

from sr_bench import __version__, discovery
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from sr_bench.files.disk import disk_error
from sr_bench.text.printable import printable

_CHOICE = re.compile(r"argument (.*): invalid choice: '(.*)' \(choose from (.*)\)")

EXIT_OK, EXIT_FAULT, EXIT_USAGE, EXIT_ABSENT = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0: done; 1: an input is wrong; 2: the command line is wrong; 3: something is merely absent.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # what it can't encode must not end the command
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(argv)
        with warnings.catch_warnings():
            warnings.showwarning = _warn  # type: ignore[assignment]
            return int(args.run(args))
    except KeyboardInterrupt:
        return 130  # what shells report of SIGINT
    except BrokenPipeError:
        # Or Python would complain there, at its end, that standard output is gone.
        sys.stderr.close()
        return EXIT_OK
    except (SrBenchError, OSError) as cause:
        print(f"sr-bench: {printable(_sentence(cause))}", file=sys.stderr)
        if isinstance(cause, NotRunError):
            return EXIT_ABSENT
        return EXIT_USAGE if isinstance(cause, OptionError) else EXIT_FAULT


def _sentence(cause: SrBenchError | OSError) -> str:
    if isinstance(cause, OSError) and cause.filename:  # a path that can't even be looked at
        return str(disk_error(cause, Path(str(cause.filename)), "use"))
    return str(cause)


def _warn(message: Warning | str, *_where: object) -> None:
    print(f"sr-bench: warning: {printable(str(message))}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest word that it takes."""

    def error(self, message: str) -> NoReturn:
        """Raise an OptionError."""
        advice = f"see {self.prog} --help"
        if choice := _CHOICE.fullmatch(message):
            what, word, valid = choice.groups()
            message = f"{what} {word!r} is unknown"
            advice = _nearest(word, re.findall(r"[\w.-]+", valid))
        self._refuse(message, advice)

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Parse as argparse does, and refuse what it does not know: it would list all of it."""
        found, unknown = super().parse_known_args(args, namespace)
        for word in (word.partition("=")[0] for word in unknown):
            is_option, near = word.startswith("-"), ""
            if is_option:
                near = _nearest(word, [*self._option_string_actions])
            elif "--suites" in self._option_string_actions and Path(word).exists():
                near = f"did you mean --suites {quote(word)}?"
            what = "option" if is_option else "argument"
            self._refuse(f"no {what} {word!r} is known", near or f"see {self.prog} --help")
        return found, unknown

    def _refuse(self, what: str, advice: str) -> NoReturn:
        _, _, command = self.prog.partition(" ")
        msg = f"{command}: {what}; {advice}" if command else f"{what}; {advice}"
        raise OptionError(msg)


def _nearest(word: str, valid: Sequence[str]) -> str:
    if not (close := get_close_matches(word, valid)):
        return f"the valid ones are: {', '.join(valid)}"
    # Of lnit, list has as many letters in order as lint.
    return f"did you mean {min(close, key=lambda each: sorted(each) != sorted(word))!r}?"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sr-bench",
        description="Every number in a super-resolution model zoo's README is a test."
        " Begin with 'sr-bench demo', or 'sr-bench init README.md' for one of yours;"
        " the tests themselves run with pytest: pytest suites/ --backend=onnxruntime",
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
