"""List and load the modules of a folder by file name: the file name is the key."""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
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
    third_party = {point.name for point in entry_points(group=package)}
    return tuple(sorted(name for name in own | third_party if not name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """Import and return the module `name` of `package`.

    Raises:
        OptionError: There is no such name; the message lists the valid ones.
    """
    if name not in names(package):
        kind = package.rpartition(".")[2]
        msg = f"unknown name {name!r} in {kind}; the valid ones are: {', '.join(names(package))}"
        raise OptionError(msg)
    for point in entry_points(group=package, name=name):
        module = point.load()
        if isinstance(module, ModuleType):
            return module
    return importlib.import_module(f"{package}.{name}")
