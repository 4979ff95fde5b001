"""Show which ways of scoring reproduce a printed number, in full or in a few lines."""

from collections.abc import Callable, Mapping

from sr_bench.core.forensics import Candidate, Forensics, Scoring
from sr_bench.core.metric import with_unit
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import counted, printable_line

_NAMES_SHOWN = 3
_SUMMED_UP = 3
"""Ways that a failure text has room for."""
_INDENT = 11 * " "

_COLOURS = {
    "rgb": "in RGB",
    "y_float": "on Y as float",
    "y_rounded": "on Y rounded to 8 bits",
    "y_edsr": "on Y by EDSR's weights",
    "gray": "on OpenCV's gray",
    "rgb_channels": "the mean of one PSNR per channel",
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
    510.0: "data range 2 for images of 0 to 1 (scikit-image, if it isn't told)",
}
_WINDOWS = {
    "gaussian": "Gaussian window, valid region",
    "gaussian_sample": "Gaussian window, sample covariance (scikit-image's default)",
    "gaussian_mirror": "Gaussian window over mirrored edges",
    "gaussian_zero": "Gaussian window over zeros at the edges",
    "uniform7": "uniform 7x7 window, sample covariance (scikit-image's default)",
    "uniform8": "uniform 8x8 window",
}
_AGGREGATIONS = {
    "mean": "mean over images",
    "median": "median over images",
    "pooled": "PSNR of the mean squared error of all images",
    "last_image": "of the last image only",
}
_RESIZES = {"none": "sizes as they are", "crop": "cut to the common size"}

_WORDS: Mapping[str, Callable[[Scoring], str]] = {
    "colour": lambda one: _COLOURS.get(one.colour, one.colour),
    "channels": lambda one: _CHANNELS[one.channels],
    "border": lambda one: f"border {one.border} px" if one.border else "no border",
    "rounding": lambda one: _ROUNDINGS[one.rounding],
    "peak": lambda one: _PEAKS.get(one.peak, f"white level {one.peak:g}"),
    "window": lambda one: _WINDOWS.get(one.window, one.window),
    "aggregation": lambda one: _AGGREGATIONS.get(
        one.aggregation, f"of the image {printable_line(one.image)} only"
    ),
    "resize": lambda one: _RESIZES.get(one.resize, f"HR resized by {one.resize}"),
}


def forensics_lines(found: Forensics) -> list[str]:
    """Return all that was found out about a number, for ``sr-bench explain-number``."""
    number = with_unit(printable_line(found.text), found.metric)
    tried = f"{found.tried:,} ways of scoring {counted(found.images, 'image')}"
    scales = ", ".join(f"x{scale}" for scale in found.scales)
    notes = [f"note: {note}" for note in found.notes]
    if len(found.scales) > 1:
        notes.append(f"note: no scale was given; borders that follow it were tried for {scales}")
    if not found.matches:
        head = f"none of {tried} gives {found.metric.upper()} {number}"
        return [f"{head}; the nearest:" if found.nearest else head, *_misses(found, "  "), *notes]
    rows = [
        [_value(found, one), one.digits, f"{one.chance:.3f}", _way(one)] for one in found.matches
    ]
    return [
        f"{found.fits} of {tried} give {found.metric.upper()} {number}",
        "",
        *plain_table(("value", "digits", "chance", "scored by"), rows, left=(1, 3)),
        *_left_out(found),
        "",
        "chance: how many ways with as few changes would give any such number by mere accident",
        *notes,
    ]


def forensics_summary(found: Forensics) -> list[str]:
    """Return two to five lines for a failure text."""
    if not found.matches:
        head = f"forensics  none of {found.tried:,} ways of scoring the images gives the claim"
        return [f"{head}; the nearest:" if found.nearest else head, *_misses(found, _INDENT)]
    ways = [
        f"{_way(one)}: {with_unit(_value(found, one), found.metric)}"
        f" {one.digits}, by chance {one.chance:.3f}"
        for one in found.matches[:_SUMMED_UP]
    ]
    return [
        f"forensics  {found.fits} of {found.tried:,} ways of scoring the images give the claim:",
        *(_INDENT + way for way in ways),
    ]


def _left_out(found: Forensics) -> list[str]:
    left = found.fits - len(found.matches)
    return [f"and {left} less likely, or of the same value as one above"] if left else []


def _misses(found: Forensics, indent: str) -> list[str]:
    claimed = float(found.text)
    return [
        f"{indent}{_way(one)}: {with_unit(_value(found, one), found.metric)}"
        f" ({one.value - claimed:+.{_decimals(found)}f})"
        for one in found.nearest
    ]


def _way(one: Candidate) -> str:
    names = ", ".join(map(printable_line, one.protocols[:_NAMES_SHOWN]))
    if len(one.protocols) > _NAMES_SHOWN:
        names += f" and {len(one.protocols) - _NAMES_SHOWN} more"
    words = ", ".join(_WORDS[name](one.scoring) for name in one.changes)
    return f"{names}, but {words}" if words else names


def _value(found: Forensics, one: Candidate) -> str:
    return f"{one.value:.{_decimals(found)}f}"


def _decimals(found: Forensics) -> int:
    """Two more than printed."""
    return len(found.text.partition(".")[2]) + 2
