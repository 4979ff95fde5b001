"""The replay backend: outputs that were recorded on a device, scored where there is none."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._session import CheckedSession
from sr_bench.core.backend import (
    DEFAULT_OPTIONS,
    Artefact,
    BackendInfo,
    BackendOptions,
    Form,
    Session,
)
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.recording.format import (
    Header,
    RecordedOutput,
    entries_path,
    read_entries,
    read_header,
    read_output,
)
from sr_bench.recording.packed import array_digest
from sr_bench.text.printable import some

_LISTED = 6  # names or shapes in a message


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what was recorded, and where.

    Raises:
        OptionError: The folder of `options` holds no recording.
        BackendError: Its recording is damaged.
    """
    if options.replay is None:
        note = "needs a recording: give its folder with --sr-replay"
        return BackendInfo("replay", "none", "none", emulated=False, note=note, form=Form.RECORDED)
    header = read_header(options.replay)
    return BackendInfo(
        "replay",
        header.version,
        f"{header.device}, replayed",
        emulated=header.emulated,
        note=_origin(header),
        form=Form.RECORDED,
        answers=header.backend,
    )


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return those in the recording.

    Raises:
        BackendError: The recording is damaged.
    """
    recorded = {entry.precision for entry in _entries(options.replay)} if options.replay else ()
    return tuple(precision for precision in Precision.all() if precision in recorded)


def open_session(
    artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
) -> Session:
    """Open what was recorded of `artefact`: its name, network and precision decide.

    Raises:
        BackendError: The recording is damaged, or it is of other weights or another architecture.
        NotRunError: No recording is given, or nothing of this network is in it in this precision.
        OptionError: The folder of `options` holds no recording.
    """
    if options.replay is None:
        msg = "replay computes nothing: give the folder of a recording with --sr-replay"
        raise NotRunError(msg)
    header = read_header(options.replay)
    entries = _of_network(_of_model(_entries(options.replay), artefact, header), artefact)
    outputs = _Outputs(options.replay, entries)
    newest = outputs.newest.values()
    device = "; ".join(dict.fromkeys(entry.device for entry in newest)) + ", replayed"
    notes = {"replayed": _origin(header), **_device_notes(newest), **_several(entries)}
    if not artefact.network:
        notes["replayed_network"] = (
            f"{entries[0].network[:12]}, not compared with the weights, which are absent here"
        )
    return CheckedSession(outputs, backend="replay", device=device, notes=notes)


class _Outputs:
    """The outputs that were recorded of one network in one precision: a function of the input."""

    def __init__(self, folder: Path, entries: Sequence[RecordedOutput]) -> None:
        self._folder = folder
        # Entries come oldest first, and the last of a key stays.
        self.newest = {entry.input: entry for entry in entries}

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the newest output for `lr`, both float32 NCHW.

        Raises:
            BackendError: Its file is absent or damaged.
            NotRunError: This input was not recorded.
        """
        entry = self.newest.get(array_digest(lr))
        if entry is None:
            shapes = sorted({_by_x(entry.input_shape) for entry in self.newest.values()})
            msg = (
                f"this input of shape {_by_x(lr.shape)} was not recorded: the dataset or the"
                " protocol's resize, channel order or white level differ; recorded shapes are"
                f" {some(shapes, _LISTED)}"
            )
            raise NotRunError(msg)
        return read_output(self._folder, entry)


def _origin(header: Header) -> str:
    known = (header.environment.get(key) for key in ("cpu", "system"))
    host = ", ".join(str(value) for value in known if value) or "an unnamed machine"
    return (
        f"recorded {header.started} from {header.backend} {header.version} on {host}"
        f" by sr-bench {header.made_by}"
    )


def _entries(folder: Path) -> tuple[RecordedOutput, ...]:
    try:
        state = entries_path(folder).stat()
    except FileNotFoundError:
        return ()
    return _read_once(folder, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)
def _read_once(folder: Path, _changed_ns: int, _size: int) -> tuple[RecordedOutput, ...]:
    """Return the entries; read again only if the file has changed, as a session opens many."""
    return read_entries(folder)


def _of_model(
    entries: Sequence[RecordedOutput], artefact: Artefact, header: Header
) -> list[RecordedOutput]:
    of_model = [entry for entry in entries if entry.model == artefact.name]
    if matching := [entry for entry in of_model if entry.precision is artefact.precision]:
        return matching
    if of_model:
        held = "of it, only " + ", ".join(sorted({entry.precision for entry in of_model}))
    elif entries:
        names = sorted({entry.model for entry in entries})
        near = get_close_matches(artefact.name, names, n=_LISTED, cutoff=0.0)  # however far
        held = f"{len(names)} models, the nearest names are {', '.join(near)}"
    else:
        held = "nothing yet"
    msg = (
        f"{artefact.name} was not recorded in {artefact.precision}; the recording holds {held};"
        f" record it where {header.backend} runs: pytest --backend={header.backend} --sr-record DIR"
    )
    raise NotRunError(msg)


def _of_network(entries: list[RecordedOutput], artefact: Artefact) -> list[RecordedOutput]:
    """Return the entries of the network that `artefact` has, or that alone was recorded."""
    recorded = sorted({entry.network for entry in entries})
    # Without weights to tell by, the only one that was recorded is taken, and a note says so.
    if not artefact.network and len(recorded) == 1:
        return entries
    networks = ", ".join(digest[:12] for digest in recorded)
    if not artefact.network:
        msg = (
            f"{artefact.name} was recorded with several networks ({networks}); only the"
            " weights can show which is meant: give their folder with --sr-weights"
        )
        raise NotRunError(msg)
    if matching := [entry for entry in entries if entry.network == artefact.network]:
        return matching
    msg = (
        f"the recording of {artefact.name} is foreign: expected the network"
        f" {artefact.network[:12]}, got {networks}; weights or architecture differ from the"
        " recorded ones: use those, or record again"
    )
    raise BackendError(msg)


def _device_notes(entries: Iterable[RecordedOutput]) -> dict[str, str]:
    """Return the notes of the device's sessions; where they differ, all of them."""
    notes: dict[str, list[str]] = {}
    for entry in entries:
        made_by = {"recorded_with": entry.version, "recorded_artefact": entry.artefact[:12]}
        for key, text in (made_by | entry.notes).items():
            notes.setdefault(key, []).append(text)
    return {key: "; ".join(dict.fromkeys(texts)) for key, texts in notes.items()}


def _several(entries: Iterable[RecordedOutput]) -> dict[str, str]:
    """Return how many outputs the device gave for the same input; nothing if always one."""
    outputs: dict[str, set[str]] = {}
    for entry in entries:
        outputs.setdefault(entry.input, set()).add(entry.output)
    counts = [len(different) for different in outputs.values() if len(different) > 1]
    if not counts:
        return {}
    newest = f"newest of {max(counts)} different outputs"
    return {"replayed_outputs": f"{newest}, for {len(counts)} of {len(outputs)} inputs"}


def _by_x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
