"""An option of a session, declared once: name, help, default, and what its text may be."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from sr_bench.core.precision import Precision
from sr_bench.errors import OptionError

T = TypeVar("T")

SESSION_THREADS = 1
"""Threads that a network computes with; images are worked on side by side instead."""

_THREADS = re.compile(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?")
_DURATION = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s?)?")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """The values that an option takes."""

    read: Callable[[str], T]
    """Returns the value of a text; ValueError if it spells none."""
    expected: Callable[[], str]
    """Says what texts are valid."""
    accepts: Callable[[T], bool] = lambda _: True
    show: Callable[[T], str] = str
    """Returns the text of a value."""


@dataclass(frozen=True)
class Option(Generic[T]):
    """A flag of the command line, or an ini key for what is set once if ever."""

    name: str
    """``--sr-limit`` of a flag, ``sr_cache_dir`` of an ini key."""
    metavar: str
    """Empty for a switch, which is given or not."""
    help: str
    kind: Kind[T]
    default: str = ""
    """As one would type it; empty: nothing."""
    rare: bool = False
    """Whether ``--help`` shows it behind the flags of every day."""

    @property
    def is_flag(self) -> bool:
        """Whether it is a flag; else it is an ini key."""
        return self.name.startswith("-")

    def read(self, text: str) -> T:
        """Return the value of `text`.

        Raises:
            OptionError: It spells none; the message lists what is valid.
        """
        try:
            return self.kind.read(text)
        except ValueError:
            raise self._refusal(text) from None

    def check(self, value: T) -> None:
        """Raise an OptionError if `value` is none that the option takes."""
        if not self.kind.accepts(value):
            raise self._refusal(self.kind.show(value))

    def _refusal(self, text: str) -> OptionError:
        return OptionError(f"{self.name}={text}: expected {self.kind.expected()}")


def option(
    name: str, metavar: str, text: str, kind: Kind[T], default: str = "", *, rare: bool = False
) -> T:
    """Declare a field of a dataclass as the option `name`, with the help `text`."""
    declared = Option(name, metavar, text, kind, default, rare)
    return field(default=kind.read(default), metadata={"option": declared})  # as if it were typed


def switch(flag: str, text: str, *, rare: bool = False) -> bool:
    """Declare a field of a dataclass as an option that is given or not."""
    return option(flag, "", text, Kind(bool, lambda: "nothing"), rare=rare)


def options_of(cls: type[object]) -> Mapping[str, Option[Any]]:
    """Return the options among the fields of the dataclass `cls`, by field."""
    declared = fields(cls)  # type: ignore[arg-type] # a dataclass
    return {item.name: item.metadata["option"] for item in declared if item.metadata}


def check_options(chosen: object) -> None:
    """Raise an OptionError if an option of the dataclass `chosen` has a value it can't have."""
    for name, declared in options_of(type(chosen)).items():
        declared.check(getattr(chosen, name))


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list, without blanks and empty parts."""
    return tuple(part for part in (word.strip() for word in text.split(",")) if part)


def one_of(names: Callable[[], Sequence[str]]) -> Kind[Any]:
    """Take one of `names`, which are looked up when a value is checked."""
    return Kind(
        str, lambda: f"one of {', '.join(filter(None, names()))}", lambda value: value in names()
    )


def some_of(names: Sequence[str]) -> Kind[tuple[str, ...]]:
    """Take one or more of `names`, separated by commas."""

    def read(text: str) -> tuple[str, ...]:
        chosen = split_list(text)
        if not chosen or not set(chosen) <= set(names):
            raise ValueError(text)
        return chosen

    return Kind(read, lambda: f"one or more of {', '.join(names)}")


def number(expected: str, *, least: int = 0, unit: int = 1) -> Kind[int]:
    """Take a whole number; the value is that many times `unit`, and at least `least`."""
    return Kind(
        lambda text: int(text) * unit,
        lambda: f"a whole number of {expected}",
        lambda value: value >= least,
        lambda value: f"{value / unit:g}",
    )


def _is_folder(path: Path | None) -> bool:
    # Of what can't be looked at, as a name that is too long, pathlib raises.
    return path is None or os.path.isdir(path)  # noqa: PTH112


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _duration(text: str) -> float | None:
    """Return the seconds that `text` spells; None if it is empty.

    >>> _duration("1h30m"), _duration("45")
    (5400.0, 45.0)
    """
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (float(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if text and not total:
        raise ValueError(text)
    return total or None


def _threads(text: str) -> tuple[int, int]:
    """Return the images at once, 0 if that is not said, and the threads for each.

    >>> _threads("4"), _threads("2x8"), _threads("")
    ((4, 1), (2, 8), (0, 1))
    """
    match = _THREADS.fullmatch(text or "0")
    if text and match is None:
        raise ValueError(text)
    return (int(match[1]), int(match[2] or SESSION_THREADS)) if match else (0, SESSION_THREADS)


TEXT = Kind(str, lambda: "a text")
LIST = Kind(split_list, lambda: "a list")
PATH = Kind(_path, lambda: "a path")
FOLDER = Kind(_path, lambda: "a folder that is there", _is_folder)
DURATION = Kind(_duration, lambda: "a time such as 2h, 90m, 1h30m or 45s")
THREADS = Kind(_threads, lambda: "N images at once, or NxM with M threads for each")
PRECISIONS = Kind(
    lambda text: tuple(map(Precision.parse_option, split_list(text))),
    lambda: f"one or more of {', '.join(Precision.all())}",
)
