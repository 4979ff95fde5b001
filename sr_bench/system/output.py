"""What a process prints: kept in a file of limited size, with its end, and shown in a few lines."""

import os
import re
import select
import threading
import time
from contextlib import suppress
from pathlib import Path

from sr_bench.text.home import without_home
from sr_bench.text.printable import printable_line

KEPT_BYTES = 4 * 2**20
"""Of what was printed, at least; twice that at most."""

_PIECE = 64 * 1024
_TAIL_BYTES = 64 * 1024
_TAIL_LINES = 15
_TAIL_WIDTH = 160
_CRASH = "Fatal Python error: "  # of faulthandler
_LEFT_OUT = re.compile(rb"\[(\d+) bytes left out\]\n")
_SETTLE_S = 0.5


class Output:
    """Brings what a pipe gives to the file `log`, in a thread, until no process holds its end.

    A file that the processes write to by themselves could fill the disk.
    """

    def __init__(self, log: Path, source: int) -> None:
        self._log = log
        self._source = source
        self._lock = threading.Lock()
        log.touch()
        self._thread = threading.Thread(target=self._bring, name="output", daemon=True)
        self._thread.start()

    def clear(self) -> None:
        """Forget what was printed until now."""
        self._settle()
        with self._lock:
            os.truncate(self._log, 0)

    def tail(self) -> str:
        """Return the end of what was printed until now, and how much of it is left out."""
        self._settle()
        return read_tail(self._log)

    def _settle(self) -> None:
        """Wait until all that was printed is in the file, or for a moment: it may never end."""
        deadline = time.monotonic() + _SETTLE_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            with self._lock:
                if self._thread.is_alive() and not self._is_ready(0):
                    return
            time.sleep(0.001)

    def _is_ready(self, limit_ms: int | None) -> bool:
        waiting = select.poll()  # select() takes no descriptor above 1023
        waiting.register(self._source, select.POLLIN)
        return bool(waiting.poll(limit_ms))

    def _bring(self) -> None:
        with os.fdopen(self._source, "rb", buffering=0):
            while True:
                self._is_ready(None)
                with self._lock:
                    piece = os.read(self._source, _PIECE)
                    if not piece:
                        return
                    with suppress(OSError):  # a full disk, or a folder that is gone
                        self._add(piece)

    def _add(self, piece: bytes) -> None:
        with self._log.open("ab") as file:
            file.write(piece)
            size = file.tell()
        if size > 2 * KEPT_BYTES:
            left_out, end = _end_of(self._log, KEPT_BYTES)
            self._log.write_bytes(b"[%d bytes left out]\n" % left_out + end)


def read_tail(log: Path) -> str:
    """Return the last 64 KiB of `log`, below a line that says what is left out; empty if absent."""
    try:
        left_out, end = _end_of(log, _TAIL_BYTES)
    except FileNotFoundError:
        return ""
    note = f"[{left_out} bytes left out]\n" if left_out else ""
    return note + end.decode(errors="replace")


def _end_of(log: Path, size: int) -> tuple[int, bytes]:
    """Return how many bytes are left out of the last `size` of what was printed, and these."""
    with log.open("rb") as file:
        note = _LEFT_OUT.match(file.read(64))
        before = int(note[1]) - note.end() if note else 0
        start = max(note.end() if note else 0, file.seek(0, os.SEEK_END) - size)
        file.seek(start)
        return before + start, file.read(size)


def with_tail(text: str, log: str) -> str:
    """Return `text` with the last lines of `log`, if there are any, cut and fit to be shown.

    If they report a crash of Python, its first lines are shown: the innermost calls.
    """
    note = _LEFT_OUT.match(log.encode())
    lines = [line for line in log.splitlines()[bool(note) :] if line.strip()]
    crashes = [i for i, line in enumerate(lines) if line.startswith(_CRASH)]
    first = crashes[-1] if crashes else max(0, len(lines) - _TAIL_LINES)
    chosen = lines[first : first + _TAIL_LINES]
    shown = [printable_line(without_home(line))[:_TAIL_WIDTH] for line in chosen]
    head = f"{text}; its last output ({int(note[1]):,} bytes left out):" if note else ""
    return "\n  | ".join([head or f"{text}; its last output:", *shown]) if shown else text
