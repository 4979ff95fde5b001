"""From numbers that were not run to measured ones: what is lacking, what brings it, and the run."""

import shlex
from collections.abc import Sequence
from os import PathLike, fspath
from textwrap import shorten

from sr_bench.core.missing import Lacking, Offer, offers
from sr_bench.core.record import Record, Status
from sr_bench.text.printable import counted, printable, sized, some

_NAMED = 2


def next_step_lines(
    records: Sequence[Record], arguments: Sequence[str | PathLike[str]], width: int = 140
) -> list[str]:
    """Return the step that would make most of the numbers measurable that were not run.

    That is a line that says what they lack, a command that brings it, unless it is the user's own
    files, and the command that measures them; nothing if no step of the user's does.

    Args:
        records: All of a session.
        arguments: Those that pytest was given; a program may give paths.
        width: Characters of a line; commands are never cut, as they are to be copied.
    """
    absent = [r for r in records if r.measurement is None and r.verdict.status is Status.NOT_RUN]
    found = offers(record.detail.missing for record in absent)
    if not found:
        return []
    best = found[0]
    suites = {absent[place].family for place in best.numbers}
    count = f"{len(best.numbers)} of {counted(len(absent), 'number')} not run"
    lines = [f"next: {count}, in {counted(len(suites), 'suite')}, lack only {lacked(best.missing)}"]
    commands = [(command, _size(best.missing)) for command in _commands(best.missing)]
    typed = [fspath(argument) for argument in arguments]
    given = {argument.partition("=")[0] for argument in typed}
    # The last of equal options counts; a folder that is given is to hold more.
    folders = [option for option in _options(best.missing) if option.endswith("=DIR")]
    more = [
        o for o in _options(best.missing) if o not in folders or o.partition("=")[0] not in given
    ]
    rerun = " ".join(map(shlex.quote, ["pytest", *typed, *more]))
    commands.append((rerun, _told(best.missing)))
    longest = max(len(command) for command, _ in commands)
    lines += [_with_note(f"  {c:{longest}}  # ", note, width) for c, note in commands]
    return [printable(line) for line in lines]


def _with_note(command: str, note: str, width: int) -> str:
    """Return `command`, which ends as a comment begins, with as much of `note` as has room."""
    room = width - len(command)
    told = shorten(note, room, placeholder="...") if room > 0 else ""
    return command + told if told.strip(".") else command.removesuffix("  # ").rstrip()


def step_text(offer: Offer) -> str:
    """Return what to do for `offer`, for a cell of a table."""
    missing = offer.missing
    steps = _commands(missing)
    if options := _options(missing):
        own = [part.name for part in missing if part.options and part.kind != "backend"]
        held = f" ({some(own, _NAMED)})" if own else ""
        steps.append(f"pytest {' '.join(options)}{held}")
    return printable("; ".join(steps))


def lacked(missing: Lacking) -> str:
    """Return the names of what is lacking, such as ``set5 and 2 files of weights``."""
    sets = [part.name for part in missing if part.kind == "dataset"]
    files = [part.name for part in missing if part.kind == "weights"]
    backends = [f"a session of {part.name}" for part in missing if part.kind == "backend"]
    weights = files if len(files) < _NAMED else [f"{len(files)} files of weights"]
    classes = [part.name for part in missing if part.kind == "code"]
    leave = [f"leave to run {some(classes, _NAMED)}"] if classes else []
    return " and ".join([*sets, *weights, *backends, *leave])


def _commands(missing: Lacking) -> list[str]:
    """Return the line that brings what commands bring; none if they bring nothing."""
    commands = dict.fromkeys(part.command for part in missing if part.command)
    return [" && ".join(commands)] if commands else []


def _options(missing: Lacking) -> list[str]:
    return list(dict.fromkeys(option for part in missing for option in part.options))


def _size(missing: Lacking) -> str:
    size = sum(part.size for part in missing)
    return sized(size) if size else ""


def _told(missing: Lacking) -> str:
    """Return what the folders of the options are to hold."""
    held: dict[str, list[str]] = {}
    for part in missing:
        for option in part.options:
            if option.endswith("=DIR"):
                held.setdefault(option.removesuffix("=DIR"), []).append(part.name)
    return "; ".join(f"{option} holds {some(names, _NAMED)}" for option, names in held.items())
