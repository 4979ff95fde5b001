"""Open what answers a session's cases: this process, one for each model, or a cluster."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sr_bench import discovery
from sr_bench.core.backend import BackendInfo, Form
from sr_bench.core.case import Case
from sr_bench.core.record import Record
from sr_bench.engine.bench import Bench
from sr_bench.engine.job import Progress
from sr_bench.engine.plan.options import Selection
from sr_bench.system.memory import machine_bytes

_STALL_S = 600.0
_MEMORY_SHARE = 0.9
"""Of the machine's memory: processes are ended before the system ends whichever it likes."""


class Answers(Protocol):
    """What measures and judges cases, one after the other."""

    def announce(self, cases: Sequence[Case]) -> None:
        """Take in what the session will ask for, in its order."""

    def evaluate(self, case: Case, node_id: str, progress: Progress) -> Record:
        """Measure and judge `case`; a fault becomes the record's verdict."""

    def close(self) -> None:
        """End what still runs."""


def open_bench(selection: Selection, dataset_folders: tuple[Path, ...]) -> Answers:
    """Return what answers the cases of a session; close it.

    Raises:
        SrBenchError: The backend can't be used as the options ask.
    """
    backend = discovery.load("sr_bench.backends", selection.backend)
    info: BackendInfo = backend.describe(selection.backend_options)
    if selection.cluster:  # Dask's workers are processes
        from sr_bench.engine.elsewhere.cluster.client import Cluster  # an extra

        return Bench(selection, dataset_folders, Cluster(selection))
    if not isolates(selection, info):
        return Bench(selection, dataset_folders)
    from sr_bench.engine.elsewhere.child import Isolated, Limits

    limits = Limits(_stall_s(selection, info), _memory_bytes(selection))
    return Isolated(selection, dataset_folders, limits)


def isolates(selection: Selection, info: BackendInfo) -> bool:
    """Tell whether each model runs in a process of its own."""
    if selection.isolate == "auto":
        return info.is_device and sys.platform == "linux"
    return selection.isolate == "model"


def _stall_s(selection: Selection, info: BackendInfo) -> float:
    # A device's own compiler is silent for hours, and its backend watches it by itself.
    own = math.inf if info.form is Form.SOURCE else _STALL_S
    return selection.stall_s or own


def _memory_bytes(selection: Selection) -> int | None:
    whole = machine_bytes()
    share = int(_MEMORY_SHARE * whole / selection.workers) if whole else None
    return selection.memory_bytes or share
