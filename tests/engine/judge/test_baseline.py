"""Baselines: what was approved is held, image by image, and what can't be held is said."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.cards.baseline import baselines_text, read_baselines
from sr_bench.core.baseline import Baseline, Content, GateName, Held, ImageValues, Slack
from sr_bench.core.gate import GateImage
from sr_bench.core.status import Status
from sr_bench.engine.judge.baseline import judge_baseline
from sr_bench.errors import CardError

NAME = GateName("net_x2", "int8_kl", "set5_x2", "native_rgb", "onnxruntime", "cpu")
CONTENT = Content("net", "images", "rule")
IMAGES = (
    GateImage("baby", 55.3, 55.2, 56.0, 0.02, 0.001),
    GateImage('a "b" é', 54.0, 54.0, 54.5, 0.03, 0.002),
)


def _approved(name: GateName = NAME, slack: Slack | None = None) -> Baseline:
    values = {image.image: ImageValues.of(image) for image in IMAGES}
    return Baseline(name, CONTENT, slack or Slack(), "by me", values, {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gate_baseline.toml"
    other = _approved(replace(NAME, device="emulated"))
    path.write_text(baselines_text([other, _approved()]), encoding="utf-8")
    return path


def _judged(path: Path, *images: GateImage, name: GateName = NAME, of: Content = CONTENT) -> Held:
    judged = images or IMAGES
    return judge_baseline(read_baselines(path), name, of, judged, path="b.toml")


def test_what_was_approved_is_within_and_written_the_same_again(path: Path) -> None:
    assert _judged(path).status is Status.WITHIN
    assert baselines_text(read_baselines(path).values()) == path.read_text("utf-8")


def test_a_fall_names_image_values_slack_line_and_how_to_approve(path: Path) -> None:
    held = _judged(path, replace(IMAGES[0], all_db=54.4), IMAGES[1])
    assert held.status is Status.LOSS
    (fall,) = held.falls
    line = int(fall.place.removeprefix("b.toml:"))
    lines = path.read_text("utf-8").split("\n")
    assert lines[line - 1].startswith('"baby" = {')
    assert lines[:line].count("[[gate]]") == 1  # of the cpu, not the emulation
    assert held.sentence == (
        f"worse than approved: b.toml:{line}: fidelity of 'baby': expected 55.3 dB, got 54.4 dB"
        " (slack 0.3 dB); if that is meant: sr-bench approve last --models net_x2 --reason '...'"
    )


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"all_db": 55.0}, Status.WITHIN),  # just the slack
        ({"all_db": 54.999}, Status.LOSS),
        ({"ring_db": 55.19}, Status.LOSS),
        ({"drop_db": 0.051}, Status.LOSS),
        ({"drop_ssim": 0.0081}, Status.LOSS),
        ({"all_db": 70.0, "ring_db": float("inf"), "drop_db": -1.0}, Status.WITHIN),
    ],
)
def test_each_quantity_is_held_with_its_slack(
    path: Path, change: dict[str, float], status: Status
) -> None:
    assert _judged(path, replace(IMAGES[0], **change), IMAGES[1]).status is status


def test_a_gain_is_within_and_told(path: Path) -> None:
    held = _judged(path, replace(IMAGES[0], all_db=56.0), IMAGES[1])
    assert "1 of 2 images are better: approve them to hold that" in held.sentence


@pytest.mark.parametrize("what", ["network", "images", "protocol"])
def test_other_content_makes_the_baseline_stale_not_passed(path: Path, what: str) -> None:
    held = _judged(path, of=replace(CONTENT, **{what: "new"}))
    assert held.status is Status.UNDECIDED
    was = getattr(CONTENT, what)
    assert f"the baseline is stale, as the {what} ({was} -> new) changed" in held.sentence


def test_images_that_are_missing_make_it_stale(path: Path) -> None:
    assert "the images that are judged (2 -> 1)" in _judged(path, IMAGES[0]).sentence


@pytest.mark.parametrize("key", ["model", "precision", "dataset", "protocol", "backend", "device"])
def test_another_gate_has_no_baseline(path: Path, key: str) -> None:
    held = _judged(path, name=replace(NAME, **{key: "other"}))
    assert (held.status, held.sentence) == (Status.NEW, "no baseline in b.toml")


def test_faults_of_the_file_are_named(path: Path) -> None:
    text = path.read_text("utf-8")
    path.write_text(text + text[text.index("[[gate]]") :], encoding="utf-8")
    with pytest.raises(CardError, match="stands twice; remove one"):
        read_baselines(path)
    path.write_text(text.replace("slack = {", "slack = { often = 1, "), encoding="utf-8")
    with pytest.raises(CardError, match="often: unknown key"):
        read_baselines(path)
