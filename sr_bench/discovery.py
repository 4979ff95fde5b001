"""List and load what a folder holds by file name: the file name is the key."""

import importlib
import pkgutil
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from types import ModuleType

from sr_bench.errors import OptionError

_MEANWHILE_S = 2.0
"""An edit may come in between the reading of a source and the writing of its bytecode."""


@cache
def names(package: str, suffix: str = "") -> tuple[str, ...]:
    """Return the sorted names that `package` offers, without importing any of them.

    Modules and sub-packages of the folder count unless their name starts with an underscore, or
    with a `suffix` such as ``.toml`` its files of that kind; third parties add entry points in the
    group of the same name (``sr_bench.backends``).
    """
    folders = _folders(package)
    if suffix:
        ours = {path.stem for folder in folders for path in folder.glob(f"*{suffix}")}
    else:
        ours = {module.name for module in pkgutil.iter_modules(map(str, folders))}
    third_party = _third_party(package).names
    return tuple(sorted(name for name in ours | third_party if not name.startswith("_")))


@cache
def load(package: str, name: str) -> ModuleType:
    """Import and return the module `name` of `package`.

    Raises:
        OptionError: There is no such name, and the message lists the valid ones; or it is a third
            party's and no module.
    """
    kind = package.rpartition(".")[2]
    if name not in names(package):
        msg = f"unknown name {name!r} in {kind}; the valid ones are: {', '.join(names(package))}"
        raise OptionError(msg)
    for point in _third_party(package).select(name=name):
        return _load_point(point)
    return importlib.import_module(f"{package}.{name}")


def file(package: str, name: str, suffix: str) -> Path:
    """Return the path of `name` in `package`, where `names` with that `suffix` lists it.

    The entry point ``name = "acme.name"`` of a third party is about ``acme/name`` and the suffix.

    Raises:
        OptionError: The entry point's package has no such file.
    """
    where = name
    for point in _third_party(package).select(name=name):
        where = f"entry point {name!r} of {package}"
        package, _, name = point.value.rpartition(".")
    for folder in _folders(package):
        if (path := folder / f"{name}{suffix}").is_file():
            return path
    msg = f"{where}: expected {name}{suffix} in the package {package!r}, got none; reinstall it"
    raise OptionError(msg)


def third_party(package: str, name: str = "") -> tuple[EntryPoint, ...]:
    """Return the entry points by which other packages add to `package`; with a `name`, its own."""
    points = _third_party(package)
    return tuple(points.select(name=name) if name else points)


def _folders(package: str) -> tuple[Path, ...]:
    spec = _spec(package)
    return tuple(map(Path, spec.submodule_search_locations or ())) if spec else ()


def _spec(module: str) -> ModuleSpec | None:
    try:
        return find_spec(module) if module else None
    except ModuleNotFoundError:  # the package that it would be in is absent
        return None


def plugin_versions() -> dict[str, str]:
    """Return the version of each package that adds anything to ours, by name."""
    groups = _by_group().items()
    points = (point for name, group in groups if name.startswith("sr_bench.") for point in group)
    return {point.dist.name: point.dist.version for point in points if point.dist}


def _third_party(package: str) -> EntryPoints:
    return _by_group().get(package, EntryPoints())


@cache
def _by_group() -> Mapping[str, EntryPoints]:
    # Once for all groups, because it reads the metadata of every installed distribution: 20 ms.
    points = entry_points()
    return {group: points.select(group=group) for group in points.groups}


def _load_point(point: EntryPoint) -> ModuleType:
    where = f"entry point {point.name!r} of {point.group}"
    drop_old_bytecode(point.module.partition(".")[0])
    try:
        module = point.load()
    except (ImportError, AttributeError) as cause:
        msg = f"{where}: {point.value} can't be imported ({cause}); repair or uninstall its package"
        raise OptionError(msg) from cause
    if not isinstance(module, ModuleType):
        msg = f"{where}: expected a module, {point.value} is a {type(module).__name__}"
        raise OptionError(msg)
    return module


def drop_old_bytecode(module: str) -> None:
    """Delete the bytecode of `module` that is older than its source: Python would run it.

    It compares the source's size and the second of its time alone, which an edit may leave.
    """
    spec = _spec(module)
    folders = tuple(map(Path, spec.submodule_search_locations or ())) if spec else ()
    beside = Path(str(spec.origin)).parent.glob("*.py") if spec and not folders else ()
    for source in (*beside, *(file for folder in folders for file in folder.rglob("*.py"))):
        bytecode = Path(cache_from_source(str(source)))
        with suppress(OSError):  # there is none, or it may not be deleted
            if bytecode.stat().st_mtime < source.stat().st_ctime + _MEANWHILE_S:
                bytecode.unlink()
