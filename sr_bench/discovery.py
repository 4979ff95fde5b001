"""List and load the modules of a folder by file name: the file name is the key."""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.util import find_spec
from types import ModuleType

from sr_bench.errors import OptionError


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the sorted names that `package` offers, without importing any of them.

    Modules and sub-packages of the folder count unless their name starts with an underscore;
    third parties add entry points in the group of the same name (``sr_bench.backends``).
    """
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    own = {module.name for module in pkgutil.iter_modules(folders)}
    third_party = _third_party(package).names
    return tuple(sorted(name for name in own | third_party if not name.startswith("_")))


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


def is_third_party(package: str, name: str) -> bool:
    """Tell whether the module `name` of `package` is registered by an entry point."""
    return name in _third_party(package).names


@cache
def _third_party(package: str) -> EntryPoints:
    # Cached, because this reads the metadata of every installed distribution: 20 ms.
    return entry_points(group=package)


def _load_point(point: EntryPoint) -> ModuleType:
    where = f"entry point {point.name!r} of {point.group}"
    try:
        module = point.load()
    except (ImportError, AttributeError) as cause:
        msg = f"{where}: {point.value} can't be imported ({cause}); repair or uninstall its package"
        raise OptionError(msg) from cause
    if not isinstance(module, ModuleType):
        msg = f"{where}: expected a module, {point.value} is a {type(module).__name__}"
        raise OptionError(msg)
    return module
