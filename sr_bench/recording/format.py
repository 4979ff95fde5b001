"""A recording: what networks gave on a device, kept by digest with where it comes from.

``recording.json`` says what computed, and where; ``entries.jsonl`` has one line for each output;
``outputs/<first two digits>/<digest>.z`` holds its values as `packed` writes them.
"""

import json
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, OptionError
from sr_bench.files.disk import read_if_present
from sr_bench.files.validation import Table, validate
from sr_bench.recording.packed import array_digest, unpack
from sr_bench.text.printable import printable

SCHEMA_VERSION: Final = 1
HEADER, _ENTRIES, _OUTPUTS = "recording.json", "entries.jsonl", "outputs"

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Fact = str | int | None
_Length = Annotated[int, Field(ge=1)]
Shape = tuple[_Length, _Length, _Length, _Length]  # N, C, H, W; JSON has it as a list


class Header(Table):
    """What computed the outputs of a recording, and where."""

    schema_version: Literal[1] = SCHEMA_VERSION
    backend: str
    version: str
    """Of the backend's library when the recording was started."""
    device: str
    emulated: bool
    made_by: str
    """Version of sr-bench."""
    environment: dict[str, _Fact | dict[str, _Fact]]
    """The fields of `sr_bench.core.history.Environment`, which names nobody."""
    started: str
    """ISO 8601, UTC."""

    @property
    def computed_by(self) -> str:
        """Backend, device and whether it was emulated: one recording holds only one of these."""
        emulated = "emulated" if self.emulated else "not emulated"
        return f"{self.backend} on the device {self.device!r}, {emulated}"


class RecordedOutput(Table):
    """One output of a network."""

    model: str
    """``family/model``."""
    network: str
    """Digest of the weights and of the architecture that they were loaded into."""
    precision: Precision
    artefact: str
    """Digest of all that determined the network in this precision."""
    version: str
    """Of the backend's library."""
    device: str
    """What computed it: not every precision runs on a backend's device."""
    notes: dict[str, str]
    """What the session said about how it computed."""
    input: Digest
    input_shape: Shape
    output: Digest
    output_shape: Shape

    @property
    def key(self) -> tuple[str, str, Precision, str]:
        """What a replay looks for; of the entries with the same one, the last counts."""
        return (self.model, self.network, self.precision, self.input)


def read_header(folder: Path) -> Header:
    """Return what the recording in `folder` says about itself.

    Raises:
        OptionError: There is no recording.
        BackendError: Its ``recording.json`` is damaged, or of a newer sr-bench.
    """
    path = folder / HEADER
    if (data := read_if_present(path)) is None:
        msg = (
            f"{folder}: expected a recording, but {HEADER} is absent; make one on a machine with"
            " the device: pytest --sr-record DIR"
        )
        raise OptionError(msg)
    content = _table(data, str(path))
    # Asked first, as a newer header may have keys that are unknown here.
    version = content.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        msg = f"{path}: schema {version} is newer than {SCHEMA_VERSION}; update sr-bench"
        raise BackendError(msg)
    return validate(Header, content, where=str(path), error=BackendError)


def entries_path(folder: Path) -> Path:
    """Return where the entries of the recording in `folder` are; absent if there is none yet."""
    return folder / _ENTRIES


def read_entries(folder: Path) -> tuple[RecordedOutput, ...]:
    """Return the entries of the recording in `folder`, oldest first.

    What follows the last line feed is left out: a line whose writer was killed.

    Raises:
        BackendError: A line is damaged; the message names it.
    """
    path = entries_path(folder)
    lines = (read_if_present(path) or b"").split(b"\n")[:-1]
    places = [f"{path}:{number}" for number in range(1, len(lines) + 1)]
    return tuple(
        validate(RecordedOutput, _table(line, where), where=where, error=BackendError)
        for line, where in zip(lines, places, strict=True)
    )


def _table(data: bytes, where: str) -> dict[str, object]:
    fault = f"got {printable(data[:60].decode(errors='replace'))}"
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as cause:
        content, fault = None, str(cause)
    if not isinstance(content, dict):
        msg = (
            f"{where}: damaged, expected a JSON object ({fault}); restore it from a copy, or record"
            " again into another folder"
        )
        raise BackendError(msg)
    return content


def read_output(folder: Path, entry: RecordedOutput) -> NDArray[np.float32]:
    """Return the output of `entry`, bit for bit as the device gave it; float32, NCHW.

    Raises:
        BackendError: Its file is absent or damaged; the message names it.
    """
    path, fault = output_path(folder, entry), "it is absent"
    if (data := read_if_present(path)) is not None:
        try:
            output = unpack(data, entry.output_shape)
            if array_digest(output) == entry.output:
                return output
            fault = "other values are in it"
        except ValueError as cause:
            fault = str(cause)
    what = f"{path}: not the recorded output of {entry.model} in {entry.precision}: {fault}"
    msg = f"{what}; restore the file from a copy, or record again"
    raise BackendError(msg)


def output_path(folder: Path, entry: RecordedOutput) -> Path:
    """Return where the output of `entry` is."""
    return folder / _OUTPUTS / entry.output[:2] / f"{entry.output}.z"
