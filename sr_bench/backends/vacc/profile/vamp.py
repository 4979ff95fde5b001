"""Profile a network with the card's own profiler, vamp, and read what it prints.

Source: github.com/Vastai/VastModelZOO, ``tools/vamp/README.md`` for the options of version 2.5.2,
and the logs in its documents since 2023, which differ in what they hold and in their typos.
"""

import math
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sr_bench.backends.vacc.build.compile import compile_network, compiler_version
from sr_bench.backends.vacc.build.vdsp import vdsp_text
from sr_bench.backends.vacc.rig import Rig
from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.backends.vacc.watchdog import classify, run_command
from sr_bench.core.device import CompilerInput, Shape
from sr_bench.errors import BackendError, DeviceError, OptionError
from sr_bench.files.temporary import temporary_folder

# What a line's key stands for, in lower case.
_NUMBERS = {
    "throughput (qps)": "throughput",
    "number of instances in each device": "instances",
    "number of process": "processes",
    "batch size": "batch",
    "batch szie": "batch",  # as some releases spell it
    "samples": "samples",
    "forwad time (s)": "seconds",
    "forward time (s)": "seconds",
    "ai utilize (%)": "ai_utilise_percent",
    "die memory used (mb)": "memory_mb",
    "temperature (°c)": "temperature_c",
    "card power (w)": "power_w",
}

_SPREAD = " latency (us)"
_END_TO_END, _MODEL = f"e2e{_SPREAD}", f"model{_SPREAD}"
_CLOCK = re.compile(r"(\w+CLK):\s+(\d+)\s+MHz")

_WHOLE = frozenset({"instances", "processes", "batch", "samples"})


@dataclass(frozen=True)
class Spread:
    """The times of all runs, in microseconds; None where not printed."""

    avg_us: float | None = None
    min_us: float | None = None
    max_us: float | None = None
    percentiles_us: Mapping[str, float] = field(default_factory=dict)
    """By name: ``p50``, ``p90``, ``p95``, ``p99``."""


@dataclass(frozen=True)
class Latency:
    """One profile; None, or empty, where the profiler did not print it."""

    throughput: float
    """Images per second, of all instances and devices together."""
    end_to_end: Spread | None = None
    """From the input on the host to the output on the host, with the time spent in queues."""
    model: Spread | None = None
    """Of the network on the device alone."""
    instances: int | None = None
    """Copies of the network that run at once on each device."""
    processes: int | None = None
    devices: tuple[int, ...] = ()
    """Ids of the dies."""
    batch: int | None = None
    """Images in one run."""
    samples: int | None = None
    """Images that were run."""
    seconds: float | None = None
    """That they took."""
    ai_utilise_percent: float | None = None
    memory_mb: float | None = None
    """Of the die, while it ran."""
    temperature_c: float | None = None
    power_w: float | None = None
    """Of the whole card, which may have several dies."""
    clocks_mhz: Mapping[str, int] = field(default_factory=dict)
    """By the clock's name, such as ``OCLK``; without them two profiles don't compare."""


@dataclass(frozen=True)
class Load:
    """How a network is kept busy while it is profiled.

    Raises:
        OptionError: A number is not positive, or there are more processes than instances.
    """

    instances: int = 1
    """Copies of the network that run at once."""
    processes: int = 1
    """That they are spread over."""
    batch: int = 1
    """Images in one run."""
    iterations: int = 1024
    """Runs to measure."""

    def __post_init__(self) -> None:
        if not 1 <= self.processes <= self.instances or self.batch < 1 or self.iterations < 1:
            msg = f"expected positive numbers, at most as many processes as instances, got {self}"
            raise OptionError(msg)


def profile(source: CompilerInput, shape: Shape, rig: Rig, load: Load) -> Latency:
    """Return how fast `source` runs on a die of its own, fed with 8-bit images.

    Raises:
        NotRunError: The compiler or the profiler is not here, or the die is in use.
        DeviceError: One of them failed.
        BackendError: The network can't be compiled or fed with images.
    """
    operators = vdsp_text(shape, source.white)
    compiled = compile_network(source, shape, rig, version=compiler_version(rig))
    limits = rig.limits
    with (
        # Alone on the die: another process would take part of its time.
        DeviceState().die(rig.device, wait_s=limits.wait_s, settle_s=limits.grace_s),
        temporary_folder() as folder,
    ):
        path = Path(folder, "vdsp.json")
        path.write_text(operators)
        return run_vamp(compiled.prefix, shape, rig, path, load)


def run_vamp(prefix: Path, shape: Shape, rig: Rig, vdsp: Path, load: Load) -> Latency:
    """Profile a network that was compiled for `shape`, and return the measurements.

    `prefix` is the path of the compiled files without extensions; the file `vdsp` has the
    parameters of the card's pre-processing.

    Raises:
        NotRunError: The profiler is not here.
        DeviceError: It failed, or took longer than ``limits.vamp_s``.
        BackendError: Its output holds no throughput.
    """
    argv = [rig.vamp, "-m", str(prefix), "--vdsp_params", str(vdsp)]
    # Many documents print "p 1"; without its dash it is no option.
    argv += ["-i", str(load.instances), "-p", str(load.processes), "-b", str(load.batch)]
    # -s is the shape of one image, without N.
    argv += ["-d", str(rig.device), "-s", "[{},{},{}]".format(*shape[1:])]
    argv += ["--iterations", str(load.iterations)]
    with temporary_folder() as folder:
        outcome = run_command(
            argv,
            limit_s=rig.limits.vamp_s,
            grace_s=rig.limits.grace_s,
            log=Path(folder, "vamp.log"),
            # Published recipes and the vendor's Dockerfile set it; nobody says what for.
            env={**os.environ, "VSX_DISABLE_DEEPBIND": "1"},
        )
    if failure := classify(outcome):
        msg = f"{' '.join(argv)} {outcome.describe()}"
        raise DeviceError(failure, msg)
    latency = parse_vamp(outcome.log, where=f"the output of {rig.vamp}")
    return replace(latency, clocks_mhz=_clocks(rig))


def parse_vamp(text: str, *, where: str) -> Latency:
    """Return the profile in `text`, the whole output of one run for one number of instances.

    Raises:
        BackendError: There is no throughput or there are several, or a value is not a number.
    """
    values, spreads, devices = _read(text, where)
    if "throughput" not in values:
        msg = f"{where}: expected a line 'throughput (qps): <number>', got none: profile again"
        raise BackendError(msg)
    counts = {name: int(value) for name, value in values.items() if name in _WHOLE}
    return Latency(
        **{**values, **counts},  # type: ignore[arg-type]
        devices=devices,
        end_to_end=_spread(spreads.get(_END_TO_END)),
        model=_spread(spreads.get(_MODEL)),
    )


def parse_clocks(text: str) -> dict[str, int]:
    """Return the clocks in MHz by name that ``vasmi getfreq`` printed; empty if none.

    Source: the same repository, ``llm/common/benchmark/utils.py``.
    """
    return {name: int(mhz) for name, mhz in _CLOCK.findall(text)}


def _clocks(rig: Rig) -> dict[str, int]:
    """Return the clocks of the die; empty if they can't be asked for."""
    vasmi = shutil.which("vasmi")
    # It counts cards and dies, the runtime counts all dies: only the first is surely the same.
    if vasmi is None or rig.device != 0:
        return {}
    with temporary_folder() as folder:
        outcome = run_command(
            [vasmi, "getfreq", "-d", "0", "-i", "0"],
            limit_s=rig.limits.probe_s,
            grace_s=rig.limits.grace_s,
            log=Path(folder, "vasmi.log"),
        )
    return {} if classify(outcome) else parse_clocks(outcome.log)


def _read(
    text: str, where: str
) -> tuple[dict[str, float], dict[str, dict[str, float]], tuple[int, ...]]:
    """Return the numbers by our names, the times by section and name, and the devices."""
    values: dict[str, float] = {}
    spreads: dict[str, dict[str, float]] = {}
    devices: tuple[int, ...] = ()
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        # Of lines such as "- a: 1" and "*** a:1 ****" too.
        key, _, value = line.strip(" \t*").removeprefix("- ").partition(":")
        key, value = key.strip().lower(), value.strip()
        name = _NUMBERS.get(key, "")
        if name == "throughput" and name in values:
            msg = f"{where}:{number}: expected one report, got the throughput of a second one"
            raise BackendError(msg)
        if name:
            values[name] = _number(value, f"{where}:{number}: {key}")
        elif key == "devices":
            devices = tuple(map(int, re.findall(r"\d+", value)))
        elif key in (_END_TO_END, _MODEL):
            section = key
        elif section and key.endswith(" latency"):
            times = spreads.setdefault(section, {})
            times[key.removesuffix(" latency")] = _number(value, f"{where}:{number}: {key}")
    return values, spreads, devices


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        msg = f"{where}: expected a number, got {text!r}"
        raise BackendError(msg)
    return value


def _spread(times: Mapping[str, float] | None) -> Spread | None:
    if times is None:
        return None
    percentiles = {name: us for name, us in times.items() if re.fullmatch(r"p\d+", name)}
    return Spread(times.get("avg"), times.get("min"), times.get("max"), percentiles)
