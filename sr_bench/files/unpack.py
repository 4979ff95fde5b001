"""Unpack an archive that nobody has vetted: whole and inside its folder, or not at all."""

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from sr_bench.errors import DatasetError
from sr_bench.files.disk import disk_error
from sr_bench.files.temporary import remove_left_behind, temporary_beside

_PIECE = 1 << 20  # bytes that are read at once; a tar's header may have no more
_MAX_DEPTH = 32  # folders within each other
_SLACK = 1 << 20  # bytes that the headers of a tar may take beside its files
# What the standard library raises for damaged, encrypted and exotic archives.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    IndexError,
)


@dataclass(frozen=True)
class UnpackLimits:
    """How much an archive may unpack to."""

    total_bytes: int = 64 << 30
    ratio: float = 100.0
    """Unpacked bytes per byte of the archive; photographs stay under 2."""
    members: int = 100_000


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str  # "file", "folder", or what it is instead
    source: IO[bytes] | None


def unpack(
    archive: Path, folder: Path, *, inside: str = "", limits: UnpackLimits | None = None
) -> None:
    """Unpack a zip or tar (gz, bz2, xz) file into `folder`, which must not exist yet.

    Only what lies under the archive's folder `inside`, such as ``test/GOPR0384_11_00``, is taken,
    without that prefix; folders above it don't matter. `limits` guard against archives made to
    fill a disk.

    Raises:
        DatasetError: `archive` is absent, damaged, encrypted, or holds nothing under `inside`;
            a member has an absolute name, leaves the folder, is a link or a device, or comes
            twice; a limit is passed; `folder` exists. Nothing is left behind.
        SrBenchError: The disk is full or the folder isn't writable.
    """
    if folder.exists():
        msg = f"cannot unpack {archive}: {folder} exists already; remove it to unpack again"
        raise DatasetError(msg)
    remove_left_behind([folder.parent])
    temp = temporary_beside(folder)
    try:
        temp.mkdir(parents=True)
        _extract(archive, temp, PurePosixPath(inside), limits or UnpackLimits())
        temp.rename(folder)
    except _DAMAGE as error:
        msg = f"cannot unpack {archive}: the archive is damaged or of an unknown kind ({error})"
        raise DatasetError(msg) from error
    except OSError as error:
        raise disk_error(error, folder, "unpack to") from error
    finally:
        shutil.rmtree(temp, ignore_errors=True)  # it has another name if all went well


def _extract(archive: Path, temp: Path, inside: PurePosixPath, limits: UnpackLimits) -> None:
    if not archive.is_file():
        msg = f"cannot unpack {archive}: expected an archive, got no file"
        raise DatasetError(msg)
    allowed = min(limits.total_bytes, int(limits.ratio * archive.stat().st_size))
    is_zip = zipfile.is_zipfile(archive)
    used = files = 0
    members = _zip_members(archive) if is_zip else _tar_members(archive, allowed)
    for count, member in enumerate(members, start=1):
        if count > limits.members:
            msg = f"cannot unpack {archive}: more than {limits.members} members"
            raise DatasetError(msg)
        parts = _safe_parts(archive, member)
        wanted = _below(parts, inside.parts)
        # macOS adds a folder of attributes, whose files are named like the images.
        if member.source is None or not wanted or "__MACOSX" in parts:
            continue
        target = temp.joinpath(*wanted)
        if target.exists():
            msg = f"cannot unpack {archive}: two members are named {'/'.join(wanted)}"
            raise DatasetError(msg)
        target.parent.mkdir(parents=True, exist_ok=True)
        used += _copy(member.source, target, allowed - used, archive)
        files += 1
    if not files:
        msg = f"cannot unpack {archive}: it holds no files under {inside}/"
        raise DatasetError(msg)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            # As stored: ZipInfo.filename is cut at NUL and has its separators replaced.
            name = info.orig_filename
            mode = stat.S_IFMT(info.external_attr >> 16)
            if mode not in {0, stat.S_IFREG, stat.S_IFDIR}:
                yield _Member(name, "link or device", None)
            elif info.is_dir():
                yield _Member(name, "folder", None)
            else:
                with file.open(info) as source:
                    yield _Member(name, "file", source)


def _tar_members(archive: Path, allowed: int) -> Iterator[_Member]:
    # tarfile's own unpacking reads a header of any declared size at once: 10 GB of a few MB.
    with (
        _unpacked(archive) as whole,
        tarfile.open(fileobj=_Limited(whole, archive, allowed), mode="r:") as file,
    ):
        for info in file:
            if info.isdir():
                yield _Member(info.name, "folder", None)
            elif not info.isreg() or info.issparse():
                yield _Member(info.name, "link or device", None)
            else:
                yield _Member(info.name, "file", file.extractfile(info))


def _unpacked(archive: Path) -> io.BufferedIOBase:
    """Open the tar in `archive`; its first bytes show how it is compressed."""
    with archive.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(archive)
    if start.startswith(b"BZh"):
        return bz2.open(archive)
    if start.startswith((b"\xfd7zXZ", b"\x5d\0\0")):
        return lzma.open(archive)
    return archive.open("rb")


class _Limited(io.RawIOBase):
    """What a tar unpacks to, up to a limit; no more at once than a piece or a header has."""

    def __init__(self, whole: io.BufferedIOBase, archive: Path, allowed: int) -> None:
        self._whole = whole
        self._archive = archive
        self._allowed = allowed

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _PIECE:
            msg = f"cannot unpack {self._archive}: a header in it declares {size} bytes; refused"
            raise DatasetError(msg)
        return self._whole.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > self._allowed + _SLACK:
            raise _implausible(self._archive)
        return self._whole.seek(offset, whence)

    def tell(self) -> int:
        return self._whole.tell()


def _safe_parts(archive: Path, member: _Member) -> tuple[str, ...]:
    """Return the parts of the member's name, all of them plain; refuse any other member."""
    name = member.name
    if member.kind not in {"file", "folder"}:
        msg = f"cannot unpack {archive}: {name!r} is a {member.kind}; only files are taken"
        raise DatasetError(msg)
    parts = PurePosixPath(name).parts
    # Windows takes backslashes and colons for parts of a path; a NUL ends a name.
    bad = name.startswith("/") or ".." in parts or any(c in name for c in "\\:\0")
    if len(parts) > _MAX_DEPTH:
        msg = f"cannot unpack {archive}: {name[:80]!r} lies more than {_MAX_DEPTH} folders deep"
        raise DatasetError(msg)
    if bad or (not parts and member.kind == "file"):
        msg = f"cannot unpack {archive}: the name {name!r} would leave the folder; refused"
        raise DatasetError(msg)
    return parts


def _below(parts: tuple[str, ...], inside: tuple[str, ...]) -> tuple[str, ...]:
    """Return what follows `inside` in `parts`; empty if it isn't there.

    >>> _below(("GOPRO_Large", "test", "a", "1.png"), ("test", "a"))
    ('1.png',)
    """
    for start in range(len(parts) - len(inside)):
        if parts[start : start + len(inside)] == inside:
            return parts[start + len(inside) :]
    return ()


def _copy(source: IO[bytes], target: Path, allowed: int, archive: Path) -> int:
    done = 0
    with target.open("xb") as file:
        while piece := source.read(_PIECE):
            done += len(piece)
            # Counted as it comes: the sizes that an archive declares may be lies.
            if done > allowed:
                raise _implausible(archive)
            file.write(piece)
    return done


def _implausible(archive: Path) -> DatasetError:
    size = archive.stat().st_size
    return DatasetError(
        f"cannot unpack {archive}: it unpacks to more than is plausible for {size} bytes; refused"
    )
