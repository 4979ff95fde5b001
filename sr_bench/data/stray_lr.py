"""LR files of no known layout, which are never passed over where LR would be made from HR."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sr_bench.data.dataset import Dataset, PairFiles
from sr_bench.data.listing import Listing, is_image, stem_of
from sr_bench.data.path_words import Meaning, meaning, total
from sr_bench.data.sizes import nearest_scale
from sr_bench.data.usual_layouts import split_name
from sr_bench.errors import DatasetError, ImageError
from sr_bench.imaging.files import image_size

_NAMED = 3
_UNREAD = re.compile(r"\.(zip|tar|tgz|7z|rar|gz|bz2|xz|mat|h5|hdf5|npy|npz)", re.IGNORECASE)
_FEWEST = 3
"""Images whose sizes alone, without a word, tell that they are the LR."""


def stray_lr(
    dataset: Dataset, pairs: Sequence[PairFiles], root: Path, scale: int, listing: Listing
) -> list[Path]:
    """Return the files of one folder that may be the LR of `pairs`, which none is paired with.

    Looked at is all below `root`, and what is called LR beside it. A file counts that has an
    image's name in its own and about the size of its LR, or is called LR of this scale; a folder
    whose images have the sizes of the LR, whatever they are called; an archive that is called LR.

    Raises:
        DatasetError: A folder can't be listed.
    """
    if scale == 1:
        return []
    names = (dataset.slug, *dataset.names)
    search = _Search({pair.stem: pair.hr for pair in pairs}, scale)
    for top in (root, *_beside(root, names, listing)):
        for folder, content in listing.below(top):
            parts = folder.relative_to(root if top == root else top.parent).parts
            says = total(meaning(part, names) for part in parts)
            if stray := search.among(content.files, says, names):
                return stray
    return []


def unknown_layout(dataset: Dataset, stray: Sequence[Path], scale: int) -> str:
    """Return what to do about `stray`, as one line."""
    more = f" and {len(stray) - _NAMED} more" if len(stray) > _NAMED else ""
    known = [layout.lr.replace("{scale}", str(scale)) for layout in dataset.layouts if layout.lr]
    if dataset.is_laid_out_as_usual:
        known.append(f"LR_bicubic/X{scale}/{{stem}}x{scale}.png and the like")
    return (
        f"{dataset.slug} x{scale}: LR would be made from HR, but {', '.join(map(str, stray[:3]))}"
        f"{more} may be LR, of no layout that is known; name them as a layout does, add a "
        '[[layout]], move them away, or choose a protocol with lr_from = "hr"'
        + "".join(f"\n  layout: {pattern}" for pattern in dict.fromkeys(known))
    )


def _beside(root: Path, names: tuple[str, ...], listing: Listing) -> Iterator[Path]:
    """Yield the folders beside `root` that are called LR, or after a scale."""
    whole = root.resolve()
    try:
        beside = listing.of(whole.parent).folders
    except DatasetError:  # what is around it is not the dataset's
        return
    for folder in beside:
        says = meaning(folder.name, names)
        is_told = says.is_named or not says.special
        if folder != whole and is_told and (says.role == "lr" or says.scales):
            yield folder


@dataclass(frozen=True)
class _Search:
    """Tells what may be LR of these images at this scale."""

    hr: Mapping[str, Path]
    scale: int

    def among(self, files: Sequence[Path], says: Meaning, names: tuple[str, ...]) -> list[Path]:
        """Return those of one folder's `files` that may be LR; the folder's path `says` more."""
        hr = set(self.hr.values())
        images = [path for path in files if is_image(path) and path not in hr]
        stray = [path for path in images if self._has_name_and_size(path, says)]
        if not stray and self._have_sizes(images, says):
            stray = images
        return stray or [path for path in files if self._is_unread(path, says, names)]

    def _has_name_and_size(self, path: Path, folder: Meaning) -> bool:
        parts = split_name(stem_of(path), self.hr)
        if parts is None:
            return False
        says = folder + meaning(f"{parts[0]}_{parts[2]}")
        if says.scales and self.scale not in says.scales:
            return False
        scale = nearest_scale(self.hr[parts[1]], path)
        if scale is None:
            return says.role == "lr" or self.scale in says.scales
        # HR's size are the results of networks, which are named after the scale too.
        return scale == self.scale or (self.scale in says.scales and (scale != 1 or says.says_lr))

    def _have_sizes(self, images: Sequence[Path], says: Meaning) -> bool:
        is_called = says.role == "lr" or self.scale in says.scales
        is_whole = len(images) == len(self.hr) >= _FEWEST
        if not images or (says.scales - {self.scale}) or not (is_called or is_whole):
            return False
        expected = Counter(
            (height // self.scale, width // self.scale)
            for height, width in map(image_size, self.hr.values())
        )
        found = Counter[tuple[int, int]]()
        for path in images:
            try:
                size = image_size(path)
            except ImageError:
                continue
            found[size] += 1
            if size not in expected:
                return False
        return is_called or found == expected

    def _is_unread(self, path: Path, folder: Meaning, names: tuple[str, ...]) -> bool:
        name, *suffix = re.split(r"(?=\.)", path.name, maxsplit=1)
        if not suffix or not _UNREAD.match(suffix[0]):
            return False
        says = folder + meaning(name, names)
        return says.role == "lr" and says.fits(self.scale)
