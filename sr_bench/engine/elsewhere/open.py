"""Open where a session measures: this process, one for each model, or a cluster."""

import math

from sr_bench.engine.measure.worker import Executor
from sr_bench.engine.plan.options import Selection
from sr_bench.system.memory import machine_bytes

_STALL_S = 600.0
_MEMORY_SHARE = 0.9
"""Of the machine's memory: processes are ended before the system ends whichever it likes."""


def open_executor(selection: Selection) -> Executor | None:
    """Return where the images of a session are measured; None: in this process. Close it.

    Raises:
        SrBenchError: The backend can't be used as the options ask, or the cluster not.
    """
    if selection.cluster:  # Dask's workers are processes
        from sr_bench.engine.elsewhere.cluster.client import Cluster  # an extra

        return Cluster(selection)
    info = selection.described()
    if not selection.isolates(info):
        return None
    from sr_bench.engine.elsewhere.child import Child, Limits

    # A device's own compiler is silent for hours, and its backend watches it by itself.
    usual_s = math.inf if info.compiles else _STALL_S
    whole = machine_bytes()
    share = int(_MEMORY_SHARE * whole / selection.workers) if whole else None
    limits = Limits(selection.stall_s or usual_s, selection.memory_bytes or share)
    return Child(selection, info, limits)
