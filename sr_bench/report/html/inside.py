"""Take whole images into the report: all as they look, and exactly as far as there is room."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import zip_longest

from sr_bench.errors import ImageError
from sr_bench.imaging.files import read_levels
from sr_bench.imaging.web import look_webp, lossless_webp, to_8bit
from sr_bench.report.html.assets import Asset, Assets
from sr_bench.report.html.pictures import Gallery, ImageFiles, Picture
from sr_bench.report.html.survey import THREADS, Survey, comparisons, pair_key

_EXACT, _LOOK = "whole", "look"


@dataclass(frozen=True)
class Inside:
    """Whole images in the report, by the name of the picture."""

    exact: dict[str, Asset] = field(default_factory=dict)
    """To the last bit, as error maps need them."""
    looks: dict[str, Asset] = field(default_factory=dict)
    """Small copies of others, which look the same."""

    def __contains__(self, picture: Picture) -> bool:
        return picture.name in self.exact or picture.name in self.looks


def embed(galleries: Sequence[Gallery], survey: Survey, assets: Assets) -> Inside:
    """Copy whole images into the report, the worst of each gallery first, until it is full.

    An image comes in all precisions or not at all, so that no comparison is half inside: the worst
    exactly, while there is room left for all others as they look.
    """
    order = [*_by_turns(galleries, survey)]
    with ThreadPoolExecutor(THREADS) as pool:
        return _Embedding(survey, assets, pool).of(order)


class _Embedding:
    """One build's images; its steps share what was found out of them."""

    def __init__(self, survey: Survey, assets: Assets, pool: Executor) -> None:
        self._survey, self._assets, self._pool = survey, assets, pool
        self._inside = Inside()

    def of(self, order: Sequence[ImageFiles]) -> Inside:
        sizes, waiting = self._look_sizes(order), [*order]
        to_come = sum(sizes.values())
        while waiting and sizes:
            to_come -= sum(sizes.pop(p.name, 0) for p in _pictures(waiting[0], self._survey))
            self._assets.keep_free(to_come)
            if not self._take(waiting[0], _EXACT):
                break
            waiting.pop(0)
        self._assets.keep_free(0)
        while waiting and self._take(waiting[0], _LOOK):
            waiting.pop(0)  # a smaller one might fit, but the worst come first
        return self._inside

    def _look_sizes(self, order: Sequence[ImageFiles]) -> dict[str, int]:
        """Return the bytes of each picture as it looks; none if all of them are too many."""
        sizes: dict[str, int] = {}
        for image in order:
            new = [p for p in _pictures(image, self._survey) if p.name not in sizes]
            found = self._pool.map(self._look_size, new)
            sizes |= zip([p.name for p in new], found, strict=True)
            if sum(sizes.values()) > self._assets.room_left:
                return {}
        return sizes

    def _take(self, image: ImageFiles, how: str) -> bool:
        """Copy what is not there of `image`; return whether there was room for all of it."""
        pictures = [p for p in _pictures(image, self._survey) if p not in self._inside]
        copied = [*self._pool.map(lambda picture: self._copy(picture, how), pictures)]
        absent = [p for p, asset in zip(pictures, copied, strict=True) if asset is None]
        if any(picture.name not in self._survey.unreadable for picture in absent):
            self._assets.drop([_key(picture, how) for picture in pictures])
            return False
        target = self._inside.exact if how == _EXACT else self._inside.looks
        target |= {p.name: asset for p, asset in zip(pictures, copied, strict=True) if asset}
        return True

    def _copy(self, picture: Picture, how: str) -> Asset | None:
        try:
            return self._assets.get(_key(picture, how), lambda: _encoded(picture, how))
        except ImageError as cause:
            self._survey.unreadable[picture.name] = str(cause)
            return None

    def _look_size(self, picture: Picture) -> int:
        try:
            key = _key(picture, _LOOK)
            return self._assets.look(key, lambda: _encoded(picture, _LOOK)).size
        except ImageError as cause:
            self._survey.unreadable[picture.name] = str(cause)
            return 0


def _key(picture: Picture, how: str) -> str:
    return f"{how}|{picture.name}|{picture.stamp}"


def _encoded(picture: Picture, how: str) -> bytes:
    encode = lossless_webp if how == _EXACT else look_webp
    return encode(to_8bit(read_levels(picture.path)))


def _by_turns(galleries: Iterable[Gallery], survey: Survey) -> Iterator[ImageFiles]:
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
