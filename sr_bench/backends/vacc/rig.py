"""The rig: where this machine has the card's compiler and runtime, and how long they may take."""

import os
import sys
from dataclasses import field
from pathlib import Path
from typing import Annotated

from pydantic.dataclasses import dataclass

from sr_bench.core.fields import Bounds
from sr_bench.errors import OptionError
from sr_bench.files.toml import read_toml
from sr_bench.files.validation import STRICT, validate

Seconds = Annotated[float, Bounds(gt=0)]


@dataclass(config=STRICT, frozen=True)
class PhaseLimits:
    """How many seconds each phase may take."""

    probe_s: Seconds = 20.0
    compile_s: Seconds = 6 * 3600.0
    """Published builds of large networks took 3 to 6 hours."""
    open_s: Seconds = 180.0
    """To import the runtime, load a model and build its stream; for each of the three."""
    run_s: Seconds = 60.0
    """For one image."""
    vamp_s: Seconds = 600.0
    wait_s: Seconds = 6 * 3600.0
    """Until another process has left the die."""
    grace_s: Seconds = 5.0
    """From the request to end until the process group is killed, and then until it is given up."""


@dataclass(config=STRICT, frozen=True)
class Rig:
    """One machine's settings."""

    # The vendor's container keeps compiler and runtime in two environments.
    python: str = sys.executable
    """The interpreter that can import vaststreamx; by default our own."""
    vamc: str = "vamc"
    """The compiler's command: a path, or a name on the PATH."""
    vamp: str = "vamp"
    """The profiler's command."""
    device: Annotated[int, Bounds(ge=0)] = 0
    """Id of the die to use."""
    limits: PhaseLimits = field(default_factory=PhaseLimits)


def rig_path() -> Path:
    """Return where the rig's file is: ``SR_BENCH_RIG``, else ``rig.toml`` in the config folder."""
    if path := os.environ.get("SR_BENCH_RIG"):
        return Path(path).expanduser()
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "sr-bench" / "rig.toml"


def read_rig() -> Rig:
    """Return the rig's settings; the defaults if there is no file.

    Raises:
        OptionError: ``SR_BENCH_RIG`` names no file, or the file has faults; all are listed.
    """
    path = rig_path()
    # A file that the user names must be there; the usual one may be absent.
    given = path.is_file() or "SR_BENCH_RIG" in os.environ
    content = read_toml(path, OptionError) if given else {}
    return validate(Rig, content, where=str(path), error=OptionError)
