"""A worker that would not start says why to the process that controls it, which ends all."""

from typing import Any

import pytest

from sr_bench.errors import SrBenchError
from sr_bench.text.printable import printable

_REFUSAL = "sr_bench_refusal"
"""In what a worker gives back to pytest-xdist."""


def refuse(session: pytest.Session, cause: SrBenchError) -> None:
    """Run nothing in this worker; the process that controls it ends the session with `cause`."""
    session.items.clear()
    session.config.workeroutput[_REFUSAL] = printable(str(cause))  # type: ignore[attr-defined]


def refusal_of(node: Any) -> str:
    """Return why the worker `node` of pytest-xdist would not start; empty if it did."""
    return str(getattr(node, "workeroutput", {}).get(_REFUSAL, ""))
