"""Limits that end when a fake hangs, not when time is up: no test waits for one or runs into it."""

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from sr_bench.system.process import Group

_POLL_S = 0.02


def end_limits_at_hangs(monkeypatch: pytest.MonkeyPatch, sign: Path) -> list[float]:
    """Let a wait for a fake end as soon as it hangs, which it says by the file `sign`.

    Returns:
        The limits, in seconds, of the waits that ended, filled as they end.
    """
    given_up: list[float] = []

    def watched(wait: Callable[[Any, float], bool]) -> Callable[..., bool]:
        def wait_until_it_hangs(waiter: Any, limit_s: float = 0.0) -> bool:
            deadline = time.monotonic() + limit_s
            while not wait(waiter, min(limit_s, _POLL_S)):
                if sign.exists() or time.monotonic() >= deadline:
                    sign.unlink(missing_ok=True)
                    given_up.extend([limit_s] if limit_s else [])
                    return False
            return True

        return wait_until_it_hangs

    monkeypatch.setenv("FAKE_HANGS", str(sign))
    monkeypatch.setattr(Connection, "poll", watched(Connection.poll))
    monkeypatch.setattr(Group, "wait", watched(Group.wait))
    return given_up
