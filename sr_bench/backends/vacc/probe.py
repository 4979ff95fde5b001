"""Find out whether there is a card that can be used, in a process that may crash or hang."""

import json
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from sr_bench.backends.vacc.rig import Rig, rig_path
from sr_bench.backends.vacc.run import worker
from sr_bench.backends.vacc.watchdog import CommandResult, classify, run_command
from sr_bench.errors import BackendError, NotRunError, SrBenchError
from sr_bench.files.temporary import temporary_folder
from sr_bench.files.validation import Table, validate
from sr_bench.text.home import without_home


class SdkState(StrEnum):
    """How far the way to a card is clear."""

    NO_SDK = "no-sdk"
    """vaststreamx is not installed."""
    SDK_BROKEN = "sdk-broken"
    """It is, but can't be imported."""
    NO_DRIVER = "no-driver"
    """The kernel module is not loaded."""
    NO_DEVICE = "no-device"
    """There is no card, or it does not answer."""
    READY = "ready"


@dataclass(frozen=True)
class Probe:
    """The state of the card; a text is empty where it is not known."""

    state: SdkState
    reason: str
    """One sentence: what is missing and what to do; empty if ready."""
    sdk: str = ""
    """Version of vaststreamx."""
    card_type: str = ""
    """Such as ``VA1-16G``."""
    dies: int = 0
    """On all cards together."""
    driver: str = ""


class _Status(Table):
    """What the worker writes: see its `probe`."""

    step: str = ""
    error: str = ""
    sdk: str = ""
    driver: str = ""
    card_type: str = ""
    dies: int = 0


# The state when this step of the worker was the last; before and at "import", a broken SDK.
_STATES = {
    "find": SdkState.NO_SDK,
    "driver": SdkState.NO_DRIVER,
    "nodes": SdkState.NO_DEVICE,
    "device": SdkState.NO_DEVICE,
    "cards": SdkState.NO_DEVICE,
    "done": SdkState.READY,
}

_ADVICE = {
    SdkState.NO_SDK: "install it, or set python in {rig} to an interpreter that has it",
    SdkState.SDK_BROKEN: "repair the SDK; `{python} -c 'import vaststreamx, numpy'` shows more",
    SdkState.NO_DRIVER: "install and load the card's driver",
    SdkState.NO_DEVICE: "check that the card is there and that device in {rig} is one of its dies",
}


def probe(rig: Rig, *, proc: Path = Path("/proc"), dev: Path = Path("/dev")) -> Probe:
    """Return how far the way to the rig's card is clear.

    Without the SDK in our own interpreter, where the rig names no other, no process is started.

    The kernel modules are listed in `proc`, and the nodes of the devices are in `dev`.
    """
    if rig.python == sys.executable and find_spec("vaststreamx") is None:
        return _judge(_Status(step="find", error="the package vaststreamx is not installed"), rig)
    with temporary_folder() as folder:
        status = Path(folder) / "status.json"
        argv = [rig.python, worker.__file__, "probe", str(status), "--device", str(rig.device)]
        argv += ["--proc", str(proc), "--dev", str(dev)]
        limits = rig.limits
        try:
            outcome = run_command(
                argv, limit_s=limits.probe_s, grace_s=limits.grace_s, log=Path(folder) / "log"
            )
        except NotRunError as error:
            return Probe(SdkState.NO_SDK, str(error))
        except SrBenchError as error:
            return Probe(SdkState.SDK_BROKEN, str(error))
        return _judge(_read(status, outcome), rig)


def _read(status: Path, outcome: CommandResult) -> _Status:
    """Return what the worker wrote, with the manner of its end if that was none of its own."""
    # Absent if the process died before its first note.
    content = json.loads(status.read_text()) if status.is_file() else {}
    steps = validate(_Status, content, where=str(status), error=BackendError)
    if steps.error or classify(outcome) is None:
        return steps
    last = [*outcome.log.strip().splitlines(), ""][-1]
    error = ": ".join(filter(None, (f"the process {outcome.ending}", last)))
    return steps.model_copy(update={"error": error})


def _judge(status: _Status, rig: Rig) -> Probe:
    state = _STATES.get(status.step, SdkState.SDK_BROKEN)
    if state is SdkState.READY:
        return Probe(state, "", status.sdk, status.card_type, status.dies, status.driver)
    advice = _ADVICE[state].format(rig=without_home(str(rig_path())), python=rig.python)
    at = f"{status.step}: " if state in (SdkState.SDK_BROKEN, SdkState.NO_DEVICE) else ""
    reason = f"{at}{status.error}; {advice}"
    return Probe(state, reason, status.sdk, driver=status.driver)
