"""The files that a layout has on disk, by the image that they are of."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from sr_bench.data.dataset import Dataset, Layout
from sr_bench.data.listing import Listing, both, is_image, stem_of

Named = Iterable[tuple[str, Path]]
"""Files, each behind the name of its image."""


@dataclass(frozen=True)
class LayoutFiles:
    """What one layout has; `layout` says how its files are called, for messages."""

    layout: Layout
    hr: dict[str, Path]
    lr: dict[str, Path]
    doubles: tuple[str, ...]
    """What to say of each two files of one image."""
    declared: int
    """Files whose names the manifest declares."""
    usable: bool
    """Whether there is a declared HR and, if the layout has LR, a declared LR."""


def layout_files(dataset: Dataset, layout: Layout, hr: Named, lr: Named) -> LayoutFiles:
    """Return the files `hr` and `lr` by the dataset's name for their images."""
    doubles: list[str] = []
    of_hr, of_lr = (_by_stem(named, doubles) for named in (hr, lr))
    most = max(dataset.namings, key=lambda naming: len(of_hr.keys() & set(naming)))
    if most != dataset.stems:
        ours = dict(zip(most, dataset.stems, strict=True))
        of_hr, of_lr = ({ours.get(k, k): v for k, v in each.items()} for each in (of_hr, of_lr))
    # Patterns as general as HR/{stem}.png also match the folders of other datasets.
    known_hr, known_lr = (set(dataset.stems or each) & set(each) for each in (of_hr, of_lr))
    usable = bool(known_hr) and (bool(known_lr) or layout.lr is None)
    declared = len(known_hr) + len(known_lr)
    return LayoutFiles(layout, of_hr, of_lr, tuple(doubles), declared, usable)


def declared_files(
    dataset: Dataset, layout: Layout, root: Path, scale: int, listing: Listing
) -> LayoutFiles:
    """Return the files below `root` that are called as a manifest's `layout` says."""
    hr, lr = (
        _match(pattern.replace("{scale}", str(scale)), root, listing) if pattern else ()
        for pattern in (layout.hr, layout.lr)
    )
    return layout_files(dataset, layout, hr, lr)


def _by_stem(named: Named, doubles: list[str]) -> dict[str, Path]:
    by_stem: dict[str, Path] = {}
    for stem, path in named:
        if by_stem.setdefault(stem, path) is not path:
            doubles.append(f"{both(by_stem[stem], path)} are of image {stem!r}")
    return by_stem


def _match(pattern: str, root: Path, listing: Listing) -> Iterator[tuple[str, Path]]:
    """Yield the files below `root` whose path is `pattern`, in whatever case it is spelled there.

    What stands for a ``*`` is in the name of the image, before a hyphen.
    """
    *folders, name = pattern.split("/")
    rule = _rule(name.removesuffix(".*"))
    any_suffix = name.endswith(".*")
    for place, before in _places(folders, root, listing):
        for file in listing.of(place).files:
            text = stem_of(file) if any_suffix else normalize("NFC", file)
            if (hit := rule.fullmatch(text)) and (is_image(file) or not any_suffix):
                yield "-".join((*before, hit[1])), place / file


def _rule(name: str) -> re.Pattern[str]:
    before, _, after = normalize("NFC", name).partition("{stem}")
    return re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.IGNORECASE)


def _places(
    folders: list[str], root: Path, listing: Listing, before: tuple[str, ...] = ()
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield each folder below `root` that `folders` lead to, and what its stars stand for."""
    if not folders:
        yield root, before
        return
    first, *rest = folders
    below = listing.of(root).folders
    if first == "*":
        for name in below:
            yield from _places(rest, root / name, listing, (*before, normalize("NFC", name)))
        return
    spelled = [name for name in below if name.strip().lower() == first.strip().lower()]
    exact = [name for name in spelled if name == first]
    for name in exact or spelled:
        yield from _places(rest, root / name, listing, before)
