"""Look through the kept images, each decoded once: thumbnails, and where the worst errors are."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sr_bench.errors import ImageError
from sr_bench.imaging.files import image_size, read_levels
from sr_bench.imaging.web import ImageWindow, Levels, thumbnail_webp, to_8bit, worst_window
from sr_bench.report.html.assets import Asset, Assets
from sr_bench.report.html.pictures import Gallery, ImageFiles, Picture

WINDOW = 64
"""Side of a worst crop, in pixels."""

THREADS = 2
"""Decoding and filtering release the GIL."""

_THUMBNAIL = 112


@dataclass
class Survey:
    """What the images show; filled by image, safe for threads as each image has its own keys."""

    thumbnails: dict[str, Asset] = field(default_factory=dict)
    """By the name of the HR picture."""
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Height and width by the name of the HR picture."""
    windows: dict[str, ImageWindow] = field(default_factory=dict)
    """By `pair_key` of the two pictures that were compared."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """By the name of the picture, why."""


def pair_key(low: Picture, full: Picture) -> str:
    """Return what names the comparison of two pictures, of this content."""
    return f"{low.name}|{low.stamp}|{full.name}|{full.stamp}"


def survey(
    galleries: Sequence[Gallery],
    assets: Assets,
    known: Mapping[str, ImageWindow],
    tick: Callable[[str], None],
) -> Survey:
    """Look through all images of `galleries`; what is `known` is not looked at again."""
    seen = Survey()

    def work(unit: list[ImageFiles]) -> None:
        _look(unit, assets, known, seen)
        tick(unit[0].name)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, units_of(galleries)):
            pass  # only who takes the results sees a thread's error
    return seen


def units_of(galleries: Sequence[Gallery]) -> list[list[ImageFiles]]:
    """Return the images by the ground truth that they share; `survey` ticks once for each."""
    units: dict[str, list[ImageFiles]] = defaultdict(list)
    for gallery in galleries:
        for image in gallery.images:
            units[image.hr.name if image.hr else f"|{id(image)}"].append(image)
    return list(units.values())


def comparisons(image: ImageFiles) -> Iterator[tuple[str, Picture, Picture]]:
    """Yield precision, picture and reference: fp32 against the truth, the others against fp32."""
    full = image.sr.get("fp32")
    if full and image.hr:
        yield "fp32", full, image.hr
    for precision, low in image.sr.items():
        if precision != "fp32" and low and full:
            yield precision, low, full


def _look(
    unit: list[ImageFiles], assets: Assets, known: Mapping[str, ImageWindow], seen: Survey
) -> None:
    """Compare the files of one image in all models; `unit` shares the HR picture."""
    hr = unit[0].hr
    opened: dict[str, Levels | None] = {}
    if hr:
        _thumbnail(hr, assets, seen, opened)
    for image in unit:
        for _, low, full in comparisons(image):
            key = pair_key(low, full)
            if key in known:
                seen.windows[key] = known[key]
                continue
            pair = _open(low, opened, seen), _open(full, opened, seen)
            if pair[0] is None or pair[1] is None:
                continue
            try:
                seen.windows[key] = worst_window(pair[0], pair[1], WINDOW)
            except ImageError as cause:
                seen.unreadable[low.name] = str(cause)
        # Only the truth is shared with the next model.
        opened = {hr.name: opened[hr.name]} if hr and hr.name in opened else {}


def _thumbnail(hr: Picture, assets: Assets, seen: Survey, opened: dict[str, Levels | None]) -> None:
    key = f"thumbnail|{hr.name}|{hr.stamp}"
    try:
        seen.sizes[hr.name] = image_size(hr.path)  # the header: a thumbnail may be kept
    except ImageError as cause:
        seen.unreadable[hr.name] = str(cause)
        return
    asset = assets.recall(key)
    if asset is None:
        levels = _open(hr, opened, seen)
        if levels is not None:
            asset = assets.add(key, thumbnail_webp(to_8bit(levels), _THUMBNAIL))
    if asset:
        seen.thumbnails[hr.name] = asset


def _open(picture: Picture, opened: dict[str, Levels | None], seen: Survey) -> Levels | None:
    if picture.name not in opened:
        try:
            opened[picture.name] = read_levels(picture.path)
        except ImageError as cause:
            seen.unreadable[picture.name] = str(cause)
            opened[picture.name] = None  # a damaged file is read once, not for each precision
    return opened[picture.name]
