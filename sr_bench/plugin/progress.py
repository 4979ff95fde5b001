"""Show that a long item is alive: one line that rewrites itself, or now and then one in a log."""

import time
from types import TracebackType
from typing import Self

import pytest

_TERMINAL_EVERY_S = 0.2
_LOG_EVERY_S = 30.0
_QUIET_S = 1.0
"""Items shorter than this show nothing."""


class ProgressLine:
    """The progress of one item, written past pytest's capturing."""

    def __init__(self, config: pytest.Config, title: str) -> None:
        self._reporter = config.pluginmanager.getplugin("terminalreporter")
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._title = title
        self._start = self._last = time.monotonic()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._reporter.currentfspath = None  # wiped too: pytest prints it again

    def update(self, done: int, planned: int, image: str) -> None:
        """Tell that `done` of `planned` images are finished, `image` the last of them."""
        now = time.monotonic()
        if self._reporter is None or now - self._start < _QUIET_S:
            return
        tty = self._reporter.isatty
        if now - self._last < (_TERMINAL_EVERY_S if tty else _LOG_EVERY_S):
            return
        self._last = now
        left = (now - self._start) / done * (planned - done)
        text = f"  {self._title}: {done}/{planned} {image}, about {left:.0f} s left"
        if tty:
            self._write("\r" + text.ljust(self._width))
            self._width = max(self._width, len(text))
        else:
            self._write("\n" + text + "\n")

    def _write(self, text: str) -> None:
        if self._capture is None:
            self._reporter.write(text, flush=True)
            return
        with self._capture.global_and_fixture_disabled():
            self._reporter.write(text, flush=True)
