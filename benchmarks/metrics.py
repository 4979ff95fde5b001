"""PSNR + SSIM of one 2040x1356 RGB pair beside scikit-image: `python benchmarks/metrics.py`."""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tabulate import tabulate

from sr_bench.imaging.resize import resize
from sr_bench.imaging.threads import use_one_opencv_thread
from sr_bench.metrics import psnr, ssim

HEIGHT, WIDTH = 1356, 2040
Image = NDArray[np.uint8]
Scores = tuple[float, float]


def photo_pair() -> tuple[Image, Image]:
    """Return a photograph, repeated to size, halved and doubled again, and the photograph."""
    photo = data.coffee()
    repeats = (-(-HEIGHT // photo.shape[0]), -(-WIDTH // photo.shape[1]), 1)
    hr = np.ascontiguousarray(np.tile(photo, repeats)[:HEIGHT, :WIDTH])
    lr = resize(hr, (HEIGHT // 2, WIDTH // 2), "matlab_bicubic")
    return resize(lr, (HEIGHT, WIDTH), "matlab_bicubic"), hr


def scikit_image(sr: Image, hr: Image) -> Scores:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    similarity = structural_similarity(hr, sr, data_range=255, channel_axis=2, **options)
    return peak_signal_noise_ratio(hr, sr, data_range=255), similarity


def ours(threads: int) -> Callable[[Image, Image], Scores]:
    return lambda sr, hr: (psnr.score(sr, hr), ssim.score(sr, hr, threads=threads))


def definition(sr: Image, hr: Image) -> Scores:
    return psnr.score(sr, hr), ssim.ssim_float64(sr, hr)


CONTESTANTS: dict[str, Callable[[Image, Image], Scores]] = {
    "scikit-image, float64": scikit_image,
    "sr-bench, the definition in float64": definition,
    "sr-bench, one thread": ours(1),
    "sr-bench, two threads": ours(2),
}


def measure(repeats: int) -> list[list[object]]:
    """Time all contestants in turn, `repeats` times, and return the rows of the table."""
    sr, hr = photo_pair()
    scores = {name: call(sr, hr) for name, call in CONTESTANTS.items()}  # warms up, too
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for _ in range(repeats):
        for name, call in CONTESTANTS.items():
            start = time.perf_counter()
            call(sr, hr)
            seconds[name].append(time.perf_counter() - start)
    first = next(iter(CONTESTANTS))
    return [
        [
            name,
            1000 * statistics.median(times),
            1000 * min(times),
            statistics.median(a / b for a, b in zip(seconds[first], times, strict=True)),
            *(abs(a - b) for a, b in zip(scores[name], scores[first], strict=True)),
        ]
        for name, times in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="rounds (default: %(default)s)")
    repeats = parser.parse_args().repeats
    use_one_opencv_thread()
    headers = ["", "median ms", "least ms", "times faster", "PSNR off by", "SSIM off by"]
    formats = ("", ".0f", ".0f", ".1f", ".1e", ".1e")
    print(f"PSNR + SSIM of a {WIDTH}x{HEIGHT} RGB pair, {repeats} interleaved rounds")
    print(tabulate(measure(repeats), headers, tablefmt="github", floatfmt=formats))


if __name__ == "__main__":
    main()
