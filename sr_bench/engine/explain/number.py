"""Explain a printed number: find which ways of scoring the images at hand reproduce it."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import islice
from operator import attrgetter, ne
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.cards.protocol_files import load_protocol, protocol_names
from sr_bench.core.claim import Claim
from sr_bench.core.forensics import Candidate, Forensics, Scoring
from sr_bench.core.metric import metric_info
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Kept
from sr_bench.engine.explain.candidates import ByBorder, Tables, all_candidates, score_ways
from sr_bench.engine.measure.kept_images import read_kept_sr
from sr_bench.engine.score.network_io import Image, Levels
from sr_bench.errors import ImageError, MetricError, OptionError, SrBenchError
from sr_bench.imaging.files import image_size, read_image

NamedPair: TypeAlias = tuple[str, Levels, Image]
"""The image's name, SR and HR; as `score_ways` takes them."""

_SCALES = (2, 3, 4)
"""Tried where none is given."""
_SPARE = 8
"""Borders are tried up to the scale and this many pixels more."""
_SHOWN, _NEAREST = 10, 3
_ROUND_OFF = 1e-9

_SECONDS_PER_PIXEL: Mapping[str, float] = {"psnr": 1e-6, "ssim": 7e-6}
"""About: measured on one slow core."""

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,12})?")
_COMPARED = tuple(field.name for field in fields(Scoring) if field.name != "image")
_choices = attrgetter(*_COMPARED)

_Named: TypeAlias = Mapping[Scoring, tuple[str, ...]]


@dataclass(frozen=True)
class _Printed:
    """A number with its digits."""

    value: float
    step: float
    """One unit of the last digit."""

    def digits(self, value: float) -> Literal["rounded", "truncated", ""]:
        """Return how `value` becomes the printed number."""
        beyond = (value - self.value) * (-1.0 if self.value < 0 else 1.0)
        if abs(beyond) <= self.step / 2 + _ROUND_OFF:
            return "rounded"
        return "truncated" if 0 <= beyond < self.step - _ROUND_OFF else ""

    def how_far(self, way: Candidate) -> tuple[float, int]:
        """Sort ways by their distance, and those that differ by round-off by their mistakes."""
        return abs(way.value - self.value) // _ROUND_OFF, way.scoring.mistakes


def guess_metric(text: str) -> str:
    """Return what `text` is most likely a value of: up to 1 SSIM, above it PSNR.

    Raises:
        OptionError: It is no number.
    """
    return "ssim" if abs(_read(text).value) <= 1.0 else "psnr"


def explain_number(
    text: str, metric: str, pairs: Iterable[NamedPair], *, scale: int | None = None
) -> Forensics:
    """Return which ways of scoring `pairs` give the printed number `text`.

    Args:
        text: As printed: its digits say how exact it is.
        metric: ``psnr`` or ``ssim``.
        pairs: All images that the number is about, in the dataset's order; one is held at a time.
        scale: Upscaling factor, which named borders follow; None: 2, 3 and 4 are tried.

    Raises:
        OptionError: `text` is no number.
        MetricError: There is no pair, or one is too small.
        SrBenchError: A pair can't be read or scored; the message names it.
    """
    printed = _read(text)
    scales = _SCALES if scale is None else (scale,)
    names, tables = _tables(pairs, metric, max(scales) + _SPARE + 1)
    named = _named(tables, metric, scales, len(names))
    judged = _judged(tuple(all_candidates(tables, metric, names)), printed, metric, named)
    fitting = sorted(
        (way for way in judged if way.digits),
        key=lambda way: (len(way.changes), way.digits != "rounded", *printed.how_far(way)),
    )
    likely = [way for way in judged if len(way.changes) <= 1]
    nearest = sorted(likely, key=lambda way: abs(way.value - printed.value))[:_NEAREST]
    return Forensics(
        metric,
        text,
        len(names),
        scales,
        tried=len(judged),
        fits=len(fitting),
        matches=tuple(islice(_distinct(fitting), _SHOWN)),
        nearest=() if fitting else tuple(nearest),
        notes=tuple(_notes(tables, judged)),
    )


def explain_kept(
    results: Path, kept: Kept, names: Sequence[str], claim: Claim, scale: int
) -> Forensics:
    """Return which ways of scoring the images that a run kept give the number of `claim`.

    `names` are those of the images, in the measurement's order.

    Raises:
        SrBenchError: An image is gone or can't be scored; the message names it.
    """
    pairs = ((name, *read_kept(results, kept, index)) for index, name in enumerate(names))
    forensics = explain_number(claim.text_in_unit, claim.metric, pairs, scale=scale)
    resized = "HR was kept in the size it is compared in, so other ways to resize it were not tried"
    return replace(forensics, notes=(*forensics.notes, resized))


def seconds_needed(results: Path, kept: Kept, images: int, metric: str) -> float:
    """Return about how long `explain_kept` takes.

    Raises:
        ImageError: An image is gone.
    """
    folder = _inside(results, kept.sr)
    sizes = (image_size(folder / f"{index:04d}.png") for index in range(images))
    return _SECONDS_PER_PIXEL[metric] * sum(height * width for height, width in sizes)


def by_hand(results: Path, kept: Kept, claim: Claim, scale: int) -> str:
    """Return the command line that does what `explain_kept` does."""
    sr, hr = str(results / kept.sr), str(results / kept.pairs)
    words = (claim.text_in_unit, "--metric", claim.metric, "--scale", str(scale))
    files = ("--sr", sr, "--hr", hr, "--hr-name", "{stem}-hr")
    return shlex.join(("sr-bench", "explain-number", *words, *files))


def read_kept(results: Path, kept: Kept, index: int) -> tuple[Levels, Image]:
    """Return SR and HR of image number `index` of a run; SR of 16 bits is not clipped.

    Raises:
        ImageError: One is gone, damaged, or recorded outside of the results folder.
    """
    sr, pairs = (_inside(results, folder) for folder in (kept.sr, kept.pairs))
    return read_kept_sr(sr, index), read_image(pairs / f"{index:04d}-hr.png")


def _inside(results: Path, folder: str) -> Path:
    path = results / folder
    if not path.resolve().is_relative_to(results.resolve()):  # a record may be anybody's
        msg = f"{path}: expected a folder below {results}; is the record damaged?"
        raise ImageError(msg)
    return path


def _read(text: str) -> _Printed:
    if not _NUMBER.fullmatch(text):
        msg = f"{text!r:.40}: expected a number as it is printed, such as 32.46 or 0.9614"
        raise OptionError(msg)
    return _Printed(float(text), 10.0 ** int(Decimal(text).as_tuple().exponent))


def _tables(pairs: Iterable[NamedPair], metric: str, borders: int) -> tuple[list[str], Tables]:
    names: list[str] = []
    scored: list[ByBorder] = []
    for name, sr, hr in pairs:
        try:
            scored.append(score_ways(sr, hr, metric, borders))
        except SrBenchError as cause:
            raise cause.about(name) from cause
        names.append(name)
    if not scored:
        msg = "expected at least one image pair, got none"
        raise MetricError(msg)
    common = min(len(table) for image in scored for table in image.values())
    stacked: dict[Scoring, NDArray[np.float64]] = {}
    for key in dict.fromkeys(key for image in scored for key in image):
        rows = [row[:common] for row in (_row(image, key) for image in scored) if row is not None]
        if len(rows) == len(scored):  # a way that one image lacks has no mean
            stacked[key] = np.stack(rows)
    return names, stacked


def _row(image: ByBorder, key: Scoring) -> NDArray[np.float64] | None:
    """Return what `key` gives for one image, which may need no resizing or no rounding."""
    for rounding in (key.rounding, "stored"):
        for rule in (key.resize, "none"):
            row = image.get(replace(key, rounding=rounding, resize=rule))
            if row is not None:
                return row
    return None


def _named(tables: Tables, metric: str, scales: Sequence[int], images: int) -> _Named:
    """Return the scoring halves of the named protocols; many share one."""
    named: dict[Scoring, tuple[str, ...]] = {}
    plain = EvalProtocol("").choices().items()
    # Of those that score alike, the one with the fewest unusual choices comes first.
    rules = sorted(
        map(load_protocol, protocol_names()), key=lambda rule: -len(plain & rule.choices().items())
    )
    stored = any(key.rounding == "stored" for key in tables)
    sized = any(key.resize == "none" for key in tables)
    borders = next(iter(tables.values())).shape[1]
    for rule in rules:
        for scale in scales:
            follows = metric_info(metric).follows_ssim_aggregation and images > 1
            scoring = Scoring(
                colour=rule.colour,
                border=rule.border_px(scale),
                rounding="stored" if stored else rule.rounding,
                window="gaussian" if metric == "ssim" else "",
                aggregation=rule.ssim_aggregation if follows else "mean",
                resize="none" if sized else (rule.gt_resize or "crop"),
            )
            scaled = rule.border in ("scale", "scale+6") and len(scales) > 1
            name = f"{rule.name} at x{scale}" if scaled else rule.name
            known = named.get(scoring, ())
            if scoring.border < borders and name not in known:
                named[scoring] = (*known, name)
    return named


def _judged(
    ways: Sequence[tuple[Scoring, float]], printed: _Printed, metric: str, named: _Named
) -> list[Candidate]:
    """Return the candidates, each with the named protocols that come closest to it."""
    closest = [_closest(scoring, named) for scoring, _ in ways]
    digits = [printed.digits(value) for _, value in ways]
    changes = [_changes(scoring, near) for (scoring, _), near in zip(ways, closest, strict=True)]
    fewer = np.bincount(list(map(len, changes)) or [0]).cumsum()  # candidates with as few changes
    share = _share(ways, digits, printed, metric)
    return [
        Candidate(*way, named[near], changed, digit, chance=share * float(fewer[len(changed)]))
        for way, near, changed, digit in zip(ways, closest, changes, digits, strict=True)
    ]


def _share(
    ways: Sequence[tuple[Scoring, float]],
    digits: Sequence[str],
    printed: _Printed,
    metric: str,
) -> float:
    """Return which part of all candidates fits some other number nearby, by their density."""
    reach = max(20 * printed.step, 1.0 if metric == "psnr" else 0.02)
    near = sum(
        not fits and abs(value - printed.value) <= reach
        for (_, value), fits in zip(ways, digits, strict=True)
    )
    accepted = 1.5 * printed.step  # half a step below, one above
    return near / max(1, len(ways)) * accepted / (2 * reach - accepted)


def _closest(scoring: Scoring, named: _Named) -> Scoring:
    choices = _choices(scoring)

    def how_far(other: Scoring) -> tuple[int, int]:
        return sum(map(ne, choices, _choices(other))), abs(scoring.border - other.border)

    return min(named, key=how_far)


def _changes(scoring: Scoring, other: Scoring) -> tuple[str, ...]:
    pairs = zip(_COMPARED, _choices(scoring), _choices(other), strict=True)
    return tuple(name for name, mine, theirs in pairs if mine != theirs)


def _distinct(fitting: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield what differs from all before it: black borders and gray images hide many choices."""
    values: list[float] = []
    for way in fitting:
        if not way.changes or all(abs(way.value - value) > _ROUND_OFF for value in values):
            values.append(way.value)
            yield way


def _notes(tables: Tables, candidates: Sequence[Candidate]) -> Iterator[str]:
    if not candidates:
        yield "SR and HR are identical, so PSNR is infinite"
    if any(key.rounding == "stored" for key in tables):
        yield "SR has 8 bits, which hides whether it was rounded or truncated"
    if any(key.resize != "none" for key in tables):
        yield "SR and HR have unlike sizes: each rule that resizes HR was tried, and cutting both"
