"""Names of folders and image files below a folder, listed once; nothing is opened."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from sr_bench.errors import DatasetError

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm"))
"""Of image files, also of formats that are refused when they are read."""


@dataclass(frozen=True)
class Folder:
    """What lies in one folder, sorted; names that start with a dot don't count.

    File managers, and copying from macOS, leave such files.
    """

    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()


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

    def below(self, root: Path) -> Iterator[tuple[Path, Folder]]:
        """Yield `root` and every folder below it, also behind links, each once."""
        seen, waiting = set(), [root]
        while waiting:
            path = waiting.pop()
            status = path.stat()
            if (key := (status.st_dev, status.st_ino)) not in seen:
                seen.add(key)
                folder = self.of(path)
                yield path, folder
                waiting += folder.folders


def stem_of(path: Path) -> str:
    """Return the name without its suffix; however its letters and accents are put together."""
    return normalize("NFC", path.stem)


def is_image(path: Path) -> bool:
    """Whether the suffix is that of an image."""
    return path.suffix.lower() in SUFFIXES


def _list(path: Path) -> Folder:
    folders, files = [], []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if entry.is_dir():
                    folders.append(Path(entry.path))
                elif entry.is_file() or entry.is_symlink():  # a link to nothing is named later
                    files.append(Path(entry.path))
    except (FileNotFoundError, NotADirectoryError):
        return Folder()
    except OSError as error:
        msg = f"{path}: can't list the folder ({error.strerror}); check who may read it"
        raise DatasetError(msg) from error
    return Folder(tuple(sorted(folders)), tuple(sorted(files)))
