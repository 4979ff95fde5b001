"""How close a device's emulated int8 stays to fp32, and what it costs beside fp32.

Run: python benchmarks/emulation.py quality --data DIR   PSNR against the fp32 output
     python benchmarks/emulation.py speed --data DIR     time as a multiple of fp32's

DIR holds ``lesrcnn/lesrcnn_x2.pth``, ``lesrcnn_x4.pth``, and for quality
``set5/LR/x2/*_LRBI_x2.png`` and the same of x4. Quality is on the middle 128 x 128 pixels of each
image, or as much as it has; these are also what is calibrated with. Speed is on 256 x 256 pixels,
in onnxruntime on one thread; fp32 and both profiles take turns, and medians of ratios are printed.
"""

import argparse
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from common import histograms_of, print_ratios

from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact, Session
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.precision import Precision
from sr_bench.engine.plan.suite import load_suite
from sr_bench.export.to_onnx import export_onnx
from sr_bench.files.atomic import write_bytes
from sr_bench.imaging.files import read_image
from sr_bench.precision.emulated.device import COUNTING, clip_thresholds, emulate
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.statistics.calibrate import Statistics
from sr_bench.system.cpu import cpu_model, usable_cores
from sr_bench.zoo.checkpoints.load import load_network

SUITE = Path(__file__).resolve().parent.parent / "suites" / "lesrcnn" / "card.toml"
OBSERVERS = ("percentile", "kl", "max", "mse")
SIZE = 128
SPEED_SIZE = 256


def make_network(scale: int, data: Path, folder: Path) -> tuple[Path, Network]:
    """Write LESRCNN with its authors' weights, and read it."""
    name = f"lesrcnn_x{scale}"
    card = next(model for model in load_suite(SUITE).card.models if model.name == name)
    path = folder / f"{name}.onnx"
    export_onnx(load_network(card, data / "lesrcnn" / f"{name}.pth")[0], path)
    return path, read_network(path)


def read_crops(scale: int, data: Path) -> list[np.ndarray]:
    """Return the middle of each image of Set5, float32 1 x 3 x H x W, 0 to 1."""
    crops = []
    for path in sorted((data / "set5" / "LR" / f"x{scale}").glob("*.png")):
        image = read_image(path)
        top, left = (max(0, size - SIZE) // 2 for size in image.shape[:2])
        crop = image[top : top + SIZE, left : left + SIZE]
        crops.append(np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 255)
    return crops


def open_emulated(
    network: Network, observed: Statistics, observer: str, profile: Profile, path: Path
) -> Session:
    """Write the int8 network with all its convolutions in int8, and open it."""
    thresholds = clip_thresholds(network, observed.histograms, observer, DevicePlan())
    model = emulate(network, thresholds, profile, DevicePlan(), notes={"observer": observer})
    write_bytes(path, model.SerializeToString())
    return backend.open_session(Artefact(path, None, Precision(f"int8_{observer}"), ""))


def psnr_db(low: np.ndarray, full: np.ndarray) -> float:
    """Return the PSNR of images from 0 to 1, clipped to that."""
    error = np.clip(low, 0, 1).astype(np.float64) - np.clip(full, 0, 1)
    return float(-10 * np.log10(np.square(error).mean()))


def quality(data: Path, folder: Path) -> None:
    """Print the mean PSNR of each profile and observer."""
    for scale in (2, 4):
        path, network = make_network(scale, data, folder)
        images = read_crops(scale, data)
        observed = histograms_of(network, images, COUNTING)
        with backend.open_session(Artefact(path, None, Precision.FP32, "")) as session:
            full = [session.run(image) for image in images]
        for profile in Profile:
            for observer in OBSERVERS:
                low = folder / f"{observer}-{profile}.onnx"
                with open_emulated(network, observed, observer, profile, low) as session:
                    pairs = zip(images, full, strict=True)
                    each = [psnr_db(session.run(image), other) for image, other in pairs]
                print(f"x{scale} {profile:5s} {observer:10s} {statistics.fmean(each):.2f} dB")


def speed(data: Path, folder: Path, rounds: int) -> None:
    """Print the time of each profile as a multiple of fp32's."""
    image = np.random.default_rng(0).random((1, 3, SPEED_SIZE, SPEED_SIZE), dtype=np.float32)
    for scale in (2, 4):
        path, network = make_network(scale, data, folder)
        observed = histograms_of(network, [image], COUNTING)
        sessions = {
            profile: open_emulated(network, observed, "max", profile, folder / f"{profile}.onnx")
            for profile in Profile
        }
        ratios: dict[Profile, list[float]] = {profile: [] for profile in Profile}
        with backend.open_session(Artefact(path, None, Precision.FP32, "")) as full:
            for _ in range(rounds):
                plain = seconds(full, image)
                for profile, session in sessions.items():
                    ratios[profile].append(seconds(session, image) / plain)
        for profile, session in sessions.items():
            session.close()
            print_ratios(f"lesrcnn_x{scale} {profile}", ratios[profile])
        print_ratios(
            f"lesrcnn_x{scale} both", [sum(pair) for pair in zip(*ratios.values(), strict=True)]
        )


def seconds(session: Session, image: np.ndarray) -> float:
    """Return how long one run takes."""
    start = time.perf_counter()
    session.run(image)
    return time.perf_counter() - start


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("quality", "speed"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{cpu_model()}, {usable_cores()} cores, onnxruntime {version('onnxruntime')}")
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "quality":
            quality(args.data, Path(folder))
        else:
            speed(args.data, Path(folder), args.rounds)


if __name__ == "__main__":
    main()
