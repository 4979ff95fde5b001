"""Cut out the worst windows of each precision."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from sr_bench.errors import ImageError
from sr_bench.imaging.files import read_levels
from sr_bench.imaging.web import ImageWindow, lossless_webp, to_8bit
from sr_bench.report.html.assets import Assets
from sr_bench.report.html.pictures import Gallery, Picture
from sr_bench.report.html.survey import THREADS, Survey, comparisons, pair_key

PER_PRECISION = 3
"""Crops shown of each precision, of different images."""


@dataclass(frozen=True)
class WorstCrop:
    """The worst window of an image in a precision."""

    precision: str
    image: int
    """Number in the gallery."""
    window: ImageWindow
    tiles: dict[str, str]
    """Files of the report by what they show: ``hr`` or a precision."""


def cut_crops(gallery: Gallery, survey: Survey, assets: Assets) -> tuple[WorstCrop, ...]:
    """Return the worst crops of each precision, the worst first; fewer if there is no room."""
    with ThreadPoolExecutor(THREADS) as pool:
        wanted = [*_worst(gallery, survey)]
        cut = pool.map(lambda item: _cut(item, gallery, assets), wanted)
        return tuple(crop for crop in cut if crop)


def _worst(gallery: Gallery, survey: Survey) -> Iterator[tuple[str, int, ImageWindow]]:
    by_precision: dict[str, list[tuple[int, ImageWindow]]] = {}
    for index, image in enumerate(gallery.images):
        for precision, low, full in comparisons(image):
            if window := survey.windows.get(pair_key(low, full)):
                by_precision.setdefault(precision, []).append((index, window))
    for windows in by_precision.values():
        windows.sort(key=lambda item: -item[1].mse)
    # fp32 against the truth comes last: what precision costs is what people come for.
    worst_first = sorted(by_precision.items(), key=lambda i: (i[0] == "fp32", -i[1][0][1].mse))
    for precision, windows in worst_first:
        yield from ((precision, *item) for item in windows[:PER_PRECISION] if item[1].mse > 0)


def _cut(item: tuple[str, int, ImageWindow], gallery: Gallery, assets: Assets) -> WorstCrop | None:
    precision, index, window = item
    image = gallery.images[index]
    shown = {"hr": image.hr, "fp32": image.sr["fp32"], precision: image.sr[precision]}
    tiles: dict[str, str] = {}
    for what, picture in shown.items():
        if picture is None:
            continue
        place = f"{window.top},{window.left},{window.height},{window.width}"
        key = f"crop|{picture.name}|{picture.stamp}|{place}"
        try:
            asset = assets.get(key, partial(_encoded_part, picture, window))
        except ImageError:
            return None
        if asset is None:
            return None
        tiles[what] = asset.name
    return WorstCrop(precision, index, window, tiles)


def _encoded_part(picture: Picture, window: ImageWindow) -> bytes:
    rows = slice(window.top, window.top + window.height)
    part = read_levels(picture.path)[rows, window.left : window.left + window.width]
    return lossless_webp(to_8bit(part.copy()))
