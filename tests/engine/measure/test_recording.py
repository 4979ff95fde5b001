"""A session's outputs are recorded, and the recording scores alike under any protocol."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.backends import onnxruntime, replay
from sr_bench.core.backend import Artefact, BackendInfo, BackendOptions, Session
from sr_bench.core.card import ModelCard
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import open_dataset
from sr_bench.engine.job import ImageResult, Job, quiet
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.engine.measure.recording import Recorded, start_recording
from sr_bench.errors import BackendError, NotRunError, OptionError
from sr_bench.recording.format import read_entries, read_header
from tests.ends import ends
from tests.recording.recordings import artefact, lr_of
from tests.tiny_zoo import Zoo

INFO = BackendInfo("vacc", "2.8.3", "vacc", emulated=False, note="")
SAME_INPUT = (
    EvalProtocol("plain"),
    EvalProtocol("cut_y", colour="y_rounded", border="scale", rounding="truncate"),
    EvalProtocol("floats", colour="y_float", clip=False, rounding="none", border=3),
)


class Doubling:
    """A session that repeats pixels on the CPU, has notes, and can be closed."""

    device = "cpu"

    def __init__(self, notes: Mapping[str, str] | None = None) -> None:
        self.notes = notes or {}
        self.closed = 0

    def run(self, lr: np.ndarray) -> np.ndarray:
        if lr.ndim != 4:
            msg = "wrong"
            raise BackendError(msg)
        return lr.repeat(2, axis=2).repeat(2, axis=3)

    def close(self) -> None:
        self.closed += 1

    def __enter__(self) -> "Doubling":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _recorded(folder: Path, session: Session) -> Recorded:
    return Recorded(session, artefact(), start_recording(folder, INFO))


def _job(zoo: Zoo, rule: EvalProtocol) -> Job:
    card = ModelCard(
        "tiny_x2",
        "tiny",
        zoo.suite,
        "Tiny",
        "",
        2,
        "",
        **ends(1.0),
    )
    dataset = load_dataset("pair", (zoo.root / "datasets",))
    images = open_dataset(dataset, scale=2, given=zoo.data, lr_from=rule.lr_from)
    return Job(card, rule, images)


def _scores(job: Job, session: Session) -> tuple[ImageResult, ...]:
    return run_job(job, session, pairs=PairCache(), threads=2, progress=quiet)


@pytest.mark.parametrize("recorded_by", SAME_INPUT, ids=lambda rule: rule.name)
def test_a_replay_scores_as_the_session_did_by_every_protocol(
    shared_zoo: Zoo, recorded_by: EvalProtocol, tmp_path: Path
) -> None:
    network = shared_zoo.suite / "tiny.onnx"
    recorded = Artefact(network, None, Precision.FP32, "d", "tiny/tiny_x2", "n")
    recorder = start_recording(tmp_path, onnxruntime.describe())
    with onnxruntime.open_session(recorded) as direct:
        _scores(_job(shared_zoo, recorded_by), Recorded(direct, recorded, recorder))
        expected = [_scores(_job(shared_zoo, rule), direct) for rule in SAME_INPUT]
    anywhere = replace(recorded, onnx=None)
    with replay.open_session(anywhere, options=BackendOptions(replay=tmp_path)) as replayed:
        assert [_scores(_job(shared_zoo, rule), replayed) for rule in SAME_INPUT] == expected
        with pytest.raises(NotRunError, match=r"tiny_x2 on [ab]: .* channel order"):
            _scores(_job(shared_zoo, EvalProtocol("bgr", channel_order="bgr")), replayed)
    assert len({result[0].scores["psnr"] for result in expected}) == len(SAME_INPUT)


def test_outputs_device_and_notes_are_the_sessions_own(tmp_path: Path) -> None:
    inner = Doubling({"compiler": "vamc 1"})
    with _recorded(tmp_path, inner) as session:
        assert (session.device, session.notes) == ("cpu", {"compiler": "vamc 1"})
        np.testing.assert_array_equal(session.run(lr_of(1)), inner.run(lr_of(1)))
        assert inner.closed == 0
    assert inner.closed == 1
    (entry,) = read_entries(tmp_path)
    assert (entry.device, entry.notes) == ("cpu", {"compiler": "vamc 1"})


def test_what_fails_is_not_recorded(tmp_path: Path) -> None:
    session = _recorded(tmp_path, Doubling())
    with pytest.raises(BackendError, match="wrong"):
        session.run(lr_of(1)[0])
    assert read_entries(tmp_path) == ()


def test_several_threads_run_and_record(tmp_path: Path) -> None:
    session = _recorded(tmp_path, Doubling())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(session.run, map(lr_of, range(20))))
    options = BackendOptions(replay=tmp_path)
    with replay.open_session(artefact(), options=options) as replayed:
        for seed in range(20):
            np.testing.assert_array_equal(replayed.run(lr_of(seed)), Doubling().run(lr_of(seed)))


def test_the_header_says_what_computed_and_where(tmp_path: Path) -> None:
    start_recording(tmp_path, INFO)
    header = read_header(tmp_path)
    assert (header.backend, header.version, header.device) == ("vacc", "2.8.3", "vacc")
    assert "numpy" in header.environment["packages"]
    assert header.started.endswith("+00:00")


def test_no_file_names_a_person_or_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "jdoe"))
    folder = tmp_path / "tape"
    recorder = start_recording(folder, INFO)
    notes = {"sdk": f"{tmp_path}/jdoe/vastai/2.8"}
    Recorded(Doubling(notes), artefact(), recorder).run(lr_of(1))
    assert read_entries(folder)[0].notes == {"sdk": "~/vastai/2.8"}
    for path in filter(Path.is_file, folder.rglob("*")):
        assert not any(word in path.read_bytes() for word in (b"jdoe", str(tmp_path).encode()))


def test_a_replay_is_not_recorded_again(tmp_path: Path) -> None:
    _recorded(tmp_path / "tape", Doubling())
    info = replay.describe(BackendOptions(replay=tmp_path / "tape"))
    with pytest.raises(OptionError, match="replay computes nothing that could be recorded; copy"):
        start_recording(tmp_path / "again", info)
    assert not (tmp_path / "again").exists()
