"""Explain a claim by the images that its run kept."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sr_bench.core.claim import Claim
from sr_bench.core.forensics import Forensics
from sr_bench.core.record import Kept
from sr_bench.engine.explain.number import Asked, explain_row
from sr_bench.engine.explain.scored import NamedPair
from sr_bench.engine.measure.kept_images import read_kept_sr
from sr_bench.engine.score.network_io import Image, Levels
from sr_bench.errors import ImageError
from sr_bench.imaging.files import image_size, read_image

_SECONDS_PER_PIXEL: Mapping[str, float] = {"psnr": 1e-6, "ssim": 9e-6}
"""About: measured on one slow core."""


def explain_kept(
    results: Path, kept: Kept, names: Sequence[str], claims: Sequence[Claim], scale: int
) -> Forensics:
    """Return which ways of scoring the images that a run kept give the number of the first claim.

    Other `claims`, of the same row, count together with it. `names` are those of the images, in
    the measurement's order.

    Raises:
        SrBenchError: An image is gone or can't be scored; the message names it.
    """

    def pairs() -> Iterator[NamedPair]:
        return ((name, *read_kept(results, kept, index)) for index, name in enumerate(names))

    row = [Asked(claim.text_in_unit, claim.metric, pairs(), scale) for claim in claims]
    forensics = explain_row(row)
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
