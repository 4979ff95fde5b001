"""Where the images of a subject are kept: the files that its records name, checked and dated."""

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from sr_bench.core.record import Record
from sr_bench.report.html.subjects import PageSubject


@dataclass(frozen=True)
class Picture:
    """A kept image file."""

    path: Path
    name: str
    """Relative to the results folder."""
    link: str
    """As a page refers to it: relative to the report's folder, quoted for a URL."""
    stamp: str
    """Of its size and time: another one means another content."""


@dataclass(frozen=True)
class Shelf:
    """The folders that runs keep images in, seen from a report; both paths without links."""

    results: Path
    target: Path

    def picture(self, folder: str, file: str) -> Picture | None:
        """Return the image `file` of `folder`; None if there is none, or it leads out of results.

        A link that the user made there, to a larger disk, is followed.
        """
        place = PurePosixPath(folder)
        # Whoever made the record must not show files of whoever builds the report.
        if place.is_absolute() or ".." in place.parts or "\0" in folder:
            return None
        path = self.results / place / file
        try:
            stat = path.stat()
        except (OSError, ValueError):
            return None
        link = quote(Path(relpath(path, self.target)).as_posix())
        return Picture(path, f"{place}/{file}", link, f"{stat.st_size}-{stat.st_mtime_ns}")


@dataclass(frozen=True)
class ImageFiles:
    """The files of one image of a subject; None where one was not kept or is gone."""

    name: str
    lr: Picture | None
    hr: Picture | None
    sr: dict[str, Picture | None]
    """By precision; without those that this image was not measured in."""


@dataclass(frozen=True)
class Gallery:
    """The images of a subject, in the order of its data set."""

    subject: PageSubject
    images: tuple[ImageFiles, ...]
    missing: tuple[str, ...]
    """Files, relative to the results folder, that records name and that are not there."""


def gallery_of(subject: PageSubject, shelf: Shelf) -> Gallery:
    """Return the images of `subject` with their files, as far as they are there."""
    sources = {name: subject.source(name) for name in subject.precisions}
    order: dict[str, None] = {}
    for record in sources.values():
        order |= dict.fromkeys(_names(record))
    missing: dict[str, None] = {}
    numbers = {
        precision: {name: index for index, name in enumerate(_names(record))}
        for precision, record in sources.items()
    }

    def find(record: Record | None, index: int, part: str, file: str) -> Picture | None:
        if record is None or record.kept is None:
            return None
        folder = getattr(record.kept, part)
        picture = shelf.picture(folder, f"{index:04d}{file}.png")  # as core.record.Kept says
        if picture is None:
            missing[f"{folder}/{index:04d}{file}.png"] = None
        return picture

    images = []
    for name in order:
        there = {p: numbers[p][name] for p in sources if name in numbers[p]}
        # LR and HR are the same in each precision: the first that kept its images shows them.
        paired = next((p for p in there if (r := sources[p]) and r.kept), next(iter(there)))
        pair = sources[paired], there[paired], "pairs"
        sr = {p: find(sources[p], index, "sr", "") for p, index in there.items()}
        images.append(ImageFiles(name, find(*pair, "-lr"), find(*pair, "-hr"), sr))
    return Gallery(subject, tuple(images), tuple(missing))


def _names(record: Record | None) -> Sequence[str]:
    measurement = record.measurement if record else None
    return [score.image for score in measurement.images] if measurement else []
