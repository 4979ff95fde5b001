"""The replay answers with what was recorded, and says what was not, or not of this network."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sr_bench.backends import replay
from sr_bench.core.backend import Artefact, BackendOptions, Form, Session
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError, OptionError
from sr_bench.recording.format import entries_path
from sr_bench.recording.recorder import Recorder
from tests.recording.recordings import add, artefact, header, lr_of, output_files, record, sr_of

RECORDED = (
    "recorded 2026-11-21T10:00:00+00:00 from vacc 2.8.3 on A CPU, Linux x86_64 by sr-bench 0.1.0"
)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Return the folder of a recording: two models, one of them in two precisions."""
    folder = tmp_path / "tape"
    record(folder, 1, 2)
    record(folder, 1, recorded=artefact(precision=Precision("int8_kl")), sr=sr_of(7))
    record(folder, 3, recorded=artefact("rcan/other_x4"))
    return folder


def _open(folder: Path, recorded: Artefact | None = None) -> Session:
    return replay.open_session(recorded or artefact(), options=BackendOptions(replay=folder))


def _notes(folder: Path, recorded: Artefact | None = None) -> Mapping[str, str]:
    with _open(folder, recorded) as session:
        return session.notes


def test_it_describes_what_was_recorded(tape: Path) -> None:
    info = replay.describe(BackendOptions(replay=tape))
    assert (info.name, info.answers, info.version) == ("replay", "vacc", "2.8.3")
    assert (info.device, info.emulated, info.form) == ("vacc, replayed", False, Form.RECORDED)
    assert info.note == RECORDED


def test_an_emulated_recording_stays_emulated(tmp_path: Path) -> None:
    Recorder(tmp_path, header(device="emulated", emulated=True, environment={}))
    info = replay.describe(BackendOptions(replay=tmp_path))
    assert (info.device, info.emulated) == ("emulated, replayed", True)
    assert "on an unnamed machine" in info.note


def test_without_a_recording_it_says_what_it_needs() -> None:
    info = replay.describe()
    assert (info.name, info.form, info.emulated) == ("replay", Form.RECORDED, False)
    assert "--sr-replay" in info.note
    assert replay.precisions() == ()
    with pytest.raises(NotRunError, match="give the folder of a recording with --sr-replay"):
        replay.open_session(artefact())


def test_a_folder_without_recording_is_a_wrong_option(tmp_path: Path) -> None:
    for call in (replay.describe, lambda options: replay.open_session(artefact(), options=options)):
        with pytest.raises(OptionError, match=r"recording\.json is absent"):
            call(BackendOptions(replay=tmp_path))


def test_the_precisions_are_those_recorded(tape: Path, tmp_path: Path) -> None:
    assert replay.precisions(BackendOptions(replay=tape)) == (Precision.FP16, Precision("int8_kl"))
    Recorder(tmp_path / "new", header())
    assert replay.precisions(BackendOptions(replay=tmp_path / "new")) == ()


def test_each_network_and_precision_has_its_outputs(tape: Path) -> None:
    with _open(tape) as half, _open(tape, artefact(precision=Precision("int8_kl"))) as whole:
        assert half.device == "vacc, replayed"
        for seed in (1, 2):
            np.testing.assert_array_equal(half.run(lr_of(seed)), sr_of(seed))
        np.testing.assert_array_equal(whole.run(lr_of(1)), sr_of(7))


def test_the_notes_are_the_devices_and_where_they_come_from(tape: Path) -> None:
    assert _notes(tape) == {
        "replayed": RECORDED,
        "recorded_with": "2.8.3",
        "recorded_artefact": "d" * 12,
        "compiler": "vamc 1",
    }


def test_the_device_is_what_computed_each_output(tape: Path) -> None:
    full = artefact(precision=Precision.FP32)
    recorder = Recorder(tape, header())
    add(recorder, full, lr_of(1), sr_of(1), device="cpu")
    with _open(tape, full) as session:
        assert session.device == "cpu, replayed"
    add(recorder, full, lr_of(2), sr_of(2), device="vacc")
    with _open(tape, full) as session:
        assert session.device == "cpu; vacc, replayed"


def test_notes_that_changed_are_all_listed(tape: Path) -> None:
    recorder = Recorder(tape, header(version="3.0"))
    add(recorder, replace(artefact(), digest="e" * 64), lr_of(5), sr_of(5), compiler="2")
    notes = _notes(tape)
    assert notes["recorded_with"] == "2.8.3; 3.0"
    assert notes["recorded_artefact"] == "dddddddddddd; eeeeeeeeeeee"
    assert notes["compiler"] == "vamc 1; 2"
    assert "replayed_outputs" not in notes


def test_the_newest_of_different_outputs_counts(tape: Path) -> None:
    for seed in (8, 9, 8):
        record(tape, 1, sr=sr_of(seed))
    with _open(tape) as session:
        np.testing.assert_array_equal(session.run(lr_of(1)), sr_of(8))
        note = session.notes["replayed_outputs"]
    assert note == "newest of 3 different outputs, for 1 of 2 inputs"


@pytest.mark.parametrize(
    ("recorded", "held"),
    [
        (artefact("edsr/smal_x2"), "holds 2 models, the nearest names are edsr/small_x2, rcan"),
        (artefact(precision=Precision.FP32), "holds of it, only fp16, int8_kl; record it"),
        (artefact(""), "holds 2 models"),
    ],
)
def test_what_was_not_recorded_is_not_run(tape: Path, recorded: Artefact, held: str) -> None:
    message = rf"{recorded.name} was not recorded in {recorded.precision}; the recording {held}"
    with pytest.raises(NotRunError, match=message + r".*--backend=vacc --sr-record DIR"):
        _open(tape, recorded)


def test_an_empty_recording_runs_nothing(tmp_path: Path) -> None:
    Recorder(tmp_path, header())
    with pytest.raises(NotRunError, match="the recording holds nothing yet"):
        _open(tmp_path)


def test_another_network_is_foreign(tape: Path) -> None:
    message = "edsr/small_x2 is foreign: expected the network bbbbbbbbbbbb, got aaaaaaaaaaaa"
    with pytest.raises(BackendError, match=message + "; weights or architecture differ"):
        _open(tape, artefact(network="b" * 64))


def test_without_weights_the_only_recorded_network_counts(tape: Path) -> None:
    with _open(tape, artefact(network="")) as session:
        np.testing.assert_array_equal(session.run(lr_of(1)), sr_of(1))
        assert session.notes["replayed_network"].startswith("aaaaaaaaaaaa, not compared")


def test_without_weights_one_of_several_networks_is_not_guessed(tape: Path) -> None:
    record(tape, 1, recorded=artefact(network="b" * 64), sr=sr_of(9))
    with pytest.raises(NotRunError, match=r"several networks \(a{12}, b{12}\).*--sr-weights"):
        _open(tape, artefact(network=""))
    for network, seed in (("a" * 64, 1), ("b" * 64, 9)):
        with _open(tape, artefact(network=network)) as session:
            np.testing.assert_array_equal(session.run(lr_of(1)), sr_of(seed))


@pytest.mark.parametrize(
    "lr",
    [lr_of(4), lr_of(3), lr_of(1)[:, ::-1], lr_of(1) * np.float32(255), lr_of(1, height=6)],
    ids=["new", "of another model", "bgr", "white level", "size"],
)
def test_an_input_that_was_not_recorded_is_not_run(tape: Path, lr: np.ndarray) -> None:
    message = (
        f"shape 1x3x{lr.shape[2]}x5 was not recorded: the dataset or the protocol's resize,"
        " channel order or white level differ; recorded shapes are 1x3x4x5$"
    )
    with _open(tape) as session, pytest.raises(NotRunError, match=message):
        session.run(lr)


def test_many_recorded_shapes_are_cut_short(tape: Path) -> None:
    recorder = record(tape)
    for height in range(5, 14):
        add(recorder, artefact(), lr_of(1, height), sr_of(1))
    with _open(tape) as session, pytest.raises(NotRunError, match=r"1x3x5x5 and 4 more$"):
        session.run(lr_of(99))


def test_any_memory_layout_is_the_same_input(tape: Path) -> None:
    strided = np.ascontiguousarray(lr_of(1).transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    with _open(tape) as session:
        np.testing.assert_array_equal(session.run(strided), sr_of(1))


def test_a_missing_output_is_an_error_not_a_skip(tape: Path) -> None:
    for path in output_files(tape):
        path.unlink()
    with (
        _open(tape) as session,
        pytest.raises(BackendError, match=r"\.z: not the recorded output .*absent"),
    ):
        session.run(lr_of(1))


def test_entries_are_read_again_when_they_grow(tape: Path) -> None:
    options = BackendOptions(replay=tape)
    assert Precision.FP32 not in replay.precisions(options)
    record(tape, 1, recorded=artefact(precision=Precision.FP32))
    assert Precision.FP32 in replay.precisions(options)


def test_a_damaged_entry_is_named(tape: Path) -> None:
    lines = entries_path(tape).read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | {"output": "../../x"})
    entries_path(tape).write_text("\n".join(lines) + "\n")
    with pytest.raises(BackendError, match=r"entries\.jsonl:2: 1 fault"):
        _open(tape)


def test_wrong_arrays_and_closed_sessions_are_refused_as_by_every_backend(tape: Path) -> None:
    session = _open(tape)
    with pytest.raises(BackendError, match=r"as float32 \(N, C, H, W\).*float64"):
        session.run(lr_of(1).astype(np.float64))
    session.close()
    with pytest.raises(BackendError, match="is closed"):
        session.run(lr_of(1))
