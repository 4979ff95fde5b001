"""What outlives a process that uses the card: who uses a die, and what a freeze has cut short.

A file lock per die keeps other processes away while sessions are open; several of one process may
be. Before a worker may touch the die an entry is on disk, which is removed once the worker is gone.
An entry that stays means that the machine was restarted while that model ran, which may have frozen
it, or that nothing can end the worker.
"""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.files.atomic import sync, write_text
from sr_bench.files.cache import writable_dir
from sr_bench.files.lock import held
from sr_bench.files.validation import Table, validate
from sr_bench.system.process import read_process

_POLL_S = 0.05


class _Entry(Table):
    """A worker that uses a die."""

    name: str
    precision: str
    sdk: str
    device: int
    since: str
    # A cache folder may be shared by machines, of which each knows its own processes alone.
    host: str
    boot: str
    pid: int
    started: int
    owner_pid: int  # the process that looks after the worker; 0: it has given up
    owner_started: int


@dataclass(frozen=True)
class DeviceState:
    """The notes that processes on this machine leave each other about its dies."""

    folder: Path = field(default_factory=lambda: writable_dir() / "vacc")
    proc: Path = Path("/proc")
    """Where the system lists its processes and its start."""

    @contextmanager
    def die(self, device: int, *, wait_s: float, settle_s: float) -> Iterator[None]:
        """Keep die `device` from other processes.

        It waits up to `wait_s` seconds for another process to leave it, and up to `settle_s` for
        the worker of a process that is gone.

        Raises:
            NotRunError: Another process uses it all this time, or a worker can't be ended.
            SrBenchError: The folder can't be written.
        """
        # One object for all of this process: a second one would wait for the first for ever.
        lock = FileLock(self.folder / f"die-{device}.lock", is_singleton=True, thread_local=False)
        msg = f"die {device} has been used by another process for {wait_s:g} s; run it later"
        with held(lock, wait_s=wait_s, busy=NotRunError(msg)):
            self._refuse_leftovers(device, settle_s)
            yield

    def begin(self, name: str, precision: Precision, sdk: str, device: int, pid: int) -> Path:
        """Write that worker `pid` is about to use a die; return the entry, which is on disk now."""
        entry = _Entry(
            name=name,
            precision=str(precision),
            sdk=sdk,
            device=device,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            host=platform.node(),
            boot=self._boot(),
            pid=pid,
            started=read_process(pid, self.proc).started,
            # Pids are used again: only with the time of its start does one name a process.
            owner_pid=os.getpid(),
            owner_started=read_process(os.getpid(), self.proc).started,
        )
        path = self._journal / f"{uuid4().hex}.json"
        self._write(path, entry)
        return path

    def finish(self, path: Path) -> None:
        """Remove the entry of a worker that has gone."""
        path.unlink(missing_ok=True)

    def give_up(self, path: Path) -> None:
        """Mark the entry of a worker that can't be ended: its die is not used until it goes."""
        if entry := _read(path):
            self._write(path, entry.model_copy(update={"owner_pid": 0, "owner_started": 0}))

    def quarantined(self, name: str, precision: Precision, sdk: str) -> str:
        """Return why a model is not run, with what to do; empty if nothing speaks against it."""
        # Documented for fp16 with PixelShuffle on SDKs of 2023: the machine had to be restarted.
        for _path, entry in self._frozen():
            if (entry.name, entry.precision, entry.sdk) == (name, precision, sdk):
                return (
                    f"this machine was restarted while {name} {precision} ran on die "
                    f"{entry.device} (since {entry.since}, SDK {sdk or 'unknown'}), which may have "
                    f"frozen it; to try again: sr-bench vacc clear '{name}'"
                )
        return ""

    def clear(self, pattern: str) -> list[str]:
        """Let what is quarantined and matches `pattern`, such as ``edsr/*``, run again.

        Returns:
            What that was, as ``family/model precision``.
        """
        cleared = set()
        for path, entry in self._frozen():
            if fnmatchcase(entry.name, pattern):
                self.finish(path)
                cleared.add(f"{entry.name} {entry.precision}")
        return sorted(cleared)

    def quarantine(self) -> list[str]:
        """Return all that is quarantined, as ``family/model precision``."""
        return sorted({f"{entry.name} {entry.precision}" for _path, entry in self._frozen()})

    def _frozen(self) -> Iterator[tuple[Path, _Entry]]:
        """Yield the entries of models that were running when the machine was restarted."""
        for path, entry in self._entries():
            if entry.boot != self._boot():
                yield path, entry

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"

    def _boot(self) -> str:
        return (self.proc / "sys/kernel/random/boot_id").read_text().strip()

    def _write(self, path: Path, entry: _Entry) -> None:
        write_text(path, json.dumps(entry.model_dump(), indent=2) + "\n")
        # The name too must survive a freeze, which may come at once.
        sync(path)

    def _entries(self) -> Iterator[tuple[Path, _Entry]]:
        """Yield this machine's entries; remove those whose worker has simply gone."""
        for path in sorted(self._journal.glob("*.json")):
            entry = _read(path)
            if entry is None or entry.host != platform.node():
                continue
            if entry.boot == self._boot() and not self._runs(entry.pid, entry.started):
                self.finish(path)
                continue
            yield path, entry

    def _runs(self, pid: int, started: int) -> bool:
        return started > 0 and read_process(pid, self.proc).started == started

    def _refuse_leftovers(self, device: int, settle_s: float) -> None:
        deadline = time.monotonic() + settle_s
        while left := self._leftovers(device):
            if time.monotonic() >= deadline:
                msg = (
                    f"process {left[0]}, which an earlier run could not end, still uses die "
                    f"{device}; end it (kill -9 {left[0]}) or, if it stays, restart the machine"
                )
                raise NotRunError(msg)
            time.sleep(_POLL_S)

    def _leftovers(self, device: int) -> list[int]:
        """Return the workers on a die that nobody looks after."""
        return [
            entry.pid
            for _path, entry in self._entries()
            if entry.boot == self._boot() and entry.device == device
            if not self._runs(entry.owner_pid, entry.owner_started)
        ]


def _read(path: Path) -> _Entry | None:
    """Return the entry at `path`; None if another process has just removed it."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as cause:
        msg = f"{path}: can't be read as an entry of the card's journal ({cause}); delete it"
        raise BackendError(msg) from cause
    return validate(_Entry, content, where=f"{path} (if in doubt, delete it)", error=BackendError)
