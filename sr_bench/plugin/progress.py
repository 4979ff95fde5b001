"""Show that a long item is alive: one line that rewrites itself, or now and then one in a log."""

import os
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, Self

import pytest

from sr_bench.text.printable import printable_line

_QUIET_S = 1.0  # items shorter than this show nothing

_ERASE_LINE, _ERASE_BELOW, _UP = "\x1b[K", "\x1b[J", "\x1b[A"
"""What every terminal understands but a dumb one."""

_CUT = "..."


@dataclass(frozen=True)
class Progress:
    """How far an item is."""

    title: str
    done: int
    planned: int
    """At least 1."""
    left_s: float
    """Seconds until it is finished, estimated."""
    image: str = ""
    """The last one that was finished."""


class Channel(Protocol):
    """What takes progress to another process, which shows it."""

    every_s: float

    def send(self, progress: Progress) -> None:
        """Send it."""


CHANNEL = "sr_bench-channel"
"""Under what name the `Channel` of a process without a terminal is registered as a plugin."""


class ProgressLine:
    """The progress of one item, written past pytest's capturing."""

    def __init__(self, config: pytest.Config, title: str) -> None:
        self._channel: Channel | None = config.pluginmanager.getplugin(CHANNEL)
        self._screen = open_screen(config)
        self._title = printable_line(title)
        self._start = self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen:
            self._screen.wipe()

    def update(self, done: int, planned: int, image: str) -> None:
        """Show that `done` of `planned` images are finished, `image` the last of them."""
        shown_on, now = self._channel or self._screen, time.monotonic()
        if shown_on is None or now - self._start < _QUIET_S or now - self._last < shown_on.every_s:
            return
        self._last = now
        left = (now - self._start) / done * (planned - done)
        progress = Progress(self._title, done, planned, left, printable_line(image))
        if self._channel:
            self._channel.send(progress)
        elif self._screen:
            how_far = f"{progress.title}: {done}/{planned} {progress.image}"
            self._screen.show(f"  {how_far}, about {left:.0f} s left")


def open_screen(config: pytest.Config) -> "Terminal | Log | None":
    """Return where this process may show progress; None if pytest has no terminal here."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        return None
    is_screen = reporter.isatty and os.environ.get("TERM") != "dumb"
    return Terminal(config) if is_screen else Log(config)


class Terminal:
    """A line below the one that pytest is writing, to whose end the cursor returns."""

    every_s = 0.2
    """Seconds between two lines."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._shown = False

    @property
    def columns(self) -> int:
        """One less than there are: a full line would wrap."""
        return self._config.get_terminal_writer().fullwidth - 1

    def show(self, text: str) -> None:
        """Show `text`, cut to one line."""
        writer = self._config.get_terminal_writer()
        written = writer.width_of_current_line
        column = written % writer.fullwidth
        if written < 0 or (written and not column):  # the cursor's place is not known
            return
        back = f"\x1b[{column}C" if column else ""
        with _uncaptured(self._config):  # raw: pytest counts the columns of what it writes itself
            # A line feed makes room on the last row, where a move down would not.
            writer.write_raw("\n\r")
            writer.write_raw(cut(text, self.columns))
            writer.write_raw(f"{_ERASE_LINE}\r{_UP}{back}", flush=True)
        self._shown = True

    def wipe(self) -> None:
        """Erase all below the cursor, before pytest writes on."""
        if self._shown:
            with _uncaptured(self._config):
                self._config.get_terminal_writer().write_raw(_ERASE_BELOW, flush=True)
            self._shown = False


class Log:
    """A file, or a terminal that can only add lines."""

    every_s = 30.0
    columns = 1000

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def show(self, text: str) -> None:
        """Add `text` as a line of its own."""
        writer = self._config.get_terminal_writer()
        begin = "\n" if writer.width_of_current_line else ""
        with _uncaptured(self._config):
            writer.write(f"{begin}{cut(text, self.columns)}\n", flush=True)

    def wipe(self) -> None:
        """Leave it as it is."""


def cut(text: str, columns: int) -> str:
    """Return `text`, or the start of it, so that it takes at most `columns` columns, at least 3.

    >>> cut("abcdef", 6), cut("abcdef", 5), cut("超解像度", 7)
    ('abcdef', 'ab...', '超解...')
    """
    widths = [2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text]
    if sum(widths) <= columns:
        return text
    room = columns - len(_CUT)
    kept = sum(1 for taken in accumulate(widths) if taken <= room)
    return text[:kept] + _CUT


@contextmanager
def _uncaptured(config: pytest.Config) -> Iterator[None]:
    """Let what is written meanwhile reach the terminal, if there still is one, from an item too."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with suppress(OSError), capture.global_and_fixture_disabled() if capture else nullcontext():
        yield
