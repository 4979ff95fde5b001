"""Whatever a network reads and gives, it is scored, calibrated, recorded, kept and explained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.backends import onnxruntime
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.elsewhere.open import open_executor
from sr_bench.engine.explain.kept import read_kept
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.option import PRECISIONS
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.imaging.colour import COLOURS, y_float
from sr_bench.imaging.files import write_png
from sr_bench.imaging.resize import resize_floats
from sr_bench.report.parts.provenance import lr_lines

CARD = """
schema = 1
[protocol.mine]
colour = "{compared}"
[[model]]
name = "net"
row = "Net"
scale = {scale}
onnx = "net.onnx"
cost = {{ shape = "{channels}x16x16" }}
evaluation = [{{ dataset = "set", protocol = "mine" }}]
[model.input]
{given}
[model.output]
{gives}
[model.int8]
calibration = "set"
shared_images = true
[model.gate]
min_fidelity_db = {limit}
max_drop_db = 9
max_drop_ssim = 1
max_image_drop_db = 9
max_image_drop_ssim = 1
"""
TABLE = """# Net

| Models | PSNR(dB) |
| :--- | ---: |
| Net | 10.00 |
"""
DATASET = """
title = "Two"
description = "for tests"
licence = "none"
homepage = "https://example.org"
scales = [{scale}]
count = 2
stems = ["a", "b"]
[[layout]]
hr = "HR/{{stem}}.png"
lr = "LR/{{stem}}.png"
"""

Planes = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A network, the same in a card's words, and what its number is by other means."""

    given: str = ""
    gives: str = ""
    scale: int = 2
    inner: int = 2
    """What the network itself enlarges."""
    channels: int = 3
    compared: str = "rgb"
    feed: Planes = lambda lr: lr / 255
    read: Planes = lambda output: 255 * output
    truth: Planes = lambda hr: hr


MEAN, STD = np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.3, 0.25])


def padded(lr: np.ndarray) -> np.ndarray:
    spare = [(0, -side % 7) for side in lr.shape[:2]]
    return np.pad(lr, (*spare, (0, 0)), "edge") / 255


KINDS = {
    "rgb": Kind(),
    "luma": Kind(
        given='colour = "y_full"',
        channels=1,
        compared="y_full",
        feed=lambda lr: COLOURS["y_full"](lr) / 255,
        truth=COLOURS["y_full"],
    ),
    "enlarged": Kind(
        given='colour = "y_float"\nenlarged = "matlab_bicubic"\nrange = [0, 255]',
        inner=1,
        channels=1,
        compared="y_float",
        feed=lambda lr: resize_floats(
            y_float(lr).astype(float), (2 * lr.shape[0], 2 * lr.shape[1]), "matlab_bicubic"
        ),
        read=lambda output: output,
        truth=y_float,
    ),
    "equal": Kind(scale=1, inner=1),
    "minus_one": Kind(
        given="range = [-1, 1]",
        feed=lambda lr: lr / 127.5 - 1,
        read=lambda output: (output + 1) * 127.5,
    ),
    "normalised": Kind(
        given=f"mean = {MEAN.tolist()}\nstd = {STD.tolist()}",
        gives=f"mean = {MEAN.tolist()}\nstd = {STD.tolist()}",
        feed=lambda lr: (lr / 255 - MEAN) / STD,
        read=lambda output: (output * STD + MEAN) * 255,
    ),
    "bgr": Kind(
        given='colour = "bgr"',
        feed=lambda lr: lr[..., ::-1] / 255,
        read=lambda output: output[..., ::-1] * 255,
    ),
    "padded": Kind(given='multiple_of = 7\npadding = "replicate"', feed=padded),
    "tiles": Kind(given="size = [10, 12]\noverlap = 4"),
}


def network(kind: Kind) -> onnx.ModelProto:
    """Return two convolutions, by which an image is blurred a little, and a PixelShuffle."""
    rng = np.random.default_rng(5)
    channels, outputs = kind.channels, kind.channels * kind.inner**2
    first = rng.normal(0, 0.02, (2 * channels, channels, 3, 3))
    first[:channels, :, 1, 1] += np.eye(channels)
    second = rng.normal(0, 0.02, (outputs, 2 * channels, 3, 3))
    second[:, :channels, 1, 1] += np.eye(channels).repeat(kind.inner**2, 0)
    weights = [
        numpy_helper.from_array(value.astype(np.float32), name)
        for name, value in (("first", first), ("second", second))
    ]
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], name="head", pads=[1] * 4),
        helper.make_node("Conv", ["a", "second"], ["b"], name="tail", pads=[1] * 4),
        helper.make_node("DepthToSpace", ["b"], ["y"], blocksize=kind.inner, mode="CRD"),
    ]
    ends = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, [1, channels, f"{name}h", f"{name}w"]
        )
        for name in "xy"
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@dataclass(frozen=True)
class Zoo:
    root: Path
    kind: Kind
    psnr_db: float

    def records(self, precisions: str = "fp32", **options: object) -> dict[str, Record]:
        """Return the records of a session, by precision and metric."""
        chosen = Selection(
            data=self.root / "images",
            precisions=PRECISIONS.read(precisions),
            **({"explain_s": 0.0} | options),
        )
        bench = Bench(chosen, (), open_executor(chosen))
        suite = load_suite(self.root / "zoo" / "card.toml")
        cases = [case for case in plan(suite, chosen) if case.metric in ("psnr", "fidelity")]
        records = [bench.evaluate(case, case.id, lambda *_: None) for case in cases]
        bench.close()
        return {f"{record.precision} {record.metric}": record for record in records}


def make_zoo(root: Path, kind: Kind, *, limit: float = 25.0) -> Zoo:
    (root / "zoo").mkdir(parents=True)
    onnx.save(network(kind), root / "zoo" / "net.onnx")
    words = {
        name: getattr(kind, name) for name in ("given", "gives", "scale", "channels", "compared")
    }
    (root / "zoo" / "card.toml").write_text(CARD.format(**words, limit=limit))
    (root / "zoo" / "README.md").write_text(TABLE)
    (root / "datasets" / "set").mkdir(parents=True)
    (root / "datasets" / "set" / "dataset.toml").write_text(DATASET.format(scale=kind.scale))
    psnr_db = np.mean([image_psnr(root, kind, number) for number in range(2)])
    return Zoo(root, kind, float(psnr_db))


def image_psnr(root: Path, kind: Kind, number: int) -> float:
    """Write an image pair; return its PSNR by onnxruntime, numpy and scikit-image."""
    rng = np.random.default_rng(number)
    yy, xx = np.mgrid[0 : 12 * kind.scale, 0 : 18 * kind.scale]
    waves = [np.sin(xx / (4 + c)) + np.cos((yy + xx / 3) / (5 - c)) for c in range(3)]
    hr = np.rint(128 + 40 * np.stack(waves, 2) + rng.normal(0, 3, (*yy.shape, 3))).astype(np.uint8)
    lr = np.ascontiguousarray(hr[:: kind.scale, :: kind.scale])
    for folder, image in (("HR", hr), ("LR", lr)):
        (root / "images" / folder).mkdir(parents=True, exist_ok=True)
        write_png(root / "images" / folder / f"{'ab'[number]}.png", image)
    session = ort.InferenceSession(root / "zoo" / "net.onnx", providers=["CPUExecutionProvider"])
    planes = kind.feed(lr).astype(np.float32).transpose(2, 0, 1)[None]
    output = kind.read(session.run(None, {"x": planes})[0][0].transpose(1, 2, 0))
    sr = np.rint(output[: hr.shape[0], : hr.shape[1]].clip(0, 255))
    return peak_signal_noise_ratio(kind.truth(hr).astype(float), sr, data_range=255)


def cut_off_outputs(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """Let int8 sessions give whole levels, cut off."""
    open_session = onnxruntime.open_session
    ends = [kind.feed(np.full((1, 1, 3), level, np.uint8))[0, 0] for level in (0, 255)]
    black, white = (np.array(end, np.float64).reshape(1, -1, 1, 1) for end in ends)

    def cut_off(output: np.ndarray) -> np.ndarray:
        whole = np.floor((output - black) / (white - black) * 255)
        return (whole / 255 * (white - black) + black).astype(np.float32)

    def opened(artefact, **options: object):
        session = open_session(artefact, **options)
        if artefact.precision.dtype == "int8":
            run = session.run
            session.run = lambda lr: cut_off(run(lr))
        return session

    monkeypatch.setattr(onnxruntime, "open_session", opened)


@pytest.fixture(params=KINDS)
def zoo(request: pytest.FixtureRequest, tmp_path: Path) -> Zoo:
    return make_zoo(tmp_path / request.param, KINDS[request.param])


def measured(record: Record) -> float:
    assert record.measurement, record.verdict
    return record.measurement.value


def test_every_precision_is_measured_and_compared(zoo: Zoo) -> None:
    records = zoo.records("fp32,fp16,int8_max")
    assert measured(records["fp32 psnr"]) == pytest.approx(zoo.psnr_db, abs=2e-4)
    for precision, least in (("fp16", 50), ("int8_max", 25)):
        assert measured(records[f"{precision} psnr"]) == pytest.approx(zoo.psnr_db, abs=2)
        gate = records[f"{precision} fidelity"]
        assert gate.verdict.status is Status.WITHIN
        assert measured(gate) > least


@pytest.mark.parametrize("calibration", ["photos", "enlargements"])
@pytest.mark.parametrize("kind", ["rgb", "luma"])
def test_networks_of_equal_size_are_calibrated_with_hr_of_any_dataset(
    calibration: str, kind: str, tmp_path: Path
) -> None:
    zoo = make_zoo(tmp_path, replace(KINDS[kind], scale=1, inner=1))
    manifest = tmp_path / "datasets" / "enlargements" / "dataset.toml"
    manifest.parent.mkdir()
    manifest.write_text(DATASET.format(scale=2))
    card = tmp_path / "zoo" / "card.toml"
    plan = f'calibration = "{calibration}"\ncount = 2'
    card.write_text(card.read_text().replace('calibration = "set"', plan))
    gate = zoo.records("int8_max")["int8_max fidelity"]
    assert measured(gate) > 25
    assert gate.detail.calibration_set == f"{calibration}_x1"


def test_a_recording_scores_as_the_network_did(zoo: Zoo, tmp_path: Path) -> None:
    first = zoo.records(record=tmp_path / "recording")
    (zoo.root / "zoo" / "net.onnx").unlink()
    replayed = zoo.records(backend="replay", replay=tmp_path / "recording")
    assert measured(replayed["fp32 psnr"]) == measured(first["fp32 psnr"])
    assert replayed["fp32 psnr"].detail.input_fit == first["fp32 psnr"].detail.input_fit


@pytest.mark.parametrize("kind", ["tiles", "enlarged"])
def test_another_process_measures_the_same(kind: str, tmp_path: Path) -> None:
    zoo = make_zoo(tmp_path / kind, KINDS[kind])
    records = zoo.records("fp32,int8_max", isolate="model", cache="off")
    here = zoo.records("fp32,int8_max", cache="off")
    assert {key: measured(record) for key, record in records.items()} == {
        key: measured(record) for key, record in here.items()
    }


@pytest.mark.parametrize("kind", ["luma", "enlarged", "minus_one", "normalised", "tiles"])
def test_a_loss_is_explained_by_trials_on_the_same_input(kind: str, tmp_path: Path) -> None:
    zoo = make_zoo(tmp_path / kind, KINDS[kind], limit=90.0)
    gate = zoo.records("int8_max", explain_s=30.0)["int8_max fidelity"]
    assert not gate.detail.explanation_failed
    assert {layer.layer for layer in gate.detail.dossier.layers} == {"head", "tail"}


@pytest.mark.parametrize("kind", ["luma", "minus_one", "normalised", "bgr"])
def test_signs_are_of_levels_whatever_stands_for_black_and_white(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo = make_zoo(tmp_path / kind, KINDS[kind], limit=90.0)
    cut_off_outputs(monkeypatch, zoo.kind)
    dossier = zoo.records("int8_max", explain_s=30.0)["int8_max fidelity"].detail.dossier
    assert any("holds whole levels of 255 only, which are -0." in sign for sign in dossier.signs)


@pytest.mark.parametrize("kind", ["luma", "normalised", "tiles"])
def test_kept_images_are_rgb_and_explain_a_printed_number(kind: str, tmp_path: Path) -> None:
    zoo = make_zoo(tmp_path / kind, KINDS[kind])
    record = zoo.records(keep="16bit", results=tmp_path / "results", explain_s=9.0)["fp32 psnr"]
    sr, hr = read_kept(tmp_path / "results", record.kept, 0)
    assert sr.shape == hr.shape == (24, 36, 3)
    psnr_db = peak_signal_noise_ratio(hr.astype(float), sr.astype(float), data_range=255)
    assert psnr_db == pytest.approx(zoo.psnr_db, abs=5 if kind == "luma" else 0.1)
    said = " ".join(record.detail.forensics.notes)
    assert ("the network gives luma" in said) == (kind == "luma")


def test_reports_say_how_images_were_cut(tmp_path: Path) -> None:
    for kind, fit in (
        ("tiles", "cut into tiles of 10x12 that overlap by 4"),
        ("padded", "padded where a side is no multiple of 7 (replicate)"),
    ):
        records = make_zoo(tmp_path / kind, KINDS[kind]).records("fp32,fp16")
        assert lr_lines(list(records.values())) == [f"net: images are {fit}"]
