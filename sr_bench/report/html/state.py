"""What a report remembers of its last build: pages by what they were made of, and its files."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sr_bench.core.codec import decode
from sr_bench.errors import SrBenchError
from sr_bench.files.hashing import sha256_bytes
from sr_bench.imaging.web import ImageWindow
from sr_bench.report.html.assets import Asset
from sr_bench.report.html.names import ASSET, PAGE

FILE = ".build.json"
"""Written last; hidden, as nobody opens it."""

_VERSION = 1


@dataclass(frozen=True)
class PageState:
    """A page as it was built."""

    digest: str
    """Of all that it was made of."""
    content: str
    """Digest of the file."""


@dataclass(frozen=True)
class BuildState:
    """A build."""

    pages: Mapping[str, PageState] = field(default_factory=dict)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    windows: Mapping[str, ImageWindow] = field(default_factory=dict)
    version: int = _VERSION

    @property
    def files(self) -> set[str]:
        """Names of the pages and images that it has, or had."""
        return {*self.pages, *(asset.name for asset in self.assets.values())}


def read_state(target: Path) -> BuildState:
    """Return what the last build of `target` left; an empty state if nothing usable.

    Raises:
        SrBenchError: `target` is no folder, or holds an index.html that no build of ours made.
    """
    if target.exists() and not target.is_dir():
        msg = f"{target}: expected a folder for the report, there is a file; give another --out"
        raise SrBenchError(msg)
    path = target / FILE
    if not path.exists() and (target / "index.html").exists():
        msg = (
            f"{target}: holds an index.html that is not a report of sr-bench; give another folder"
            " with --out, or remove it"
        )
        raise SrBenchError(msg)
    try:
        state = decode(BuildState, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return BuildState()  # all that is lost is time
    return state if state.version == _VERSION else BuildState()  # another one is not understood


def is_current(target: Path, name: str, digest: str, state: BuildState) -> bool:
    """Return whether the page `name` was built of this `digest` and is as it was written."""
    known = state.pages.get(name)
    if known is None or known.digest != digest:
        return False
    try:
        return sha256_bytes((target / name).read_bytes()) == known.content
    except OSError:
        return False


def remove_stale(target: Path, names: Iterable[str]) -> None:
    """Remove the pages and images `names` that are there; never another's file."""
    for name in names:
        if PAGE.fullmatch(name) or ASSET.fullmatch(name):
            (target / name).unlink(missing_ok=True)
