"""From an image pair to its scores, by a protocol: pure functions on arrays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

import numpy as np

from sr_bench import discovery
from sr_bench.core.metric import PACKAGE, MetricInfo, metric_info
from sr_bench.core.protocol import Colour, EvalProtocol
from sr_bench.engine.score.network_io import Image, Levels, LumaOutput
from sr_bench.errors import DatasetError, MetricError, SrBenchError
from sr_bench.imaging.colour import COLOURS
from sr_bench.imaging.geometry import crop_border, crop_centre, modcrop
from sr_bench.imaging.resize import resize

_ROUND_OFF = 1e-6
"""How far a metric may lie outside of its range by the rounding of floats."""


@dataclass(frozen=True)
class Pair:
    """What the network is given, and what its output is compared with."""

    lr: Image
    hr: Image

    @property
    def nbytes(self) -> int:
        """What the two take in memory."""
        return self.lr.nbytes + self.hr.nbytes


def prepare_pair(
    lr: Image | None, hr: Image, protocol: EvalProtocol, scale: int, *, where: str = "image"
) -> Pair:
    """Return the pair in the sizes that `protocol` asks for.

    Args:
        lr: The dataset's LR image; None if `protocol` makes LR from `hr`.
        hr: The ground truth.
        protocol: Its `lr_from`, `lr_resize`, `input_shape`, `gt_resize` and `resized` count here.
        scale: Upscaling factor of the network.
        where: Name of the image, for messages.

    Returns:
        LR, and HR of exactly `scale` times its size. Where nothing is resized, HR may be larger
        than that by less than `scale` pixels; it is cut at the bottom and right, as papers do.

    Raises:
        DatasetError: LR is absent, or the sizes don't agree and no rule resizes HR.
        ImageError: HR is smaller than `scale`.
    """
    hr = _as_resized(hr, protocol)
    lr = _network_lr(lr, hr, protocol, scale, where)
    size = (lr.shape[0] * scale, lr.shape[1] * scale)
    if protocol.gt_resize is not None:
        return Pair(lr, resize(hr, size, protocol.gt_resize))
    spare = (hr.shape[0] - size[0], hr.shape[1] - size[1])
    if not all(0 <= pixels < scale for pixels in spare):
        msg = (
            f"{where}: LR {_size(lr)} at x{scale} makes {size[0]}x{size[1]}, but HR is "
            f"{_size(hr)} (HxW), and protocol {protocol.name!r} doesn't resize it; check the "
            "scale and the pairing, or choose a protocol with gt_resize"
        )
        raise DatasetError(msg)
    return Pair(lr, np.ascontiguousarray(hr[: size[0], : size[1]]))


def score_pair(
    sr: Levels | LumaOutput,
    hr: Levels,
    protocol: EvalProtocol,
    scale: int,
    metrics: tuple[str, ...],
) -> Mapping[str, float]:
    """Return the value of each of `metrics`; as `score_each`, but raises why one has none."""
    scores = {}
    for name, value in score_each(sr, hr, protocol, scale, metrics).items():
        if isinstance(value, MetricError):
            raise value
        scores[name] = value
    return scores


def score_each(
    sr: Levels | LumaOutput,
    hr: Levels,
    protocol: EvalProtocol,
    scale: int,
    metrics: tuple[str, ...],
) -> Mapping[str, float | MetricError]:
    """Return the value of each of `metrics` for one pair, or why it has none.

    Args:
        sr: Height x width x 3, RGB on the 0-255 scale; or the luma that a network gave.
        hr: RGB of the same size.
        protocol: Its `centre_crop`, `border`, `colour` and what a metric `takes` count here.
        scale: Upscaling factor, which named borders follow.
        metrics: Names of metrics that score pairs.

    Raises:
        MetricError: The shapes differ.
        ImageError: The border or the middle part is larger than the image.
        OptionError: There is no metric of that name.
    """
    if sr.shape != hr.shape:
        msg = (
            f"expected SR and HR of one size, got {_size(sr)} and {_size(hr)} (HxW); check the "
            f"scale (x{scale}) and how protocol {protocol.name!r} resizes the ground truth"
        )
        raise MetricError(msg)
    given: dict[str, list[Levels]] = {}
    scores = {}
    for name in metrics:
        colour = _colour(metric_info(name), protocol)
        if colour not in given:  # converted once for all that compare it
            given[colour] = [_compared(image, colour, protocol, scale) for image in (sr, hr)]
        scores[name] = _score(name, protocol, *given[colour])
    return scores


def _compared(
    image: Levels | LumaOutput, colour: Colour, protocol: EvalProtocol, scale: int
) -> Levels:
    """Return what is compared of `image`."""
    if isinstance(image, LumaOutput):
        return _cropped(image.in_colour(colour), protocol, scale)
    return COLOURS[colour](_cropped(image, protocol, scale))  # in this order: less to convert


def _cropped(image: Levels, protocol: EvalProtocol, scale: int) -> Levels:
    """Return the part of `image` that is scored."""
    middle = crop_centre(image, protocol.centre_crop) if protocol.centre_crop else image
    return crop_border(middle, protocol.border_px(scale))


def aggregate(values: Sequence[float], protocol: EvalProtocol, metric: str) -> float:
    """Return the one number that stands for the dataset.

    Args:
        values: Of each image, in the dataset's order; inf (identical images) makes the mean inf.
        protocol: Its `ssim_aggregation` or `psnr_aggregation` counts for a metric that follows it.
        metric: Name of the metric.

    Raises:
        MetricError: There are no values, or one is NaN.
    """
    if not values or any(map(math.isnan, values)):
        msg = f"expected at least one {metric} value and no NaN, got {list(values)!r:.80}"
        raise MetricError(msg)
    info = metric_info(metric)
    if protocol.ssim_aggregation == "last_image" and info.follows_ssim_aggregation:
        return values[-1]
    if protocol.psnr_aggregation != "mean" and info.follows_psnr_aggregation:
        whole = protocol.psnr_aggregation == "pooled"
        size = len(values) if whole else int(protocol.psnr_aggregation)
        values = [pooled_db(values[at : at + size]) for at in range(0, len(values), size)]
    return math.fsum(values) / len(values)  # exact: the images' order does not show


def pooled_db(values: Sequence[float]) -> float:
    """Return the PSNR of the mean squared error of images that have a PSNR of `values` each."""
    error = math.fsum(10.0 ** (-value / 10.0) for value in values) / len(values)
    return -10.0 * math.log10(error) if error else math.inf


def _network_lr(
    lr: Image | None, hr: Image, protocol: EvalProtocol, scale: int, where: str
) -> Image:
    """Return the image that the network is given, in its size."""
    rule, size = protocol.lr_resize, protocol.input_shape
    if protocol.lr_from == "hr" and rule is not None:
        if size is None:
            hr = np.ascontiguousarray(modcrop(hr, scale))
            size = (hr.shape[0] // scale, hr.shape[1] // scale)
        return resize(hr, size, rule)
    if lr is None:
        msg = (
            f"{where}: no LR image, and protocol {protocol.name!r} doesn't make it from HR; give "
            'LR files, or choose a protocol with lr_from = "hr" and lr_resize'
        )
        raise DatasetError(msg)
    return in_input_shape(lr, protocol)


def in_input_shape(lr: Image, protocol: EvalProtocol) -> Image:
    """Return `lr` resized as `protocol` asks for, if it does: by `lr_resize` to `input_shape`."""
    lr = _as_resized(lr, protocol)
    rule, size = protocol.lr_resize, protocol.input_shape
    return resize(lr, size, rule) if size is not None and rule is not None else lr


def _as_resized(image: Image, protocol: EvalProtocol) -> Image:
    """Return what is resized of `image`, RGB; luma in three equal channels."""
    if protocol.resized == "rgb":
        return image
    luma = COLOURS[protocol.resized](image).astype(np.uint8, copy=False)
    return np.repeat(luma, 3, axis=2)


def _colour(info: MetricInfo, protocol: EvalProtocol) -> Colour:
    """Return what a metric is given: as it declares, where the protocol has no such choice."""
    if info.pixels == "y" and protocol.colour == "rgb":
        return "y_float"
    return "rgb" if info.pixels == "rgb" else protocol.colour


def _score(name: str, protocol: EvalProtocol, sr: Levels, hr: Levels) -> float | MetricError:
    """Return the value of the metric `name`; an error if it raises, or is out of its range."""
    module, info = discovery.load(PACKAGE, name), metric_info(name)
    reference = hr if info.needs_reference else None
    choices = {choice: getattr(protocol, choice) for choice in info.takes}
    try:
        value = float(module.score(sr, reference, data_range=255.0, threads=1, **choices))
    except SrBenchError as cause:
        return MetricError(f"{name}: {cause}")
    except Exception as cause:  # other packages' code may raise anything
        at = extract_tb(cause.__traceback__)[:2][-1]  # after ours comes the line of `score`
        where = f"{Path(at.filename).name}, line {at.lineno}"
        return MetricError(f"{name}: its score raised {cause!r:.200} in {where}; mend the metric")
    if not info.lowest - _ROUND_OFF <= value <= info.highest + _ROUND_OFF:
        expected = f"expected a value from {info.lowest:g} to {info.highest:g}"
        return MetricError(f"{name}: {expected}, got {value:g}")
    return value


def _size(image: Levels | LumaOutput) -> str:
    return f"{image.shape[0]}x{image.shape[1]}"
