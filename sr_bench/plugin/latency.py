"""The body of a latency item: pytest-benchmark times the network, and a record keeps it."""

from collections.abc import Callable
from dataclasses import asdict
from math import ceil
from time import perf_counter
from typing import Any, cast

import pytest

from sr_bench.core.record import Record
from sr_bench.engine.measure.latency import Setting, Timer, Times, rounds_of
from sr_bench.errors import NotRunError, OptionError
from sr_bench.plugin.item import CaseItem
from sr_bench.plugin.progress import ProgressLine
from sr_bench.plugin.session import SESSION

# pytest-benchmark ships no types: its fixture is Any below.
_PLUGIN = "pytest-benchmark"  # the name that it registers itself by, however it was loaded
# Kept of the timed rounds: by these names, in seconds per call.
_STATISTICS = ("median", "mean", "stddev", "iqr", "min")
_LEAST_ROUND_S = 0.01
"""Of a card's rounds: a fast network runs several times in each."""

OFF = (
    "timing is switched off, by --benchmark-disable or by pytest-xdist, whose workers disturb each"
    " other: the network ran once, untimed"
)


def require_benchmark(config: pytest.Config) -> None:
    """Check that pytest-benchmark is there.

    Raises:
        OptionError: It is switched off.
    """
    if not config.pluginmanager.hasplugin(_PLUGIN):
        msg = f"--sr-latency times with {_PLUGIN}, which is switched off: leave out its '-p no:'"
        raise OptionError(msg)


def check_latency(request: pytest.FixtureRequest, benchmark: Any) -> None:
    """Time the item's network and end as the record's verdict demands."""
    item = cast(CaseItem, request.node)
    bench = item.config.stash[SESSION].bench
    with ProgressLine(item.config, item.case.id) as line:
        group = f"{item.case.card.id} {item.case.shape}"
        timer = _timer(benchmark, group, rounds_of(item.case))
        record = bench.measure_latency(item.case, item.typed_id, timer, line.update)
    _note_memory(benchmark, record)
    item.conclude(record)


def _timer(benchmark: Any, group: str, rounds: int) -> Timer:
    """Return what times with `benchmark`, in so many rounds; 0: by the limits of its options."""

    def timed(run: Callable[[], object], setting: Setting) -> Times:
        if benchmark.disabled:
            raise NotRunError(OFF)
        benchmark.group = benchmark.group or group  # an option's stays
        benchmark.extra_info.update(asdict(setting))
        if rounds:
            start = perf_counter()
            run()
            times = max(1, ceil(_LEAST_ROUND_S / (perf_counter() - start)))
            benchmark.pedantic(run, rounds=rounds, iterations=times)
        else:
            benchmark(run)
        stats = benchmark.stats.stats
        seconds = {name: getattr(stats, name) for name in _STATISTICS}
        return Times(**{f"{name}_ms": 1000 * s for name, s in seconds.items()}, rounds=stats.rounds)

    return timed


def _note_memory(benchmark: Any, record: Record) -> None:
    """Add to a saved benchmark what was measured beside the times.

    An unused fixture would warn: where nothing was timed, it is used on nothing.
    """
    if benchmark.stats is None:  # nothing, or the network was timed for another number
        if not benchmark.has_error:
            benchmark.disabled = True
            benchmark(lambda: None)
    elif record.measurement and "peak_mb" in record.measurement.notes:
        benchmark.extra_info["peak_mb"] = record.measurement.notes["peak_mb"]
