"""LESRCNN with its authors' weights: both readings of the card lose what others found they lose.

The expected figures are of an independent implementation, in numpy and onnxruntime: all layers in
int8, calibrated with the same crops of Set5, which it also measured: their middle alone, measured
here, is within 0.9 dB of each.
"""

from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto

from sr_bench.core.device import DevicePlan, Profile
from sr_bench.engine.plan.suite import load_suite
from sr_bench.export.to_onnx import export_onnx
from sr_bench.imaging.files import read_image
from sr_bench.precision.emulated.device import COUNTING, clip_thresholds, emulate
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.statistics.calibrate import collect
from tests.zoo.weights import load_model

TOLERANCE_DB = 1.0
EXPECTED_DB = {
    (2, Profile.TVM): {"percentile": 39.9, "kl": 40.2},
    (2, Profile.FINE): {"percentile": 43.3, "kl": 43.8, "max": 43.1, "mse": 43.6},
    (4, Profile.TVM): {"percentile": 39.7},
    (4, Profile.FINE): {"percentile": 44.5},
}


def _network(scale: int, project_root: Path, data: Path, folder: Path) -> Network:
    suite = load_suite(project_root / "suites" / "lesrcnn" / "card.toml")
    card = next(model for model in suite.card.models if model.name == f"lesrcnn_x{scale}")
    export_onnx(load_model(card, data / "lesrcnn" / f"{card.name}.pth"), folder / "net.onnx")
    return read_network(folder / "net.onnx")


def _crops(scale: int, data: Path) -> list[np.ndarray]:
    """Return the middle 128 x 128 pixels of each image, or as much as it has."""
    crops = []
    for path in sorted((data / "set5" / "LR" / f"x{scale}").glob("*.png")):
        image = read_image(path)
        top, left = (max(0, size - 128) // 2 for size in image.shape[:2])
        crop = image[top : top + 128, left : left + 128]
        crops.append(np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 255)
    return crops


def _middle(image: np.ndarray, side: int) -> np.ndarray:
    top, left = (max(0, size - side) // 2 for size in image.shape[2:])
    return np.ascontiguousarray(image[:, :, top : top + side, left : left + side])


def _outputs(model: ModelProto, images: list[np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # two that wait for each other take as much again
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name = model.graph.input[0].name
    return [np.clip(session.run(None, {name: image})[0], 0, 1) for image in images]


@pytest.mark.official
@pytest.mark.slow
@pytest.mark.parametrize(("scale", "side"), [(2, 48), (4, 36)])
def test_the_loss_is_what_was_found_before(
    scale: int, side: int, project_root: Path, official_data: Path, tmp_path: Path
) -> None:
    network = _network(scale, project_root, official_data, tmp_path)
    images = _crops(scale, official_data)
    found = collect(
        network,
        {str(i): partial(lambda x: x, image) for i, image in enumerate(images)},
        memory_bytes=2**30,
        moments=False,
        workers=2,
        progress=lambda *_: None,
        counting=COUNTING,
    )
    images = [_middle(image, side) for image in images]
    full = _outputs(network.model, images)
    measured, expected = {}, {}
    for profile in Profile:
        for observer, expected_db in EXPECTED_DB[scale, profile].items():
            thresholds = clip_thresholds(network, found.histograms, observer, DevicePlan())
            model = emulate(network, thresholds, profile, DevicePlan(), notes={})
            pairs = zip(_outputs(model, images), full, strict=True)
            losses = [-10 * np.log10(np.square(low - high).mean()) for low, high in pairs]
            measured[profile, observer] = fmean(map(float, losses))
            expected[profile, observer] = expected_db
    assert measured == pytest.approx(expected, abs=TOLERANCE_DB)
