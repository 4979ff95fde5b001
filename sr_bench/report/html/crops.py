"""Cut out the worst windows, and take in as many whole images as the report has room for."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

from sr_bench.errors import ImageError
from sr_bench.imaging.files import read_levels
from sr_bench.imaging.web import ImageWindow, lossless_webp, to_8bit
from sr_bench.report.html.assets import Asset, Assets
from sr_bench.report.html.pictures import Gallery, ImageFiles, Picture
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


def embed(galleries: Sequence[Gallery], survey: Survey, assets: Assets) -> dict[str, Asset]:
    """Copy whole images into the report, the worst of each gallery first, until it is full.

    An image comes in all precisions or not at all, so that no comparison is half inside.

    Returns:
        The files of the report by the name of the picture.
    """
    inside: dict[str, Asset] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for image in _by_turns(galleries, survey):
            pictures = _pictures(image, survey)
            keys = [f"whole|{picture.name}|{picture.stamp}" for picture in pictures]
            fresh = [key for key in keys if key not in assets.used]  # models share LR and HR
            copied = list(pool.map(partial(_copy, assets, survey), pictures, keys))
            names = [picture.name for picture in pictures]
            assets_of = {name: asset for name, asset in zip(names, copied, strict=True) if asset}
            if any(name not in assets_of and name not in survey.unreadable for name in names):
                assets.drop(fresh)
                break  # a smaller one might fit, but the worst come first
            inside |= assets_of
    return inside


def _worst(gallery: Gallery, survey: Survey) -> Iterator[tuple[str, int, ImageWindow]]:
    by_precision: dict[str, list[tuple[int, ImageWindow]]] = {}
    for index, image in enumerate(gallery.images):
        for precision, low, full in comparisons(image):
            if window := survey.windows.get(pair_key(low, full)):
                by_precision.setdefault(precision, []).append((index, window))
    # fp32 against the truth comes last: what precision costs is what people come for.
    for precision, windows in sorted(by_precision.items(), key=lambda item: item[0] == "fp32"):
        windows.sort(key=lambda item: -item[1].mse)
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


def _by_turns(galleries: Sequence[Gallery], survey: Survey) -> Iterator[ImageFiles]:
    """Yield the worst image of each gallery, then the second of each, and so on."""
    ranked = [
        sorted(gallery.images, key=lambda image: -_badness(image, survey)) for gallery in galleries
    ]
    for rank in zip_longest(*ranked):
        yield from (image for image in rank if image and _pictures(image, survey))


def _badness(image: ImageFiles, survey: Survey) -> float:
    """Return how far a low precision is from fp32 in the image's worst window."""
    windows = [
        survey.windows.get(pair_key(low, full))
        for precision, low, full in comparisons(image)
        if precision != "fp32"
    ]
    return max((window.mse for window in windows if window), default=0.0)


def _pictures(image: ImageFiles, survey: Survey) -> list[Picture]:
    every = (image.lr, image.hr, *image.sr.values())
    return [picture for picture in every if picture and picture.name not in survey.unreadable]


def _copy(assets: Assets, survey: Survey, picture: Picture, key: str) -> Asset | None:
    try:
        return assets.get(key, lambda: lossless_webp(to_8bit(read_levels(picture.path))))
    except ImageError as cause:
        survey.unreadable[picture.name] = str(cause)
        return None
