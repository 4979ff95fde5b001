"""Find the layouts in which people keep datasets by what folders and files are called."""

import re
from collections import defaultdict
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sr_bench.data.dataset import Dataset, Layout
from sr_bench.data.layout_files import LayoutFiles, layout_files
from sr_bench.data.listing import Folder, Listing, is_container, is_image, stem_of
from sr_bench.data.path_words import Meaning, meaning
from sr_bench.data.sizes import nearest_scale
from sr_bench.errors import DatasetError

_DEEPEST = 6
_STRANGERS = 2
"""Folders on the way to a dataset's that say nothing."""
_MOST_FOLDERS = 64
"""In a folder of which those that say nothing are entered."""
_HR_NAME = re.compile(
    r"((?:hr|gt|norain|clean|clear|high|sharp|target|normal|gt_srgb)(?:[_-]|(?=\d)))?(.+?)"
    r"([_-](?:x\d+[_-]|srf_\d+_)?(?:hr|gt)(?:[_-]?x\d+)?)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?:^|(?<=[_\-. ]))(?=[^_\-. ])|(?<=[a-zA-Z])(?=\d)")


@dataclass(frozen=True)
class _Place:
    """A folder of images, by what its path says."""

    path: str
    """Relative to the dataset's, with a slash at its end; empty for that itself."""
    says: Meaning
    others: tuple[str, ...]
    """Folders on the way that say nothing; HR and LR have the same."""
    folder: Folder

    @property
    def images(self) -> list[str]:
        """Names of the image files."""
        return [name for name in self.folder.files if is_image(name)]


@dataclass(frozen=True)
class _Series:
    """Files of one folder whose names have the same beside that of the image."""

    place: _Place
    before: str
    after: str
    stems: dict[str, str]
    """The name of the image by that of the file."""

    @property
    def says(self) -> Meaning:
        """What folder and names say."""
        return self.place.says + meaning(f"{self.before}_{self.after}")

    @property
    def pattern(self) -> str:
        """The files as a layout names them."""
        return f"{self.place.path}{self.before}{{stem}}{self.after}.*"

    @property
    def named(self) -> list[tuple[str, Path]]:
        """Each file behind the name of its image."""
        return [(stem, self.place.folder.path / name) for name, stem in self.stems.items()]


def usual_layouts(
    dataset: Dataset, root: Path, scale: int, listing: Listing, *, with_lr: bool
) -> Iterator[LayoutFiles]:
    """Yield the layouts that files below `root` have: those of HR alone, and if asked with LR.

    Folders and files must say by their words what they are (`path_words`). Only folders that do
    are entered, and some that say nothing, which may hold one of the dataset's name.
    """
    places = list(_below(_Place("", Meaning(), (), listing.of(root)), dataset.called, listing))
    is_own = _is_own(dataset, root)
    for hr in _hr_series(dataset, places, scale, is_own=is_own):
        for lr in _lr_series(places, hr, scale) if with_lr else ():
            yield layout_files(dataset, Layout(hr.pattern, lr.pattern), hr.named, lr.named)
        yield layout_files(dataset, Layout(hr.pattern), hr.named, ())


def packed_hr(dataset: Dataset, root: Path, listing: Listing) -> list[Path]:
    """Return the archives and the like below `root` that may hold HR."""
    is_own = _is_own(dataset, root)
    return [
        place.folder.path / name
        for place in _below(_Place("", Meaning(), (), listing.of(root)), dataset.called, listing)
        if place.says.role == "hr" or (is_own and not place.path)
        for name in place.folder.files
        if is_container(name)
    ]


def split_name(
    name: str, stems: Container[str], *, other_than: str = ""
) -> tuple[str, str, str] | None:
    """Return what stands in `name` before the longest of `stems`, that, and what stands behind.

    A stem begins where a word does, and ends where one may end; `other_than` is none.

    >>> split_name("LR_img_1x2", {"img_1", "img"})
    ('LR_', 'img_1', 'x2')
    """
    for start in (match.start() for match in _WORD.finditer(name)):
        for end in range(len(name), start, -1):
            stem = name[start:end]
            if stem in stems and stem != other_than and not _goes_on(stem, name[end:]):
                return name[:start], stem, name[end:]
    return None


def _goes_on(stem: str, rest: str) -> bool:
    if re.match(r"x\d|(bic)?LR", rest):
        return False
    last, first = stem[-1], rest[:1]
    return (last.isalpha() and first.isalpha()) or (last.isdigit() and first.isdigit())


def _is_own(dataset: Dataset, root: Path) -> bool:
    """Whether `root` is the dataset's alone: its manifest is there, or the path names it."""
    whole = root.resolve()
    above, last = (meaning(path.name, dataset.called) for path in (whole.parent, whole))
    is_named = last.is_named or (above.is_named and last.role == "hr")  # --sr-data Set5/HR
    return is_named or root == dataset.manifest.parent


def _below(place: _Place, names: tuple[str, ...], listing: Listing) -> Iterator[_Place]:
    yield place
    inside = place.folder.folders
    for name in inside if place.path.count("/") < _DEEPEST else ():
        says, others = meaning(name, names), place.others
        if says.special:
            # With a role: of another degradation, cut to pieces ...; many folders are classes.
            if says.role or says.scales or len(inside) > _MOST_FOLDERS or len(others) == _STRANGERS:
                continue
            says, others = replace(says, special=()), (*others, name)
        if "{" in name or "*" in name:  # would mean something else in a pattern
            continue
        try:
            folder = listing.of(place.folder.path / name)
        except DatasetError:
            if others == place.others:  # its name says that it is the dataset's
                raise
            continue
        says = place.says + says
        if len(others) < 2 or says.is_named or not any(map(is_image, folder.files)):
            path = f"{place.path}{name}/"
            yield from _below(_Place(path, says, others, folder), names, listing)


def _hr_series(
    dataset: Dataset, places: list[_Place], scale: int, *, is_own: bool
) -> list[_Series]:
    """Return what may be HR; what is below a folder of the dataset's name goes first."""
    splits = set(meaning(dataset.slug).splits)
    found = [
        series
        for place in places
        if place.says.role != "lr"
        if place.says.is_named or len(place.others) <= (1 if is_own else 0)
        if not splits or not place.says.splits or splits & set(place.says.splits)
        for series in _hr_of(dataset, place)
        if _is_hr(dataset, series, scale, is_own=is_own)
    ]
    if not dataset.stems:
        found = [series for series in found if series.says.role == "hr"] or found
    return [series for series in found if series.says.is_named] or found


def _is_hr(dataset: Dataset, series: _Series, scale: int, *, is_own: bool) -> bool:
    place, says = series.place, series.says
    if says.role == "lr" or not says.fits(scale):
        return False
    if says.role == "hr":
        return True
    of_all = not place.others and (is_own or (bool(dataset.stems) and not place.path))
    return (says.is_named or of_all) and not says.scales


def _hr_of(dataset: Dataset, place: _Place) -> Iterator[_Series]:
    by_rest: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    stems = frozenset(stem for naming in dataset.namings for stem in naming)
    for name in place.images:
        before, stem, after = _hr_name(stem_of(name), stems)
        by_rest[before, after][name] = stem
    bare = by_rest.pop(("", ""), {})
    if bare and not stems and place.says.role == "hr":  # "sharp_edge" beside "tree" is a name
        by_rest, bare = {}, {name: stem_of(name) for name in place.images}
    elif not stems:
        bare = {} if by_rest else _without_lr(bare)
    for (before, after), named in (*by_rest.items(), *[(("", ""), bare)] * bool(bare)):
        yield _Series(place, before, after, named)


def _hr_name(name: str, stems: frozenset[str]) -> tuple[str, str, str]:
    """Return what stands before the name of the image, that, and what stands behind it."""
    if not stems:
        match = _HR_NAME.fullmatch(name)
        return (match[1] or "", match[2], match[3] or "") if match else ("", name, "")
    parts = split_name(name, stems)
    # Such as "baby (1)", which is none of the images.
    return parts if parts and not meaning(f"{parts[0]}_{parts[2]}").special else ("", name, "")


def _without_lr(named: dict[str, str]) -> dict[str, str]:
    """Return `named` without those that are called LR of others."""
    stems = frozenset(named.values())
    return {name: stem for name, stem in named.items() if not _is_lr_name(stem, stems)}


def _is_lr_name(name: str, stems: frozenset[str]) -> bool:
    parts = split_name(name, stems, other_than=name)
    says = meaning(f"{parts[0]}_{parts[2]}") if parts else Meaning()
    return says.role == "lr" or bool(says.scales)


def _lr_series(places: list[_Place], hr: _Series, scale: int) -> Iterator[_Series]:
    stems = frozenset(hr.stems.values())
    for place in places:
        fits = place.others == hr.place.others and _one_split(place.says, hr.place.says)
        if fits and place.says.role != "hr":
            names = [name for name in place.images if place is not hr.place or name not in hr.stems]
            for series in _lr_of(place, names, stems):
                if _is_lr(hr, series, scale):
                    yield series


def _one_split(one: Meaning, other: Meaning) -> bool:
    return not one.splits or not other.splits or set(one.splits) == set(other.splits)


def _is_lr(hr: _Series, series: _Series, scale: int) -> bool:
    says = series.says
    if not says.fits(scale):
        return False
    if says.scales or says.role != "lr" or scale == 1:
        return says.role == "lr" or (bool(says.scales) and says.role != "hr")
    # Nothing names the scale: the size of the first one tells it.
    of_hr = dict(hr.named)
    first, stem = min((path, stem) for stem, path in series.named if stem in of_hr)
    return nearest_scale(of_hr[stem], first) in (scale, None)  # of no image it is told later


def _lr_of(place: _Place, names: list[str], stems: frozenset[str]) -> Iterator[_Series]:
    by_rest: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    texts = {name: stem_of(name) for name in names}
    for name, text in texts.items():
        if parts := split_name(text, stems):
            by_rest[parts[0], parts[2]][name] = parts[1]
    for (before, after), named in by_rest.items():
        # Files named alike that belong to no HR are told as extra.
        rule = re.compile(f"{re.escape(before)}(.+){re.escape(after)}")
        is_apart = before or after or place.says.role == "lr" or place.says.scales
        extra = {
            name: match[1]
            for name, text in texts.items()
            if is_apart and name not in named and (match := rule.fullmatch(text))
        }
        yield _Series(place, before, after, named | extra)
