"""Show which ways of scoring reproduce a printed number, in full or in a few lines."""

from collections.abc import Callable, Mapping

from sr_bench.core.forensics import Candidate, Forensics, Scoring
from sr_bench.core.metric import with_unit
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted, printable_line

_NAMES_SHOWN = 3
_SUMMED_UP = 3  # ways that a failure text has room for
_INDENT = 11 * " "  # below the text after "forensics"

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
    510.0: "data range 2 for images of 0 to 1 (scikit-image, if it isn't told)",
}
_DIFFERENCES = {
    "exact": "differences as they are",
    "uint8": "differences in 8 bits, where 3 - 5 is 254",
    "uint8_square": "differences and their squares in 8 bits",
}
_WINDOWS = {
    "gaussian": "Gaussian window, valid region",
    "gaussian_sample": "Gaussian window, sample covariance (scikit-image)",
    "gaussian13": "Gaussian window of 13 taps (scikit-image before 0.15)",
    "gaussian13_sample": "Gaussian window of 13 taps, sample covariance (scikit-image before 0.15)",
    "gaussian_mirror": "Gaussian window over mirrored edges",
    "gaussian_zero": "Gaussian window over zeros at the edges",
    "gaussian_replicate": "Gaussian window over repeated edges (MATLAB's ssim)",
    "gaussian_pooled": "Gaussian window on images averaged down (piq, Wang's ssim.m)",
    "gaussian_lowpass": "Gaussian window on every n-th pixel of the local means (Wang's ssim.m)",
    "gaussian_3d": "Gaussian window over rows, columns and channels (conv3d)",
    "uniform7": "uniform 7x7 window, sample covariance (scikit-image's default)",
    "uniform7_population": "uniform 7x7 window",
    "uniform8": "uniform 8x8 window",
    "uniform11": "uniform 11x11 window (sewar)",
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


def forensics_lines(result: Forensics) -> list[str]:
    """Return all that was found out about a number, for ``sr-bench explain-number``."""
    number = with_unit(printable_line(result.text), result.metric)
    tried = f"{result.tried:,} ways of scoring {counted(result.images, 'image')}"
    scales = ", ".join(f"x{scale}" for scale in result.scales)
    notes = [f"note: {note}" for note in result.notes]
    if len(result.scales) > 1:
        notes.append(f"note: no scale was given; borders that follow it were tried for {scales}")
    if not result.matches:
        head = f"none of {tried} gives {result.metric.upper()} {number}"
        return [f"{head}; the nearest:" if result.nearest else head, *_misses(result, "  "), *notes]
    left = result.fits - len(result.matches)
    rows = [
        [_value(result, way.value), way.digits, f"{way.chance:.3f}", _words(way)]
        for way in result.matches
    ]
    return [
        f"{result.fits} of {tried} give {result.metric.upper()} {number}",
        "",
        *plain_table(("value", "digits", "chance", "scored by"), rows, left=(1, 3)),
        *([f"and {left} less likely, or of the same value as one above"] if left else []),
        "",
        "chance: how many ways with as few changes would give any such number by mere accident",
        *notes,
    ]


def forensics_summary(result: Forensics) -> list[str]:
    """Return two to five lines for a failure text."""
    if not result.matches:
        head = f"forensics  none of {result.tried:,} ways of scoring the images gives the claim"
        return [f"{head}; the nearest:" if result.nearest else head, *_misses(result, _INDENT)]
    ways = [
        f"{_words(way)}: {with_unit(_value(result, way.value), result.metric)}"
        f" {way.digits}, by chance {way.chance:.3f}"
        for way in result.matches[:_SUMMED_UP]
    ]
    return [
        f"forensics  {result.fits} of {result.tried:,} ways of scoring the images give the claim:",
        *(_INDENT + line for line in ways),
    ]


def _aggregation(scoring: Scoring) -> str:
    if isinstance(scoring.aggregation, int):
        return f"PSNR of the mean squared error of each {scoring.aggregation} images"
    one = f"of the image {printable_line(scoring.image)} only"
    return _AGGREGATIONS.get(scoring.aggregation, one)


def _misses(result: Forensics, indent: str) -> list[str]:
    claimed = float(result.text)
    return [
        f"{indent}{_words(way)}: {with_unit(_value(result, way.value), result.metric)}"
        f" ({_value(result, way.value - claimed, '+')})"
        for way in result.nearest
    ]


def _words(way: Candidate) -> str:
    names = ", ".join(map(printable_line, way.protocols[:_NAMES_SHOWN]))
    if len(way.protocols) > _NAMES_SHOWN:
        names += f" and {len(way.protocols) - _NAMES_SHOWN} more"
    words = ", ".join(_WORDS[name](way.scoring) for name in way.changes)
    return f"{names}, but {words}" if words else names


def _value(result: Forensics, value: float, sign: str = "") -> str:
    """Return `value` with two decimals more than printed."""
    return f"{value:{sign}.{len(result.text.partition('.')[2]) + 2}f}"
