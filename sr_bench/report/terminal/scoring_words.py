"""Ways of scoring in words, and as the table of a card's protocol."""

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from sr_bench.core.forensics import Candidate, Scoring
from sr_bench.core.protocol import Resize
from sr_bench.text.printable import printable_line

_COLOURS = {
    "rgb": "in RGB",
    "y_float": "on Y as float",
    "y_rounded": "on Y rounded to 8 bits",
    "y_truncated": "on Y cut off to 8 bits",
    "y_edsr": "on Y by EDSR's weights",
    "y_fsrcnn": "on Y by FSRCNN-pytorch's weights",
    "y_full": "on the full-range Y of OpenCV's YCrCb",
    "y_full_float": "on BT.601 luma in full range",
    "gray": "on OpenCV's gray",
    "y_bt709": "on BT.709 gray (scikit-image's)",
    "y_pil": "on the Y of PIL's YCbCr",
    "ycbcr_pil": "on PIL's YCbCr, all three channels",
}
_PSNR_CHANNELS = {
    "together": "all channels together",
    "mean": "the mean of one PSNR per channel",
    "mean_6_1_1": "the mean of one PSNR per channel, weighted 6, 1, 1",
}
_CHANNELS = {
    "rgb": "channels as they are",
    "both_bgr": "both read as BGR",
    "sr_bgr": "SR read as BGR",
    "hr_bgr": "HR read as BGR",
}
_ROUNDINGS = {
    "stored": "levels as stored",
    "none": "output as float",
    "round": "output rounded",
    "truncate": "output truncated",
}
_PEAKS = {
    255.0: "white level 255",
    219.0: "peak 219 (235 - 16)",
    1.0: "white level 1 for images of 0 to 255",
    65025.0: "white level 255 for images of 0 to 1",
    "hr_max": "peak: the largest value of each HR image",
    "hr_range": "peak: the range of values of each HR image",
    "sr_range": "peak: the range of values of each SR image",
    "both_range": "peak: the range of values of each pair (torchmetrics, if it isn't told)",
    4095.0: "peak 4095 (image-similarity-measures)",
    510.0: "data range 2 for images of 0 to 1 (scikit-image, if it isn't told)",
}
_DIFFERENCES = {
    "exact": "differences as they are",
    "uint8": "differences in 8 bits, where 3 - 5 is 254",
    "uint8_square": "differences and their squares in 8 bits",
    "epsilon": "1e-8 added to the error of images of 0 to 1 (piq, pyiqa)",
}
_WINDOWS = {
    "gaussian": "Gaussian window, valid region",
    "gaussian_sample": "Gaussian window, sample covariance (scikit-image)",
    "gaussian13": "Gaussian window of 13 taps (scikit-image before 0.15)",
    "gaussian13_sample": "Gaussian window of 13 taps, sample covariance (scikit-image before 0.15)",
    "gaussian_mirror": "Gaussian window over mirrored edges (torchmetrics, kornia, OpenCV)",
    "gaussian5_mirror": "Gaussian window of 5 taps over mirrored edges (kornia)",
    "gaussian_zero": "Gaussian window over zeros at the edges",
    "gaussian_replicate": "Gaussian window over repeated edges (MATLAB's ssim)",
    "gaussian_pooled": "Gaussian window on images averaged down (piq, Wang's ssim.m)",
    "gaussian_lowpass": "Gaussian window on every n-th pixel of the local means (Wang's ssim.m)",
    "gaussian_3d": "Gaussian window over rows, columns and channels (conv3d)",
    "uniform7": "uniform 7x7 window, sample covariance (scikit-image's default)",
    "uniform7_population": "uniform 7x7 window",
    "uniform8": "uniform 8x8 window",
    "uniform11": "uniform 11x11 window (sewar)",
    "uniform11_sample": "uniform 11x11 window, sample covariance (scikit-image)",
}
_AGGREGATIONS = {
    "mean": "mean over images",
    "median": "median over images",
    "pooled": "PSNR of the mean squared error of all images",
    "pixels": "PSNR of the mean squared error of all pixels of all images (torchmetrics)",
    "last_image": "of the last image only",
}
_RESIZES = {
    "none": "sizes as they are",
    "crop": "cut to the common size",
    "centre_crop": "cut to the common size on all sides",
}

_WORDS: Mapping[str, Callable[[Scoring], str]] = {
    "colour": lambda scoring: _COLOURS.get(scoring.colour, scoring.colour),
    "psnr_channels": lambda scoring: _PSNR_CHANNELS.get(
        scoring.psnr_channels, scoring.psnr_channels
    ),
    "channels": lambda scoring: _CHANNELS[scoring.channels],
    "border": lambda scoring: f"border {scoring.border} px" if scoring.border else "no border",
    "rounding": lambda scoring: _ROUNDINGS[scoring.rounding],
    "peak": lambda scoring: _PEAKS.get(scoring.peak, f"white level {scoring.peak}"),
    "difference": lambda scoring: _DIFFERENCES[scoring.difference],
    "window": lambda scoring: _WINDOWS.get(scoring.window, scoring.window),
    "aggregation": lambda scoring: _aggregation(scoring),
    "resize": lambda scoring: _RESIZES.get(scoring.resize, f"HR resized by {scoring.resize}"),
}


def in_words(scoring: Scoring, changes: Sequence[str]) -> str:
    """Return the choices `changes` of `scoring`, each in a few words."""
    return ", ".join(_WORDS[name](scoring) for name in changes)


def as_protocol(way: Candidate, metric: str) -> str:
    """Return the keys by which a card declares `way`; empty if no protocol can."""
    keys = {
        "aggregation": f"{metric}_aggregation",
        "window": "ssim_window",
        "resize": "gt_resize",
        **{name: name for name in ("colour", "psnr_channels", "border", "rounding")},
    }
    values = {name: getattr(way.scoring, name) for name in way.changes}
    aggregation, resize = way.scoring.aggregation, way.scoring.resize
    by_name = aggregation in ("mean", "last_image" if metric == "ssim" else "pooled")
    has_value = {
        "aggregation": by_name or isinstance(aggregation, int),
        "resize": resize in get_args(Resize),
    }
    if not all(name in keys and has_value.get(name, True) for name in values):
        return ""
    choices = [f"{keys[name]} = {_toml(value)}" for name, value in values.items()]
    return ", ".join([f'base = "{way.protocols[0].partition(" ")[0]}"', *choices])


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def _aggregation(scoring: Scoring) -> str:
    if isinstance(scoring.aggregation, int):
        return f"PSNR of the mean squared error of each {scoring.aggregation} images"
    one = f"of the image {printable_line(scoring.image)} only"
    return _AGGREGATIONS.get(scoring.aggregation, one)
