"""PSNR and SSIM of a batch on its device, as `sr_bench.metrics` defines them.

Everything is summed in integers or in float64. The scores are within 1e-6 of those of the CPU, or
are not given: see `can_compare` and `read_scores`.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sr_bench.core.backend import BatchScoring
from sr_bench.core.protocol import EvalProtocol
from sr_bench.imaging.colour import BLACK, EDSR, EDSR_UNIT, STUDIO, STUDIO_UNIT
from sr_bench.imaging.filters import WINDOW, gaussian_window
from sr_bench.imaging.similarity import K1, K2

METRICS = ("psnr", "ssim")
_COLOURS = ("rgb", "y_float", "y_rounded", "y_edsr")
_COMPUTED = frozenset(
    (
        *("lr_from", "lr_resize", "input_shape", "gt_resize", "resized", "channel_order"),
        *("input_range", "output_range", "clip", "rounding", "border", "colour"),
        *("ssim_aggregation", "psnr_aggregation"),
    )
)
"""Choices that are made before or here, or of all images: those of a later day are not."""
_WHITE = 255.0
_C1, _C2 = (K1 * _WHITE) ** 2, (K2 * _WHITE) ** 2
_LARGEST_LEVEL = 1e4  # beyond it, squares in float64 lose digits that the similarity needs
_CHUNK_PIXELS = 2**22  # pixels whose similarity is computed at once, which bounds its memory


def can_compare(outputs: Sequence[int], hrs: Sequence[int], how: BatchScoring) -> bool:
    """Return whether outputs can be scored here as on the CPU, which else scores or refuses them.

    `outputs` is the shape N x C x H x W, `hrs` that of the ground truth, N x H x W x C.
    """
    rule = how.protocol
    if not set(how.metrics) <= set(METRICS) or len(outputs) != 4:
        return False
    plain = EvalProtocol("").choices()
    others = {key for key, choice in rule.choices().items() if choice != plain[key]} - _COMPUTED
    if others or rule.colour not in _COLOURS:
        return False
    # A float that falls on the other side of a half makes another level.
    if rule.colour == "y_rounded" and rule.rounding == "none":
        return False
    count, channels, height, width = outputs
    border = rule.border_px(how.scale)
    if border < 0 or min(height, width) - 2 * border < WINDOW:
        return False
    return channels == 3 and tuple(hrs) == (count, height, width, channels)


def compare(output: Tensor, hr: Tensor, how: BatchScoring) -> Tensor:
    """Return the rows that `read_scores` reads, N x 4, float64, on the device of `output`.

    `output` is that of the network, N x 3 x H x W, float32; `hr` is N x H x W x 3, RGB, uint8.
    `can_compare` must have agreed.
    """
    rule = how.protocol
    levels = _levels(output, rule, how.white)
    usable = output.isfinite().flatten(1).all(1)
    usable &= levels.flatten(1).abs().amax(1) <= _LARGEST_LEVEL
    border = rule.border_px(how.scale)
    height, width = levels.shape[-2:]
    x, y = (
        _in_colour(image[..., border : height - border, border : width - border], rule)
        for image in (levels, hr.permute(0, 3, 1, 2))
    )
    error, similarity = _squared_error(x, y), _similarity(x.double(), y.double())
    # The division is the host's: a device may multiply by the reciprocal.
    count = torch.full_like(error, x[0].numel())
    return torch.stack((usable.double(), error, count, similarity), dim=1)


def read_scores(row: Sequence[float], metrics: Sequence[str]) -> Mapping[str, float] | None:
    """Return the scores of one image from its row of `compare`.

    None if it has no score that holds to 1e-6: an output value is not finite or absurdly large.
    """
    usable, error, count, similarity = row
    if not usable:
        return None
    psnr = 10.0 * math.log10(_WHITE**2 / (error / count)) if error else math.inf
    scores = {"psnr": psnr, "ssim": similarity}
    return {name: scores[name] for name in metrics}


def _levels(output: Tensor, rule: EvalProtocol, white: float) -> Tensor:
    """Return RGB on the 0-255 scale as `engine.score.protocol.read_output` does, N x 3 x H x W."""
    image = output.flip(1) if rule.channel_order == "bgr" else output
    white = rule.output_range or white
    if white != _WHITE:
        image = image * (_WHITE / white)
    if rule.clip or rule.rounding != "none":
        image = image.clamp(0.0, _WHITE)
    if rule.rounding == "none":
        return image
    return (image.round() if rule.rounding == "round" else image.floor()).to(torch.uint8)


def _in_colour(rgb: Tensor, rule: EvalProtocol) -> Tensor:
    """Return what is compared, as `sr_bench.imaging.colour` makes it."""
    if rule.colour == "rgb":
        return rgb
    weights, unit = (EDSR, EDSR_UNIT) if rule.colour == "y_edsr" else (STUDIO, STUDIO_UNIT)
    planes = zip(rgb.double().unbind(1), weights.tolist(), strict=True)
    weighted = torch.stack([plane * weight for plane, weight in planes]).sum(0).unsqueeze(1)
    if rule.colour != "y_rounded":
        return weighted / unit + BLACK
    return (((weighted + unit / 2) / unit).floor() + BLACK).clamp(0.0, _WHITE).to(torch.uint8)


def _squared_error(x: Tensor, y: Tensor) -> Tensor:
    """Return the sum of (x - y)^2 of each image: of two uint8 images exactly."""
    if x.dtype == y.dtype == torch.uint8:
        difference = x.int() - y.int()
        return difference.square().flatten(1).sum(1, dtype=torch.int64).double()
    return (x.double() - y.double()).square().flatten(1).sum(1)


def _similarity(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean similarity of each image, both N x C x H x W in float64."""
    at_once = max(1, _CHUNK_PIXELS // (x.shape[-2] * x.shape[-1]))
    parts = (torch.split(image.flatten(0, 1), at_once) for image in (x, y))
    means = torch.cat([_plane_similarity(*pair) for pair in zip(*parts, strict=True)])
    return means.reshape(x.shape[:2]).mean(1)


def _plane_similarity(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean similarity of each of P planes, P x H x W; see `ssim_float64`."""
    moments = _filtered(torch.stack((x, y, x * x, y * y, x * y)))
    mean_x, mean_y, square_x, square_y, product = moments
    means = mean_x * mean_y
    squares = mean_x.square() + mean_y.square()
    luminance = (2 * means + _C1) / (squares + _C1)
    structure = (2 * (product - means) + _C2) / (square_x + square_y - squares + _C2)
    similarity: Tensor = luminance * structure
    return similarity.flatten(1).mean(1)


def _filtered(planes: Tensor) -> Tensor:
    """Return the Gaussian means of the valid region of K x P planes."""
    weights = torch.tensor(gaussian_window(), device=planes.device)
    single = planes.flatten(0, 1).unsqueeze(1)
    rows = functional.conv2d(single, weights.reshape(1, 1, -1, 1))
    both = functional.conv2d(rows, weights.reshape(1, 1, 1, -1))
    return both.reshape(*planes.shape[:2], *both.shape[-2:])
