"""The files of a worker: where the controller has them if the disk is shared, else by content."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sr_bench.engine.elsewhere.cluster.parcel import Content
from sr_bench.errors import BackendError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_bytes, sha256_unchanged

FOLDER = "content"
"""Of the cache folder; what is in it may be deleted at any time between sessions."""


def place(
    contents: Iterable[Content], sent: Mapping[str, Sequence[bytes]]
) -> tuple[dict[Path, Path], tuple[str, ...]]:
    """Return where the files of `contents` are on this machine, and the keys of those that aren't.

    Args:
        contents: What is needed.
        sent: What came along, by key; it is kept for later.

    Returns:
        By the controller's path, only of files that are elsewhere here.

    Raises:
        BackendError: What came is not what was declared.
        SrBenchError: The cache folder can't be written.
    """
    where: dict[Path, Path] = {}
    missing = []
    for content in contents:
        folder = _find(content)
        if folder is None and content.key in sent:
            folder = _keep(content, sent[content.key])
        if folder is None:
            missing.append(content.key)
        elif folder != content.folder:
            where |= {content.folder / name: folder / name for name in content.names}
    return where, tuple(missing)


def _find(content: Content) -> Path | None:
    folders = (content.folder, _own(content))
    return next((one for one in folders if _holds(one, content)), None)


def _own(content: Content) -> Path:
    return cache_dir() / FOLDER / content.key


def _holds(folder: Path, content: Content) -> bool:
    files = zip(content.names, content.sizes, content.digests, strict=True)
    try:
        return all(
            (folder / name).stat().st_size == size and sha256_unchanged(folder / name) == digest
            for name, size, digest in files
        )
    except OSError:
        return False


def _keep(content: Content, data: Sequence[bytes]) -> Path:
    if tuple(map(sha256_bytes, data)) != content.digests:
        msg = f"{content.path} arrived with other content than it has on the controller's disk"
        raise BackendError(msg)
    for name, one in zip(content.names, data, strict=True):
        write_bytes(_own(content) / name, one)
    return _own(content)
