"""Where manifests are, and where the files that they describe are."""

from collections.abc import Iterable
from pathlib import Path

import sr_bench
from sr_bench.data.dataset import Dataset
from sr_bench.data.manifest import load_manifest
from sr_bench.data.pairing import advice, has_files, looked_for, packed
from sr_bench.errors import DatasetError, NotRunError, OptionError
from sr_bench.files.cache import cache_dir
from sr_bench.files.validation import nearest

MANIFEST = "dataset.toml"


def dataset_folders(extra: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """Return the folders that hold manifests, in the order in which they are searched.

    First come those of the user, `extra`, such as ``datasets/`` beside a suite.
    """
    package = Path(sr_bench.__file__).parent
    # A wheel carries the manifests inside the package; a checkout has them beside it.
    folders = (*extra, package / "_datasets", package.parent / "datasets")
    return tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))


def manifest_folders(given: Path | None) -> tuple[Path, ...]:
    """Return the folders that may hold manifests in the user's ``--sr-data``.

    `given` may be the folder of one dataset, or one that holds them by their slugs.
    """
    if given is None:
        return ()
    return (given.resolve().parent,) if (given / MANIFEST).is_file() else (given,)


def known_datasets(extra: tuple[Path, ...] = ()) -> tuple[str, ...]:
    """Return the sorted slugs of all manifests."""
    folders = dataset_folders(extra)
    manifests = (path for folder in folders for path in folder.glob(f"*/{MANIFEST}"))
    return tuple(sorted({path.parent.name for path in manifests}))


def load_dataset(slug: str, extra: tuple[Path, ...] = ()) -> Dataset:
    """Return the dataset that is called `slug`.

    Raises:
        DatasetError: There is none, and the message names the nearest and the folders that were
            searched; or its manifest has faults.
    """
    known = known_datasets(extra)
    folders = dataset_folders(extra)
    # Only what a listing shows: ../x could lead out of the folder.
    for folder in folders if slug in known else ():
        if (folder / slug / MANIFEST).is_file():
            return load_manifest(folder / slug / MANIFEST)
    places = _each_once((*extra, *folders))  # also those that one would have to make
    searched = "\n  ".join(f"{folder}/{slug}/{MANIFEST}" for folder in places)
    msg = f"unknown dataset {slug!r}; {nearest(slug, known)}\nsearched:\n  {searched}"
    raise DatasetError(msg)


def cached_root(dataset: Dataset) -> Path:
    """Return the folder that ``sr-bench fetch`` unpacks to, which may not exist."""
    return cache_dir() / "datasets" / dataset.slug


def data_root(dataset: Dataset, given: Path | None) -> Path:
    """Return the folder that holds the files of `dataset`, which is of kind ``files``.

    `given` is the user's ``--sr-data``: the folder itself, or one that holds it by its slug. Then
    comes the folder of the manifest, if no archive holds the files.

    Raises:
        OptionError: `given` isn't a folder.
        DatasetError: The folder that ought to hold the files is empty.
        NotRunError: The files are neither in `given` nor in the cache.
    """
    if given is not None and not given.is_dir():
        msg = f"--sr-data {given}: expected a folder, got none"
        raise OptionError(msg)
    named = [given / dataset.slug, given] if given else []
    # What is fetched goes into the cache; what is not may lie beside its manifest.
    beside = [] if dataset.archives else [dataset.manifest.parent]
    candidates = _each_once([*named, *beside, cached_root(dataset)])
    # All are searched before an empty one is complained of.
    for folder in candidates:
        if has_files(dataset, folder):
            return folder
    places = ", ".join(map(str, candidates))
    for folder in candidates:
        if folder.is_dir() and not any(folder.iterdir()):
            msg = (
                f"{dataset.slug}: the folder {folder} is empty; put the images there\n"
                f"searched: {places}"
            )
            raise DatasetError(msg)
    msg = (
        f"no files of {dataset.slug}; {advice(dataset)}; searched {places}\nlooked for:\n"
        f"  {looked_for(dataset)}{packed(dataset, candidates)}"
    )
    raise NotRunError(msg)


def _each_once(folders: Iterable[Path]) -> list[Path]:
    """Return `folders` without those that an earlier one is, spelled differently."""
    named: dict[Path, Path] = {}
    for folder in folders:
        named.setdefault(folder.resolve(), folder)
    return list(named.values())
