"""The vacc backend: the card where one is ready, else its precisions emulated by onnxruntime."""

from functools import cache
from pathlib import Path

from sr_bench.backends import onnxruntime
from sr_bench.backends._session import CheckedSession
from sr_bench.backends.vacc.probe import Probe, SdkState, probe
from sr_bench.backends.vacc.rig import Rig, read_rig
from sr_bench.core.backend import (
    DEFAULT_OPTIONS,
    Artefact,
    BackendInfo,
    BackendOptions,
    Form,
    Session,
)
from sr_bench.core.precision import Precision
from sr_bench.errors import OptionError

NEVER_EXECUTED = "adapter never executed on VastAI hardware"
"""Said of every number from a card until the hardware test has written `RECEIPT`."""

RECEIPT = Path(__file__).with_name("executed_on.json")
"""What `tests/backends/vacc/test_hardware.py` writes after it has passed on a card."""


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what this backend is, after a look for the card.

    Raises:
        OptionError: A card is required and none is ready, or the rig's file has faults.
    """
    if card := _card(options):
        note = f"card {card.card_type}, {card.dies} dies, driver {card.driver}"
        note = "; ".join([note, *_adapter_note().values()])
        return BackendInfo(
            *("vacc", card.sdk, "vacc"),
            emulated=False,
            note=note,
            form=Form.SOURCE,
            hardware=card.card_type,
        )
    version = f"onnxruntime {onnxruntime.library_version()}"
    note = "by onnxruntime, as --sr-device=emulate asks"
    if options.device != "emulate":
        absent = _probed(read_rig())
        note = f"by onnxruntime, as no card is ready: {absent.state}: {absent.reason}"
    return BackendInfo("vacc", version, "emulated", emulated=True, note=note, form=Form.EMULATED)


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return what can run here now: fp32, which the card doesn't know, runs on the CPU."""
    return onnxruntime.precisions()


def open_session(
    artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
) -> Session:
    """Open `artefact` on the card, or on the emulator.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file, or the card can't be used.
    """
    card = _card(options)
    if card and artefact.source:
        from sr_bench.backends.vacc.run.session import CardSession  # loads onnx

        return CardSession(artefact.source, read_rig(), card.sdk, notes=_adapter_note())
    graph = onnxruntime.open_onnx(artefact, threads=threads)
    name, device = ("onnxruntime", "cpu") if card else ("vacc (emulated)", "emulated")
    return CheckedSession(graph, backend=name, device=device, notes=graph.notes)


def _adapter_note() -> dict[str, str]:
    return {} if RECEIPT.is_file() else {"adapter": NEVER_EXECUTED}


def _card(options: BackendOptions) -> Probe | None:
    """Return the card to use; None if it is to be emulated."""
    if options.device == "emulate":
        return None
    card = _probed(read_rig())
    if card.state is SdkState.READY:
        return card
    if options.device == "require":
        msg = f"--sr-device=require, but no card is ready: {card.state}: {card.reason}"
        raise OptionError(msg)
    return None


@cache
def _probed(rig: Rig) -> Probe:
    """Return the state of the card; a process looks once."""
    return probe(rig)
