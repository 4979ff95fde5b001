"""Add to a recording, as others may at the same time."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Artefact
from sr_bench.errors import BackendError, OptionError
from sr_bench.files.atomic import append_line, write_bytes, write_text
from sr_bench.files.disk import disk_error
from sr_bench.recording.format import (
    HEADER,
    Header,
    RecordedOutput,
    entries_path,
    output_path,
    read_entries,
    read_header,
    read_output,
)
from sr_bench.recording.packed import array_digest, pack
from sr_bench.text.home import without_home


class Recorder:
    """Adds outputs to a recording, from any thread; other processes may add to it as well.

    Args:
        folder: Of the recording; made if it is absent.
        header: Written if a recording is started, compared if one is continued.

    Raises:
        OptionError: The folder holds a recording of something else, or other files.
        BackendError: The recording there is damaged.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        _begin(folder, header)
        self._folder = folder
        self._version = header.version
        self._newest = {entry.key: entry for entry in read_entries(folder)}
        self._lock = Lock()

    def add(
        self,
        artefact: Artefact,
        lr: NDArray[np.float32],
        output: NDArray[np.float32],
        *,
        device: str,
        notes: Mapping[str, str],
    ) -> None:
        """Keep `output`, which `artefact` gave for `lr`, both float32 NCHW.

        `device` and `notes` are what the session says about how it computed.
        An output that is already the newest of its input is not kept again; another one of the
        same input is kept beside it. The output is on the disk before the entry that names it.

        Raises:
            SrBenchError: It can't be written; the recording is as it was.
        """
        entry = RecordedOutput(
            model=artefact.name,
            network=artefact.network,
            precision=artefact.precision,
            artefact=artefact.digest,
            version=self._version,
            device=device,
            notes={key: without_home(text) for key, text in notes.items()},
            input=array_digest(lr),
            input_shape=lr.shape,
            output=array_digest(output),
            output_shape=output.shape,
        )
        try:
            read_output(self._folder, entry)
        except BackendError:  # absent, or damaged: recording again repairs it
            write_bytes(output_path(self._folder, entry), pack(output))
        # Comparing and adding in one step, or two threads would both add the same entry.
        with self._lock:
            if self._newest.get(entry.key) != entry:
                path = entries_path(self._folder)
                append_line(path, entry.model_dump_json(), cut_torn=True)
                self._newest[entry.key] = entry


def _begin(folder: Path, header: Header) -> None:
    path = folder / HEADER
    if not path.exists():
        # Others may begin the same recording now: theirs are temporary files, then the header.
        foreign = [name for name in _names(folder) if not name.startswith(f".{HEADER}.")]
        if not foreign:
            write_text(path, header.model_dump_json(indent=1) + "\n")
        # Asked again, as another process may have written it since.
        elif not path.exists():
            msg = (
                f"{folder}: expected a recording or an empty folder, got {min(foreign)!r} and no"
                f" {HEADER}; record into another folder"
            )
            raise OptionError(msg)
    kept = read_header(folder)
    if kept.computed_by != header.computed_by:
        msg = (
            f"{folder}: holds outputs of {kept.computed_by}; this session is of"
            f" {header.computed_by}; record into another folder"
        )
        raise OptionError(msg)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise disk_error(error, folder, "record into") from error
