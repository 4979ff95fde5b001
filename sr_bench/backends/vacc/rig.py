"""The rig: where this machine has the card's compiler and runtime, and how long they may take."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sr_bench.errors import OptionError
from sr_bench.files.validation import Table, read_toml, validate

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _LimitsTable(Table):
    probe_s: Seconds = 20.0
    compile_s: Seconds = 6 * 3600.0
    open_s: Seconds = 180.0
    run_s: Seconds = 60.0
    vamp_s: Seconds = 600.0
    wait_s: Seconds = 6 * 3600.0
    grace_s: Seconds = 5.0


class _RigTable(Table):
    python: str = sys.executable
    vamc: str = "vamc"
    vamp: str = "vamp"
    device: Annotated[int, Field(ge=0)] = 0
    limits: _LimitsTable = _LimitsTable()


@dataclass(frozen=True)
class PhaseLimits:
    """How many seconds each phase may take."""

    probe_s: float
    compile_s: float
    """Published builds of large networks took 3 to 6 hours."""
    open_s: float
    """To import the runtime, load a model and build its stream; for each of the three."""
    run_s: float
    """For one image."""
    vamp_s: float
    wait_s: float
    """Until another process has left the die."""
    grace_s: float
    """From the request to end until the process group is killed, and then until it is given up."""


@dataclass(frozen=True)
class Rig:
    """One machine's settings."""

    python: str
    """The interpreter that can import vaststreamx; by default our own."""
    vamc: str
    """The compiler's command: a path, or a name on the PATH."""
    vamp: str
    """The profiler's command."""
    device: int
    """Id of the die to use."""
    limits: PhaseLimits


def rig_path() -> Path:
    """Return where the rig's file is: ``SR_BENCH_RIG``, else ``rig.toml`` in the config folder."""
    if own := os.environ.get("SR_BENCH_RIG"):
        return Path(own).expanduser()
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "sr-bench" / "rig.toml"


def read_rig() -> Rig:
    """Return the rig's settings; the defaults if there is no file.

    Raises:
        OptionError: ``SR_BENCH_RIG`` names no file, or the file has faults; all are listed.
    """
    path = rig_path()
    given = path.is_file() or "SR_BENCH_RIG" in os.environ
    content = read_toml(path, OptionError) if given else {}
    table = validate(_RigTable, content, where=str(path), error=OptionError)
    limits = PhaseLimits(**table.limits.model_dump())
    return Rig(table.python, table.vamc, table.vamp, table.device, limits)
