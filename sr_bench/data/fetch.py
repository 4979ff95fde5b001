"""Bring a dataset's files to the cache, from the network or from archives the user has."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sr_bench.data.dataset import Archive, Dataset
from sr_bench.data.manifest import read_sums
from sr_bench.errors import DatasetError
from sr_bench.files.atomic import write_text
from sr_bench.files.fetch import download
from sr_bench.files.hashing import sha256_file
from sr_bench.files.unpack import unpack

Progress = Callable[[str, int, int | None], None]
"""Called with the archive's name, the bytes so far, and the total or None if unknown."""


@dataclass(frozen=True)
class Fetched:
    """What `fetch` did."""

    root: Path | None
    """The dataset's folder; None: its images come with an installed package."""
    unpacked: tuple[str, ...] = ()
    """Archives that were unpacked now."""
    present: tuple[str, ...] = ()
    """Archives whose content was there already."""
    left_out: tuple[str, ...] = ()
    """Archives that were not among the given local ones."""
    recorded: tuple[str, ...] = ()
    """Archives without a public checksum whose digest was recorded now."""


def fetch(
    dataset: Dataset, *, to: Path, progress: Progress, local: tuple[Path, ...] = ()
) -> Fetched:
    """Download, verify and unpack the archives of `dataset` to ``<to>/<slug>``.

    Each archive becomes one folder, in one step; what is there already is left alone, so a
    second call continues where the first one failed. Downloads are kept in ``<to>/archives``.
    If there are `local` archives, under their published names, the network isn't used.

    Raises:
        DatasetError: A local archive isn't one of the dataset's, or an archive is unsafe,
            damaged or not the declared one.
        SrBenchError: A download failed, or the disk is full.
    """
    if dataset.kind == "crops":
        return Fetched(None)
    if not dataset.archives:
        msg = (
            f"{dataset.slug} has no archive to download; get it from"
            f" {dataset.homepage or 'its owner'} and give its folder by --sr-data DIR"
        )
        raise DatasetError(msg)
    sources = _match_local(dataset, local)
    root = to / dataset.slug
    present, left_out, unpacked, recorded = [], [], [], []
    for archive in dataset.archives:
        if (root / archive.into).exists():
            present.append(archive.file)
        elif local and archive.file not in sources:
            left_out.append(archive.file)
        else:
            unpacked.append(archive.file)
            if _bring(archive, root, sources.get(archive.file), to, progress):
                recorded.append(archive.file)
    return Fetched(root, *map(tuple, (unpacked, present, left_out, recorded)))


def _match_local(dataset: Dataset, local: tuple[Path, ...]) -> dict[str, Path]:
    """Return the local archives by the names that the manifest gives them."""
    names = [archive.file for archive in dataset.archives]
    for path in local:
        if not path.is_file():
            msg = f"--from {path}: expected an archive, got no file"
            raise DatasetError(msg)
        # With a single archive there is no doubt which one is meant.
        if path.name not in names and len(names) > 1:
            msg = f"--from {path}: {dataset.slug} has no such archive; expected {', '.join(names)}"
            raise DatasetError(msg)
    return {path.name if path.name in names else names[0]: path for path in local}


def _bring(archive: Archive, root: Path, local: Path | None, to: Path, progress: Progress) -> bool:
    """Verify and unpack one archive; return whether its digest was unknown until now."""
    sums = to / "archives" / "SHA256SUMS"
    known = archive.sha256 or read_sums(sums).get(archive.file, "")
    path = local or to / "archives" / archive.file
    # An earlier download is trusted by its digest alone; without one it is fetched again.
    if local is None and not (known and path.exists()):
        digest = download(
            archive.url,
            path,
            sha256=known,
            size=archive.size,
            progress=lambda done, total: progress(archive.file, done, total),
        )
    else:
        digest = _verify(path, known, archive)
    # Its folder appears in one step, so what is there needs no further check next time.
    unpack(path, root / archive.into, inside=archive.inside)
    if not known:
        # Read again: another process may have recorded a digest since.
        lines = sorted((read_sums(sums) | {archive.file: digest}).items())
        write_text(sums, "".join(f"{value}  {name}\n" for name, value in lines))
    return not known


def _verify(path: Path, known: str, archive: Archive) -> str:
    size, fault = path.stat().st_size, ""
    digest = sha256_file(path)
    if archive.size is not None and size != archive.size:
        fault = f"expected {archive.size} bytes, got {size}"
    elif known and digest != known:
        fault = f"expected sha256 {known}, got {digest}"
    if fault:
        msg = f"{path} is not the declared archive: {fault}; remove it, or give another one"
        raise DatasetError(msg)
    return digest
