"""Work as a file of the shared cache folder, and whether a worker sees what the session sees."""

import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from sr_bench.core.codec import encode
from sr_bench.engine.job import ImageResult, quiet
from sr_bench.engine.measure.worker import Work
from sr_bench.engine.prepare.network import Prepared
from sr_bench.engine.prepare.weights import network_digest
from sr_bench.errors import BackendError, SrBenchError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_json

FOLDER = "cluster"
"""Of the cache folder; each session has a folder below it, which goes with the session."""

PROBE = "probe"
"""A file of the session's folder, by which a worker knows that they share the cache."""

WHAT_TO_DO = "the workers of a cluster need the session's files under the same paths"


@dataclass(frozen=True)
class SharedWork:
    """A work, and what is in its files for the session."""

    work: Work
    folders: tuple[Path, ...]
    """Where the files are."""
    digests: Mapping[str, str]
    """Of each network with all that it is made from."""

    def check(self) -> None:
        """Raise a BackendError, which says the path, if this process sees other files."""
        check_seen(self.folders)
        for name, prepared in networks(self.work).items():
            given = prepared.weights_digest
            seen = network_digest(prepared.card, prepared.weights) if given else ""
            if (seen, prepared.digest) != (given, self.digests[name]):
                what = f"{prepared.weights}, or an image to calibrate with,"
                raise _other_file(what)

    def check_images(self, digests: Mapping[int, str]) -> None:
        """Raise a BackendError unless the images with these numbers have these digests."""
        images = self.work.job.images
        for index, digest in digests.items():
            if images.digests[index] != digest:
                what = f"image {images.names[index]} of {images.slug}"
                raise _other_file(what)


@dataclass(frozen=True)
class Outcome:
    """What a worker answers about a shard: the results up to the first image that has none."""

    worker: str = ""
    results: tuple[tuple[int, ImageResult], ...] = ()
    """By number of the image."""
    device: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    fault: SrBenchError | None = None
    """Why there are no more."""


def _other_file(what: str) -> BackendError:
    return BackendError(f"{what} is another file than the session's: {WHAT_TO_DO}")


def networks(work: Work) -> Mapping[str, Prepared]:
    """Return the networks of `work`, by their names in it."""
    named = {"prepared": work.prepared, "reference": work.reference}
    return {name: prepared for name, prepared in named.items() if prepared}


def check_seen(paths: Iterable[Path]) -> None:
    """Raise a BackendError if one of `paths` does not exist for this process."""
    for path in paths:
        if not path.exists():
            msg = f"{path} is not there: {WHAT_TO_DO}"
            raise BackendError(msg)


def write_work(folder: Path, work: Work) -> str:
    """Write `work` to `folder`; return the file's name, a digest of all that decides the results.

    Raises:
        SrBenchError: The folder can't be written, or an image can't be read.
    """
    name = work_key(work)
    paths: set[Path] = set()
    # Only to learn which paths are in it.
    _Absolute(BytesIO(), paths).dump(work.with_progress(quiet))
    folders = tuple(sorted({path.parent for path in paths if path.is_file()}))
    digests = {key: prepared.digest for key, prepared in networks(work).items()}
    content = BytesIO()
    _Absolute(content, paths).dump(SharedWork(work.with_progress(quiet), folders, digests))
    write_bytes(folder / name, content.getvalue())
    return name


def read_work(folder: Path, name: str) -> SharedWork:
    """Return what `write_work` wrote.

    Raises:
        BackendError: This process does not see the session's files.
    """
    check_seen([folder / name])  # or pickle's error would say nothing of a shared folder
    work: SharedWork = pickle.loads((folder / name).read_bytes())
    work.check()  # before it is used: other files give other numbers
    return work


class _Absolute(pickle.Pickler):
    """Makes paths absolute, as other processes have another working folder; notes them.

    Of dataclasses it writes the fields alone: a worker that got the digests which the session has
    computed would compare these with themselves.
    """

    def __init__(self, target: BytesIO, paths: set[Path]) -> None:
        super().__init__(target)
        self._paths = paths

    def reducer_override(self, value: object) -> Any:
        if isinstance(value, Path):
            self._paths.add(value.absolute())
            return Path, (str(value.absolute()),)
        if is_dataclass(value) and not isinstance(value, type):
            # Without the digests that it has worked out: who reads it takes those of its own files.
            state = {field.name: getattr(value, field.name) for field in fields(value)}
            return object.__new__, (type(value),), state
        return NotImplemented


def work_key(work: Work) -> str:
    """Return the digest of all that decides the results of `work`, and which come of it."""
    job, keeper, full = work.job, work.keeper, work.reference
    content = [
        [work.prepared.digest, work.prepared.form, work.prepared.profile],
        [full.digest, full.form] if full else [],
        [work.job.card.id, job.card.network_io, encode(job.protocol), work.remembered],
        [keeper.mode, keeper.sr, keeper.pairs] if keeper else [],
        job.images.digest(job.names),
    ]
    return sha256_json(content)


def session_folder(name: str) -> Path:
    """Return the folder of the session `name`, as this process finds it."""
    return cache_dir().absolute() / FOLDER / name
