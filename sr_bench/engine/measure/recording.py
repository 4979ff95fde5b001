"""A session whose outputs are recorded, so that they can be scored where there is no device."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench import __version__
from sr_bench.core.backend import Artefact, BackendInfo, Session
from sr_bench.engine.measure.around import Around
from sr_bench.errors import OptionError
from sr_bench.history.environment import read_environment
from sr_bench.recording.format import Header
from sr_bench.recording.recorder import Recorder


def start_recording(folder: Path, info: BackendInfo) -> Recorder:
    """Return what records to `folder` the outputs of the backend that `info` describes.

    A recording of the same backend and device goes on.

    Raises:
        OptionError: The folder holds something else, or the backend replays a recording.
        BackendError: The recording in the folder is damaged.
    """
    if info.answers:  # a replay
        msg = f"{info.name} computes nothing that could be recorded; copy the recording instead"
        raise OptionError(msg)
    header = Header(
        backend=info.name,
        version=info.version,
        device=info.device,
        emulated=info.emulated,
        made_by=__version__,
        environment=asdict(read_environment(Path.cwd())),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Recorder(folder, header)


class Recorded(Around):
    """A session that hands each input and output to a recorder."""

    def __init__(self, session: Session, artefact: Artefact, recorder: Recorder) -> None:
        super().__init__(session)
        self._artefact = artefact
        self._recorder = recorder

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW, once it is recorded."""
        output = super().run(lr)  # what fails is not recorded
        self._recorder.add(self._artefact, lr, output, device=self.device, notes=self.notes)
        return output
