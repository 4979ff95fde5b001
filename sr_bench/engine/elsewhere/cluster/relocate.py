"""Paths in frozen dataclasses: find them all, and replace those that are elsewhere on a worker."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar, cast

from sr_bench.errors import BackendError
from sr_bench.text.printable import printable_line

T = TypeVar("T")


def paths_of(value: object) -> Iterator[Path]:
    """Yield every path that is anywhere in `value`, made of dataclasses, tuples and mappings."""
    match value:
        case Path():
            yield value
        case tuple():
            for item in value:
                yield from paths_of(item)
        case Mapping():
            for item in value.values():
                yield from paths_of(item)
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from paths_of(getattr(value, one.name))


def relocated(value: T, where: Mapping[Path, Path]) -> T:
    """Return `value` with each path that `where` knows replaced, wherever it is in there."""
    return cast("T", _relocated(value, where))


def _relocated(value: object, where: Mapping[Path, Path]) -> object:
    match value:
        case Path():
            return where.get(value, value)
        case tuple():
            return tuple(_relocated(item, where) for item in value)
        case Mapping():
            return {key: _relocated(item, where) for key, item in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    moved = {one.name: _relocated(getattr(value, one.name), where) for one in fields(value)}
    return replace(value, **moved)


def inside(folder: Path, name: str) -> Path:
    """Return the file `name` of `folder`, which another machine chose.

    Raises:
        BackendError: It would be elsewhere.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        msg = f"a worker sent a file for {printable_line(name)}, which is outside of its folder"
        raise BackendError(msg)
    return folder / path
