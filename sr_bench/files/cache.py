"""The folder for what can be downloaded or made again."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

# Part of a limit that is left when it was passed, so that not every session prunes.
_PRUNED_TO = 0.8


def cache_dir() -> Path:
    """Return the cache folder, which may not exist yet.

    It is ``SR_BENCH_CACHE``, else ``XDG_CACHE_HOME/sr-bench``, else ``~/.cache/sr-bench``; an
    empty variable counts as unset. Where there is no home, it is a folder that can't be made.
    """
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.environ.get("SR_BENCH_CACHE") or f"{shared}/sr-bench")
    try:
        return folder.expanduser()
    except RuntimeError:  # no variable says where the home is, and no list of users
        return Path(os.devnull) / "no-home-folder"


def writable_dir() -> Path:
    """Return the cache folder if it can be written; else one of this user's for temporary files."""
    folder = cache_dir()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return Path(gettempdir()) / f"sr-bench-of-{os.getuid()}"


def cached_files(folder: Path) -> list[tuple[float, int, Path]]:
    """Return when each file below `folder` was used (s since 1970), its bytes, and its path.

    What somebody else deletes meanwhile is passed over.
    """
    files = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
    return files


def prune(folder: Path, limit_bytes: int) -> None:
    """Delete the files below `folder` that were used longest ago, if all take more than the limit.

    What may not be deleted is passed over.
    """
    files = cached_files(folder)
    total = sum(size for _, size, _ in files)
    if total <= limit_bytes:
        return
    # By time of modification, which readers set too: few disks note when a file was read.
    for _, size, path in sorted(files):
        if total <= _PRUNED_TO * limit_bytes:
            break
        with suppress(OSError):
            path.unlink()
        total -= size
