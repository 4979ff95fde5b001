"""Names of folders and image files below a folder, listed once; nothing is opened."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from sr_bench.data.path_words import meaning
from sr_bench.errors import DatasetError

_IMAGE = re.compile(
    r"\.(png|jpe?g|bmp|tiff?|webp|gif|p[bgnp]m|tga|hei[cf]|avif|jp2|jxl|exr|hdr|dng|cr2|nef|arw)",
    re.IGNORECASE,
)
"""Suffixes of images, also of formats that are refused when they are read."""
_CONTAINER = re.compile(r"\.(zip|tar|tgz|7z|rar|gz|bz2|xz|mat|h5|hdf5|np[yz])", re.IGNORECASE)
"""Suffixes of what holds images and is never read."""


@dataclass(frozen=True)
class Folder:
    """What lies in one folder, by sorted names; those that start with a dot don't count.

    File managers, and copying from macOS, leave such files. Names, as a path takes longer to make
    than an entry to read.
    """

    path: Path
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """Folders as they were when they were first asked for."""

    _known: dict[Path, Folder] = field(default_factory=dict)

    def of(self, path: Path) -> Folder:
        """Return what lies in `path`; nothing if it is no folder.

        Raises:
            DatasetError: The folder can't be read.
        """
        if path not in self._known:
            self._known[path] = _list(path)
        return self._known[path]

    def below(self, root: Path) -> Iterator[Folder]:
        """Yield `root` and every folder below it, also behind links, each once.

        Raises:
            DatasetError: `root`, or a folder that is called HR, LR or by a scale, can't be read.
        """
        seen, waiting = set(), [root]
        while waiting:
            path = waiting.pop()
            status = path.stat()
            if (key := (status.st_dev, status.st_ino)) not in seen:
                seen.add(key)
                try:
                    folder = self.of(path)
                except DatasetError:
                    says = meaning(path.name)
                    if path == root or says.role or says.scales:
                        raise
                    continue  # such as lost+found
                yield folder
                waiting += [path / name for name in folder.folders]


def stem_of(name: str) -> str:
    """Return the file's name without its suffix; however letters and accents are put together."""
    return normalize("NFC", _split(name)[0])


def is_container(name: str) -> bool:
    """Whether the suffix is of what holds images, such as an archive, and is not read."""
    return _CONTAINER.fullmatch(_split(name)[1]) is not None


def is_image(name: str) -> bool:
    """Whether the suffix is that of an image."""
    return _IMAGE.fullmatch(_split(name)[1]) is not None


def _split(name: str) -> tuple[str, str]:
    """Return stem and suffix, as `Path` does, which takes ten times as long."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem else (name, "")


def both(first: Path, second: Path) -> str:
    """Name two files of one image; spelled out where their names look alike."""
    names = (first.name, second.name)
    if normalize("NFC", names[0]) == normalize("NFC", names[1]):
        return f"both {names[0]!a} and {names[1]!a}"
    return f"both {names[0]} and {names[1]}"


def _list(path: Path) -> Folder:
    folders, files = [], []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file() or entry.is_symlink():  # a link to nothing is named later
                    files.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return Folder(path)
    except OSError as error:
        msg = f"{path}: can't list the folder ({error.strerror}); check who may read it"
        raise DatasetError(msg) from error
    return Folder(path, tuple(sorted(folders)), tuple(sorted(files)))
