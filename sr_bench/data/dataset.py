"""The nouns of datasets: what a manifest declares, and a pair of files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sr_bench.core.protocol import Resize

Split = Literal["evaluation", "calibration"]


@dataclass(frozen=True)
class Layout:
    """One way in which people keep the files of a dataset, relative to its folder."""

    hr: str
    """Pattern such as ``DIV2K_valid_HR/{stem}.png``; ``{stem}`` is in the file name only."""
    lr: str | None
    """Pattern such as ``X{scale}/{stem}x{scale}.png``; None: there are no LR files."""


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

    name: str
    file: str
    top: int
    left: int
    height: int
    width: int
    channels: str = "rgb"
    """Which channels of the photograph are its red, green and blue: ``gbr`` swaps the colours."""


@dataclass(frozen=True)
class CropSet:
    """Fixed crops of photographs that an installed Python package carries."""

    package: str
    """Distribution and import package, such as ``skimage``."""
    folder: str
    """Folder of the photographs under the package's."""
    sha256: Mapping[str, str] = field(hash=False)
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

    scale: int
    protocol: str
    """Name of the protocol that it was measured by; it holds for no other."""
    psnr_db: float
    ssim: float
    source: str
    """Who measured it, and how."""


@dataclass(frozen=True)
class Dataset:
    """What a dataset.toml declares."""

    slug: str
    """The manifest's folder name."""
    manifest: Path
    title: str
    description: str
    licence: str
    homepage: str
    kind: Literal["files", "crops"]
    scales: tuple[int, ...]
    """Scales at which there are, or can be made, LR images."""
    count: int
    """Images in the evaluation split."""
    stems: tuple[str, ...] = ()
    """Names of the images; empty if only their count is known."""
    layouts: tuple[Layout, ...] = ()
    archives: tuple[Archive, ...] = ()
    lr_rule: Resize | None = None
    """Makes the LR from HR where there are no LR files."""
    crops: CropSet | None = None
    floors: tuple[Floor, ...] = ()
    """At most one for each scale and protocol."""

    def floor(self, scale: int, protocol: str) -> Floor | None:
        """Return what bicubic enlargement scores by `protocol`; None if nobody measured it."""
        wanted = (scale, protocol)
        return next((one for one in self.floors if (one.scale, one.protocol) == wanted), None)


@dataclass(frozen=True)
class PairFiles:
    """The files of one image."""

    stem: str
    hr: Path
    lr: Path | None
    """None: to be made from HR."""
