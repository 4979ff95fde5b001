"""LR files of no known layout, which are never passed over where LR would be made from HR."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from sr_bench.data.dataset import Dataset, PairFiles
from sr_bench.data.listing import Folder, Listing, is_container, is_image, stem_of
from sr_bench.data.path_words import Meaning, meaning, total
from sr_bench.data.sizes import nearest_scale
from sr_bench.data.usual_layouts import split_name
from sr_bench.errors import DatasetError, ImageError
from sr_bench.imaging.files import image_size
from sr_bench.text.printable import some

_NAMED = 3
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
    names = dataset.called
    search = _Search({pair.stem: pair.hr for pair in pairs}, scale)
    around = _around(root, listing)
    beside = (around.path / name for name in around.folders if _is_called_lr(name, names))
    for top in (root, *beside):
        for folder in listing.below(top):
            parts = folder.path.relative_to(root if top == root else top.parent).parts
            says = total(meaning(part, names) for part in parts)
            if stray := search.among(folder, says, names):
                return stray
    return search.packed(around, Meaning(), names)


def unknown_layout(dataset: Dataset, stray: Sequence[Path], scale: int) -> str:
    """Return what to do about `stray`, as one line."""
    known = [layout.lr.replace("{scale}", str(scale)) for layout in dataset.layouts if layout.lr]
    if dataset.is_laid_out_as_usual:
        known.append(f"LR_bicubic/X{scale}/{{stem}}x{scale}.png and the like")
    return (
        f"{dataset.slug} x{scale}: LR would be made from HR, but {some(stray, _NAMED)}"
        " may be LR, of no layout that is known; name them as a layout does, give a folder "
        "of both by --sr-data, add a [[layout]], move them away, or choose a protocol with lr_from "
        '= "hr"' + "".join(f"\n  layout: {pattern}" for pattern in dict.fromkeys(known))
    )


def _around(root: Path, listing: Listing) -> Folder:
    """Return what is beside `root`."""
    whole = root.resolve()
    try:
        around = listing.of(whole.parent)
    except DatasetError:  # what is around it is not the dataset's
        return Folder(whole.parent)
    return replace(around, folders=tuple(name for name in around.folders if name != whole.name))


def _is_called_lr(name: str, names: tuple[str, ...]) -> bool:
    says = meaning(name, names)
    is_told = says.is_named or not says.special
    return is_told and (says.role == "lr" or bool(says.scales))


@dataclass(frozen=True)
class _Search:
    """Tells what may be LR of these images at this scale."""

    hr: Mapping[str, Path]
    scale: int

    @cached_property
    def hr_names(self) -> Mapping[Path, set[str]]:
        """Names of the HR files by their folder."""
        names: defaultdict[Path, set[str]] = defaultdict(set)
        for path in self.hr.values():
            names[path.parent].add(path.name)
        return names

    def among(self, folder: Folder, says: Meaning, names: tuple[str, ...]) -> list[Path]:
        """Return those of the folder's files that may be LR; its path `says` more."""
        hr = self.hr_names[folder.path]
        images = [name for name in folder.files if name not in hr and is_image(name)]
        split = ((name, split_name(stem_of(name), self.hr)) for name in images)
        named = ((folder.path / name, parts) for name, parts in split if parts)
        stray = [path for path, parts in named if self._has_size(path, says, *parts)]
        if not stray and self._may_be_all(len(images), says):
            paths = [folder.path / name for name in images]
            stray = paths if self._have_sizes(paths, says) else []
        return stray or self.packed(folder, says, names)

    def packed(self, folder: Folder, says: Meaning, names: tuple[str, ...]) -> list[Path]:
        """Return the archives and the like that are called LR."""
        is_lr = says.role == "lr" and says.fits(self.scale)
        files = [name for name in folder.files if is_container(name)]
        return [
            folder.path / name
            for name in files
            if is_lr or self._is_called_ours(says + meaning(name.split(".")[0], names), name)
        ]

    def _is_called_ours(self, says: Meaning, name: str) -> bool:
        # Other words before "LR" are the name of another set.
        is_ours = says.is_named or not says.special or name.lower().startswith("lr")
        return is_ours and says.role == "lr" and says.scales <= {self.scale}

    def _has_size(self, path: Path, folder: Meaning, before: str, stem: str, after: str) -> bool:
        says = folder + meaning(f"{before}_{after}")
        if says.scales and self.scale not in says.scales:
            return False
        scale = nearest_scale(self.hr[stem], path)
        if scale is None:
            return self._is_called_lr(says)
        # HR's size are the results of networks, which are named after the scale too.
        return scale == self.scale or (self.scale in says.scales and (scale != 1 or says.says_lr))

    def _may_be_all(self, count: int, says: Meaning) -> bool:
        is_whole = count == len(self.hr) >= _FEWEST
        return count > 0 and says.scales <= {self.scale} and (is_whole or self._is_called_lr(says))

    def _is_called_lr(self, says: Meaning) -> bool:
        return says.role == "lr" or self.scale in says.scales

    def _have_sizes(self, images: Sequence[Path], says: Meaning) -> bool:
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
        return self._is_called_lr(says) or found == expected
