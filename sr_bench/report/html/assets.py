"""The image files of a report: named by content, remembered by what they were made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from sr_bench.files.atomic import write_bytes
from sr_bench.report.html.names import ASSET


@dataclass(frozen=True)
class Asset:
    """An image file of the report."""

    name: str
    """Relative to the report's folder."""
    size: int
    """In bytes."""


class Assets:
    """The image files of one build; safe for threads.

    Args:
        target: The report's folder.
        known: What earlier builds made, by key; taken where the file is still there.
        room: Bytes that all files together may have.
    """

    def __init__(self, target: Path, known: Mapping[str, Asset], room: int) -> None:
        self._target = target
        self._known = known
        self._room = room
        self._sizes: dict[str, int] = {}
        self._lock = Lock()
        self._free = 0
        self.used: dict[str, Asset] = {}
        """By key, what this build refers to."""
        self.looks: dict[str, Asset] = {}
        """By key, what `look` returned."""
        self.written: set[str] = set()
        """Names of all files that this build made or found again."""

    def set_aside(self, size: int) -> None:
        """Leave `size` bytes of the room to what is no image."""
        self._room -= size

    @property
    def room_left(self) -> int:
        """Bytes that may still be added."""
        return self._room - sum(self._sizes.values())

    def keep_free(self, size: int) -> None:
        """Leave `size` bytes of the room to what comes later."""
        self._free = size

    def look(self, key: str, make: Callable[[], bytes]) -> Asset:
        """Return what `key` is made of, not yet to be referred to: its file may be gone."""
        asset = self._known.get(key)
        if asset is None or not ASSET.fullmatch(asset.name):
            asset = self._write(make())
        self.looks[key] = asset
        return asset

    def recall(self, key: str) -> Asset | None:
        """Return what was made for `key` before, if the report still has it and room for it."""
        asset = self.used.get(key) or self._known.get(key)
        if asset is None or not ASSET.fullmatch(asset.name):  # anybody may edit the state
            return None
        try:
            if (self._target / asset.name).stat().st_size != asset.size:
                return None
        except OSError:
            return None
        return self._take(key, asset)

    def add(self, key: str, data: bytes) -> Asset | None:
        """Write `data` for `key`, once for equal content; None if there is no room for it."""
        asset = _asset(data)
        return self._take(key, self._write(data)) if self._fits(asset) else None

    def get(self, key: str, make: Callable[[], bytes]) -> Asset | None:
        """Return the asset of `key`, made by `make` if it is not known."""
        return self.recall(key) or self.add(key, make())

    def drop(self, keys: list[str]) -> None:
        """Forget `keys` again: what they made is removed as any other file that nobody uses."""
        with self._lock:
            for key in keys:
                self.used.pop(key, None)
            kept = {asset.name for asset in self.used.values()}  # keys may share a file
            self._sizes = {name: size for name, size in self._sizes.items() if name in kept}

    def _fits(self, asset: Asset) -> bool:
        # Equal content takes room once.
        taken = sum(self._sizes.values()) + self._free
        return asset.name in self._sizes or taken + asset.size <= self._room

    def _write(self, data: bytes) -> Asset:
        asset = _asset(data)
        self.written.add(asset.name)
        path = self._target / asset.name
        # Two threads may both write it: the content is equal, and appears whole or not at all.
        if not path.exists():
            write_bytes(path, data)
        return asset

    def _take(self, key: str, asset: Asset) -> Asset | None:
        with self._lock:
            if not self._fits(asset):
                return None
            self._sizes[asset.name] = asset.size
            self.used[key] = asset
        return asset


def _asset(data: bytes) -> Asset:
    return Asset(f"img/{sha256(data).hexdigest()[:20]}.webp", len(data))  # as ASSET
