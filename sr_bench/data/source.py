"""Open a dataset: its images by number, decoded when asked for, and the digest of their files."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sr_bench.core.protocol import LrSource, Resize
from sr_bench.data.crops import Image, load_crop
from sr_bench.data.dataset import Crop, CropSet, Dataset, PairFiles, Split
from sr_bench.data.locate import data_root
from sr_bench.data.pairing import check_scale, find_pairs
from sr_bench.errors import DatasetError
from sr_bench.files.hashing import sha256_bytes, sha256_unchanged
from sr_bench.imaging.files import read_image
from sr_bench.imaging.resize import resize
from sr_bench.system.cpu import usable_cores


@dataclass(frozen=True)
class ImageSet:
    """The images of one split of a dataset at one scale."""

    slug: str
    scale: int
    split: Split
    items: "tuple[_PairItem | _CropItem, ...]"
    """Not decoded yet."""

    # Both are kept: a cached cell asked 1032 times for a name, and 192 times for a digest.
    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each image, unique and sorted by the dataset's order."""
        return tuple(item.name for item in self.items)

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """Hex digest of the content of each image, whatever its name."""
        with ThreadPoolExecutor(usable_cores()) as pool:  # 3 ms for a pair of DIV2K
            return tuple(pool.map(lambda item: item.digest(), self.items))

    def __len__(self) -> int:
        return len(self.items)

    @property
    def stress(self) -> frozenset[str]:
        """Names of the images that a network may lose more on than on others."""
        return frozenset(item.name for item in self.items if item.stress)

    @property
    def lr_made_by(self) -> str:
        """The dataset's rule by which LR is made from HR; empty if LR has files, or is not made."""
        made = {item.made_by for item in self.items}
        return ", ".join(sorted(filter(None, made)))

    def load(self, index: int) -> tuple[Image | None, Image]:
        """Return the LR and HR images of number `index`: RGB (height, width, 3) of 8 bits.

        HR is cut to `scale` times LR at the right and bottom, unless it was opened with
        ``lr_from="resized"`` and LR is of another size. LR is None, and HR is as stored,
        if the set was opened with ``lr_from="hr"``.

        Raises:
            ImageError: A file can't be decoded.
        """
        return self.items[index].load()

    def file_bytes(self, index: int) -> int:
        """Return what the files of image number `index` take; 0 of a crop, whose file is no own."""
        item = self.items[index]
        files = (item.pair.hr, item.pair.lr) if isinstance(item, _PairItem) else ()
        return sum(file.stat().st_size for file in files if file)

    def digest(self, names: Sequence[str] | None = None) -> str:
        """Return a hex digest of the content that `names` (all if None) are made of.

        Raises:
            DatasetError: There is no image of such a name.
        """
        wanted = set(self.names if names is None else names)
        if unknown := sorted(wanted - set(self.names)):
            msg = f"{self.slug} has no image {', '.join(unknown)}"
            raise DatasetError(msg)
        named = zip(self.digests, self.names, strict=True)
        # In the dataset's order, whatever order was asked for.
        lines = [f"{digest}  {name}" for digest, name in named if name in wanted]
        return sha256_bytes("\n".join(lines).encode())


def open_dataset(
    dataset: Dataset,
    *,
    scale: int,
    given: Path | None = None,
    split: Split = "evaluation",
    lr_from: LrSource = "files",
) -> ImageSet:
    """Return the images of a split; their files are found and paired, but not decoded.

    Without `given`, the user's ``--sr-data``, only the cache is searched. The split
    ``calibration`` exists for datasets of crops alone. With `lr_from` ``hr`` only HR is opened;
    the protocol makes LR from it. With ``resized`` LR may be of any size.

    Raises:
        NotRunError: The files are absent; says what to do.
        DatasetError: Files are missing, extra or of wrong sizes, or there is no such split or
            scale.
        OptionError: `given` isn't a folder.
    """
    check_scale(dataset, scale)
    make = _LrMaker(scale, None if lr_from == "hr" else dataset.lr_rule)
    if crops := dataset.crops:
        items = tuple(_CropItem(crop.name, crops, crop, make) for crop in crops.split(split))
        return ImageSet(dataset.slug, scale, split, items)
    if split != "evaluation":
        msg = f"{dataset.slug} has no {split} split; use a dataset of crops, such as photos"
        raise DatasetError(msg)
    pairs = find_pairs(dataset, data_root(dataset, given), scale, lr_from=lr_from)
    files = tuple(_PairItem(pair.stem, pair, make) for pair in pairs)
    return ImageSet(dataset.slug, scale, split, files)


@dataclass(frozen=True)
class _LrMaker:
    """Makes LR from HR by a named rule; makes none if there is no rule."""

    scale: int
    rule: Resize | None

    def __call__(self, hr: Image) -> tuple[Image | None, Image]:
        if self.rule is None:
            return None, hr
        height, width = hr.shape[0] // self.scale, hr.shape[1] // self.scale
        cut = _cut(hr, height * self.scale, width * self.scale)
        return (cut if self.scale == 1 else resize(cut, (height, width), self.rule)), cut

    def digest(self) -> str:
        """Say what was done, for a digest."""
        return f"{self.rule} x{self.scale}" if self.rule else "no LR"


@dataclass(frozen=True)
class _PairItem:
    name: str
    pair: PairFiles
    make: _LrMaker
    stress: bool = False

    @property
    def made_by(self) -> str:
        return "" if self.pair.lr else self.make.rule or ""

    def load(self) -> tuple[Image | None, Image]:
        hr = read_image(self.pair.hr)
        if self.pair.lr is None:
            return self.make(hr)
        lr, scale = read_image(self.pair.lr), self.make.scale
        size = (lr.shape[0] * scale, lr.shape[1] * scale)
        spare = (hr.shape[0] - size[0], hr.shape[1] - size[1])
        # Of another size is what the protocol resizes.
        return lr, _cut(hr, *size) if all(0 <= pixels < scale for pixels in spare) else hr

    def digest(self) -> str:
        lr = sha256_unchanged(self.pair.lr) if self.pair.lr else self.make.digest()
        return sha256_bytes(f"{sha256_unchanged(self.pair.hr)} {lr}".encode())


@dataclass(frozen=True)
class _CropItem:
    name: str
    crops: CropSet
    crop: Crop
    make: _LrMaker

    @property
    def stress(self) -> bool:
        return self.crop.stress

    @property
    def made_by(self) -> str:
        return self.make.rule or ""

    def load(self) -> tuple[Image | None, Image]:
        return self.make(load_crop(self.crops, self.crop))

    def digest(self) -> str:
        crop = self.crop
        box = (crop.top, crop.left, crop.height, crop.width)
        # The declared digest: a photograph of another one is refused when it is loaded.
        text = f"{self.crops.sha256[crop.file]} {box} {crop.channels} {self.make.digest()}"
        text += " stress" if crop.stress else ""
        return sha256_bytes(text.encode())


def _cut(image: Image, height: int, width: int) -> Image:
    return np.ascontiguousarray(image[:height, :width])
