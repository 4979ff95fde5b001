"""PSNR + SSIM of one RGB pair beside scikit-image, torchmetrics and a convolution in torch.

Run: python benchmarks/metrics.py [--repeats 9] [--quick]

Pairs of 2040x1356 and of 256x256 pixels; each library on one and on two threads, where it has any.
All take turns, and medians of the ratios to the first are printed, with how far PSNR and SSIM are
from the definition in float64. ``torch convolution`` is how piq and its like compute SSIM: the
whole window, one ``conv2d`` with a group for each channel, in float32. torchmetrics, which comes
with ``pip install 'sr-bench[peers]'``, is left out where it is not installed.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tabulate import tabulate

from sr_bench.imaging.resize import resize
from sr_bench.imaging.threads import use_one_opencv_thread
from sr_bench.metrics import _ssim, psnr, ssim
from sr_bench.system.cpu import cpu_model, usable_cores

SIZES = ((1356, 2040), (256, 256))
"""Height and width."""
WINDOW, SIGMA, WHITE = 11, 1.5, 255.0
Image = NDArray[np.uint8]
Scores = tuple[float, float]
Contestant = Callable[[Image, Image], Scores]


def photo_pair(height: int, width: int) -> tuple[Image, Image]:
    """Return a photograph, repeated to size, halved and doubled again, and the photograph."""
    photo = data.coffee()
    repeats = (-(-height // photo.shape[0]), -(-width // photo.shape[1]), 1)
    hr = np.ascontiguousarray(np.tile(photo, repeats)[:height, :width])
    lr = resize(hr, (height // 2, width // 2), "matlab_bicubic")
    return resize(lr, (height, width), "matlab_bicubic"), hr


def definition(sr: Image, hr: Image) -> Scores:
    return psnr.score(sr, hr), _ssim.ssim_float64(sr, hr)


def ours(sr: Image, hr: Image, *, threads: int) -> Scores:
    return psnr.score(sr, hr), ssim.score(sr, hr, threads=threads)


def scikit_image(sr: Image, hr: Image) -> Scores:
    options = {"gaussian_weights": True, "sigma": SIGMA, "use_sample_covariance": False}
    similarity = structural_similarity(hr, sr, data_range=WHITE, channel_axis=2, **options)
    return peak_signal_noise_ratio(hr, sr, data_range=WHITE), similarity


def torch_metrics(
    sr: Image, hr: Image, *, library: ModuleType, dtype: torch.dtype, threads: int
) -> Scores:
    torch.set_num_threads(threads)
    x, y = (as_tensor(image, dtype) for image in (sr, hr))
    similarity = library.structural_similarity_index_measure
    return (
        float(library.peak_signal_noise_ratio(x, y, data_range=WHITE)),
        float(similarity(x, y, sigma=SIGMA, kernel_size=WINDOW, data_range=WHITE)),
    )


def torch_convolution(sr: Image, hr: Image, *, threads: int) -> Scores:
    torch.set_num_threads(threads)
    x, y = (as_tensor(image, torch.float32) for image in (sr, hr))
    line = torch.exp(-((torch.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    window = torch.outer(line, line) / line.sum() ** 2
    kernel = window.repeat(x.shape[1], 1, 1, 1)

    def mean(image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv2d(image, kernel, groups=len(kernel))

    c1, c2 = (0.01 * WHITE) ** 2, (0.03 * WHITE) ** 2
    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    similarity = (luminance * (2 * covariance + c2) / (variances + c2)).mean()
    return float(10 * torch.log10(WHITE**2 / torch.mean((x - y) ** 2))), float(similarity)


def as_tensor(image: Image, dtype: torch.dtype) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].to(dtype)


def contestants() -> Iterator[tuple[str, Contestant]]:
    yield "sr-bench", partial(ours, threads=1)
    yield "sr-bench, two threads", partial(ours, threads=2)
    yield "sr-bench, the definition in float64", definition
    yield "scikit-image, float64", scikit_image
    try:
        from torchmetrics.functional import image
    except ImportError:
        print("torchmetrics is not installed: left out (pip install 'sr-bench[peers]')")
    else:
        for (name, dtype), threads in product(
            (("float32", torch.float32), ("float64", torch.float64)), (1, 2)
        ):
            call = partial(torch_metrics, library=image, dtype=dtype, threads=threads)
            yield f"torchmetrics, {name}, threads: {threads}", call
    for threads in (1, 2):
        yield (
            f"torch convolution, float32, threads: {threads}",
            partial(torch_convolution, threads=threads),
        )


def measure(size: tuple[int, int], repeats: int) -> list[list[object]]:
    """Time all contestants in turn, `repeats` times, and return the rows of the table."""
    sr, hr = photo_pair(*size)
    calls = dict(contestants())
    scores = {name: call(sr, hr) for name, call in calls.items()}  # warms up, too
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call(sr, hr)
            seconds[name].append(time.perf_counter() - start)
    first, true = next(iter(calls)), definition(sr, hr)
    return [
        [
            name,
            1000 * statistics.median(times),
            1000 * min(times),
            statistics.median(a / b for a, b in zip(times, seconds[first], strict=True)),
            *(abs(a - b) for a, b in zip(scores[name], true, strict=True)),
        ]
        for name, times in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9, help="rounds (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of 256x256")
    args = parser.parse_args()
    sizes, repeats = (SIZES[1:], 1) if args.quick else (SIZES, args.repeats)
    use_one_opencv_thread()
    print(f"{cpu_model()}, {usable_cores()} cores, {repeats} rounds")
    headers = ["", "median ms", "least ms", "times as long", "PSNR off by", "SSIM off by"]
    formats = ("", ".1f", ".1f", ".2f", ".1e", ".1e")
    for height, width in sizes:
        print(f"\nRGB pair of {width}x{height}")
        table = measure((height, width), repeats)
        print(tabulate(table, headers, tablefmt="github", floatfmt=formats), flush=True)


if __name__ == "__main__":
    main()
