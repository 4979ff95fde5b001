"""A recording is scored elsewhere, under any protocol, and never passed off as a new run."""

import shutil

import pytest

from tests.tiny_zoo import Zoo

GATE = """
[model.gate]
min_fidelity_db = 30.0
max_drop_db = 1.0
max_drop_ssim = 0.1
"""


@pytest.fixture
def recording(run, zoo: Zoo, pytester: pytest.Pytester):
    """Record the zoo, emulated, with its gate; its ONNX file is gone afterwards."""
    zoo.write_card(GATE)
    run("--backend=vacc", "--sr-device=emulate", "--sr-record=outputs")
    recorded = zoo.records()
    (zoo.suite / "tiny.onnx").unlink()
    shutil.rmtree(pytester.path / "cache")
    return recorded


def about_images(records: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {case: record for case, record in records.items() if record["dataset"]}


def test_a_replay_has_the_numbers_and_verdicts_of_the_recorded_run(
    run, zoo: Zoo, recording
) -> None:
    result = run("--backend=replay", "--sr-replay=outputs")
    result.stdout.fnmatch_lines(["backend replay: EMULATED *recorded*"])
    replayed, before = about_images(zoo.records()), about_images(recording)
    assert "tiny_x2-fp16-pair_x2-fidelity" in replayed
    for case, record in before.items():
        now = replayed[case]
        assert now["verdict"]["measured"] == record["verdict"]["measured"], case
        assert now["verdict"]["status"] == record["verdict"]["status"], case
        assert now["device"] == "emulated, replayed"


def test_a_protocol_with_the_same_input_needs_no_new_recording(run, zoo: Zoo, recording) -> None:
    card = (zoo.suite / "card.toml").read_text().replace("native_rgb", "paper_y")
    (zoo.suite / "card.toml").write_text(card)
    run("--backend=replay", "--sr-replay=outputs")
    case = "tiny_x2-fp32-pair_x2-psnr"
    measured = zoo.records()[case]["verdict"]["measured"]
    assert measured is not None
    assert measured != recording[case]["verdict"]["measured"]


def test_an_input_that_was_not_recorded_is_not_run(run, zoo: Zoo, recording) -> None:
    card = (zoo.suite / "card.toml").read_text()
    (zoo.suite / "card.toml").write_text(card.replace("scale = 2", "scale = 2\nvalue_range = 255"))
    run("--backend=replay", "--sr-replay=outputs")
    verdict = zoo.records()["tiny_x2-fp32-pair_x2-psnr"]["verdict"]
    assert verdict["status"] == "not_run"
    assert "was not recorded: the dataset or the protocol" in verdict["sentence"]


def test_a_folder_without_a_recording_is_refused_at_once(run, zoo: Zoo) -> None:
    result = run("--backend=replay", "--sr-replay=my_zoo")
    shown = result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    assert "recording.json" in shown
    assert "INTERNALERROR" not in shown


def test_a_recording_of_another_backend_is_never_mixed_in(run, zoo: Zoo) -> None:
    run("--backend=vacc", "--sr-device=emulate", "--sr-record=outputs")
    result = run("--backend=onnxruntime", "--sr-record=outputs")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*outputs*vacc*"])
