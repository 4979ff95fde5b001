"""The nouns of datasets: what a manifest declares, and a pair of files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from sr_bench.core.fields import Bounds, Spelled, Words, without_secret
from sr_bench.core.protocol import Resize
from sr_bench.text.printable import LINE_CONTROL

_PLACEHOLDER = re.compile(r"\{([^}]*)\}")

Split = Literal["evaluation", "calibration"]


def _relative(text: str) -> str:
    outside = text.startswith("/") or ".." in PurePosixPath(text).parts or "\\" in text
    # It becomes part of file names and of messages: no control characters.
    if outside or LINE_CONTROL.search(text):
        msg = "expected a path below the dataset's folder, with forward slashes"
        raise ValueError(msg)
    return text


def file_name(text: str) -> str:
    """Return `text`, the name of a file without a folder.

    Raises:
        ValueError: It is none.
    """
    if "/" in _relative(text) or text in ("", "."):
        msg = "expected the name of a file, without a folder"
        raise ValueError(msg)
    return text


def _pattern(text: str) -> str:
    folder, _, name = _relative(text).rpartition("/")
    unknown = set(_PLACEHOLDER.findall(text)) - {"stem", "scale"}
    if unknown or name.count("{stem}") != 1 or "{stem}" in folder:
        msg = "expected {stem} once, in the file name, and no placeholder but {stem} and {scale}"
        raise ValueError(msg)
    partial = any("*" in part and part != "*" for part in folder.split("/"))
    if partial or "*" in name.removesuffix(".*"):
        msg = "expected * for a whole folder, or .* for any suffix of an image"
        raise ValueError(msg)
    return text


def _address(text: str) -> str:
    if urlsplit(text).scheme not in {"http", "https"} or LINE_CONTROL.search(text):
        msg = "expected an address that starts with http:// or https://"
        raise ValueError(msg)
    return without_secret(text)


Positive = Annotated[int, Bounds(ge=1)]
Offset = Annotated[int, Bounds(ge=0)]
Relative = Annotated[str, Spelled(_relative)]
Pattern = Annotated[str, Spelled(_pattern)]
Address = Annotated[str, Spelled(_address)]
FileName = Annotated[str, Spelled(file_name)]


@dataclass(frozen=True)
class Layout:
    """One way in which people keep the files of a dataset, relative to its folder."""

    hr: Pattern
    """Pattern such as ``DIV2K_valid_HR/{stem}.png``; ``{stem}`` is in the file name only.

    A folder ``*`` is any, and becomes a part of the image's name; a suffix ``.*`` is any of an
    image.
    """
    lr: Pattern | None = None
    """Pattern such as ``X{scale}/{stem}x{scale}.png``; None: there are no LR files."""

    def __str__(self) -> str:
        return self.hr + (f" with {self.lr}" if self.lr else "")


@dataclass(frozen=True)
class Archive:
    """One file to download, and where its content goes."""

    url: str
    file: str
    """Name of the file, the last part of the URL unless the manifest says otherwise."""
    sha256: str
    """Hex digest; empty if none is publicly known: the first download records it."""
    size: int | None
    """Bytes; None if unknown."""
    inside: str
    """Only this folder of the archive is taken; empty: all of it."""
    into: str
    """Folder under the dataset's that the content goes to."""


@dataclass(frozen=True)
class Crop:
    """A rectangle of a photograph, in pixels."""

    name: Words
    file: FileName
    top: Offset
    left: Offset
    height: Positive
    width: Positive
    channels: Literal["rgb", "rbg", "grb", "gbr", "brg", "bgr"] = "rgb"
    """Which channels of the photograph are its red, green and blue: ``gbr`` swaps the colours."""
    stress: bool = False
    """Whether a network may lose more on it than on others: no photograph, but text or the like."""


@dataclass(frozen=True)
class CropSet:
    """Fixed crops of photographs that an installed Python package carries, or of images of ours."""

    package: str
    """Distribution and import package, such as ``skimage``."""
    folder: str
    """Folder of the photographs under the package's."""
    beside: Path
    """Folder of the manifest: an image that is there is not the package's."""
    sha256: Mapping[str, str] = field(hash=False)  # a dict has none
    """Digest of each photograph, by file name."""
    evaluation: tuple[Crop, ...]
    calibration: tuple[Crop, ...]
    training: tuple[str, ...]
    """Photographs that networks of this project may be trained on; none is evaluated."""

    def split(self, name: Split) -> tuple[Crop, ...]:
        """Return the crops of the split."""
        return self.evaluation if name == "evaluation" else self.calibration


@dataclass(frozen=True)
class Floor:
    """What plain bicubic enlargement of the LR images scores: a network should do better."""

    scale: Annotated[int, Bounds(ge=2)]
    """Of the enlargement."""
    protocol: Words
    """Name of the protocol that it was measured by; it holds for no other."""
    psnr_db: Annotated[float, Bounds(gt=0)]
    """Mean over the images."""
    ssim: Annotated[float, Bounds(gt=0, lt=1)]
    """Mean over the images."""
    source: Words
    """Who measured it, and how."""


@dataclass(frozen=True)
class Dataset:
    """What a dataset.toml declares."""

    slug: str
    """The manifest's folder name."""
    manifest: Path
    title: str
    """As people write it; empty in a manifest: the slug."""
    description: str
    """What the images are."""
    licence: str
    """Of the images."""
    homepage: str
    """Where their authors tell of them."""
    kind: Literal["files", "crops"]
    """Images of their own, or crops of photographs that a package carries."""
    scales: tuple[int, ...]
    """Scales at which there are, or can be made, LR images."""
    count: int | None = None
    """Images in the evaluation split; None: as many as there are."""
    stems: tuple[str, ...] = ()
    """Names of the images; empty if only their count is known."""
    other_stems: tuple[tuple[str, ...], ...] = ()
    """What others call them, in the same order."""
    names: tuple[str, ...] = ()
    """Folders by which people keep the dataset, besides its slug."""
    layouts: tuple[Layout, ...] = ()
    archives: tuple[Archive, ...] = ()
    lr_rule: Resize | None = None
    """Makes the LR from HR where there are no LR files."""
    crops: CropSet | None = None
    floors: tuple[Floor, ...] = ()
    """At most one for each scale and protocol."""

    @property
    def namings(self) -> tuple[tuple[str, ...], ...]:
        """Each way to call the images, first ours; one of no names if they are not known."""
        return (self.stems, *self.other_stems)

    @property
    def called(self) -> tuple[str, ...]:
        """What folders of the dataset may be called: its slug, and `names`."""
        return (self.slug, *self.names)

    @property
    def is_laid_out_as_usual(self) -> bool:
        """Whether the files are looked for in the usual layouts, not in declared ones alone."""
        return bool(self.names) or not self.layouts

    def floor(self, scale: int, protocol: str) -> Floor | None:
        """Return what bicubic enlargement scores by `protocol`; None if nobody measured it."""
        wanted = (scale, protocol)
        return next((f for f in self.floors if (f.scale, f.protocol) == wanted), None)


@dataclass(frozen=True)
class PairFiles:
    """The files of one image."""

    stem: str
    hr: Path
    lr: Path | None
    """None: to be made from HR."""
