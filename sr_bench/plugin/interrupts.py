"""SIGTERM and SIGHUP end a session as SIGINT does: what was measured until then is reported."""

import signal
import threading
from types import FrameType

_NUMBERS = (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))  # Windows has no SIGHUP


class Interrupts:
    """Turns these signals into an interrupt, where nobody else does anything about them."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._came = False

    def start(self) -> None:
        """Take the signals that would just end the process; nohup, and others, keep theirs."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _NUMBERS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._interrupt)
                self._taken.add(number)

    def wait(self) -> None:
        """Let neither interrupt from now on: the session ends, and its reports are written."""
        self._came = True

    def stop(self) -> None:
        """Give back what was taken, unless somebody has changed it since."""
        for number in self._taken:
            if signal.getsignal(number) == self._interrupt:
                signal.signal(number, signal.SIG_DFL)
        self._taken.clear()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        # A terminal that is closed may send both: the second must not cut the report off.
        if not self._came:
            self._came = True
            raise KeyboardInterrupt
