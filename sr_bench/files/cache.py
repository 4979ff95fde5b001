"""The folder for what can be downloaded or made again."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return the cache folder, which may not exist yet.

    It is ``SR_BENCH_CACHE``, else ``XDG_CACHE_HOME/sr-bench``, else ``~/.cache/sr-bench``; an
    empty variable counts as unset.
    """
    if own := os.environ.get("SR_BENCH_CACHE"):
        return Path(own).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "sr-bench"
    return Path.home() / ".cache" / "sr-bench"
