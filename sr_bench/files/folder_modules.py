"""Import modules of a card's folder, each zoo its own: none stays behind for other imports."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from pathlib import Path
from threading import RLock
from types import CodeType

_ONE_AT_A_TIME = RLock()

# A file of such a name in the folder is not meant by those who import it.
_NOT_OWN = sys.stdlib_module_names | {"numpy", "onnx", "onnxruntime", "sr_bench", "torch"}


class _Source(SourceFileLoader):
    """Compiles the source each time, and writes nothing into the folder.

    Python would take bytecode for current whose source was edited within the same second.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class FolderFinder(MetaPathFinder):
    """Finds modules in one folder, before all others, as Python does in that of a script.

    Args:
        folder: Absolute.
        module: What is asked for: the folder's package goes before one of that name elsewhere even
            without an ``__init__.py``.
    """

    def __init__(self, folder: Path, module: str) -> None:
        self._folder = folder
        self._package = module.partition(".")[0]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, _target: object = None
    ) -> ModuleSpec | None:
        """Return where the module is, if that is in the folder."""
        if fullname in _NOT_OWN:
            return None
        for place in [str(self._folder)] if path is None else filter(self.holds, path):
            finder = FileFinder(
                place, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_Source, SOURCE_SUFFIXES)
            )
            spec = finder.find_spec(fullname)
            if spec and (spec.loader or path is not None or self._is_meant(fullname)):
                return spec
        return None

    def _is_meant(self, name: str) -> bool:
        """Tell whether a folder without ``__init__.py`` is a package and not, say, ``onnx/``."""
        return name == self._package or PathFinder.find_spec(name) is None

    def holds(self, place: str) -> bool:
        """Tell whether the file or folder `place` is in the folder."""
        return Path(place).is_relative_to(self._folder)

    def holds_module(self, module: object) -> bool:
        """Tell whether `module`, of `sys.modules`, was loaded from the folder."""
        spec = getattr(module, "__dict__", {}).get("__spec__")  # some answer to any name
        if not isinstance(spec, ModuleSpec):
            return False
        places = [spec.origin, *(spec.submodule_search_locations or ())]
        return any(self.holds(place) for place in places if place)


@contextmanager
def own_modules(folder: Path, module: str) -> Iterator[None]:
    """Let imports find the modules of `folder` first; then forget these.

    What others loaded under the same names is set aside meanwhile. `module` is the one that is
    asked for.
    """
    finder = FolderFinder(folder, module)
    with _ONE_AT_A_TIME:
        # Another zoo's, or of the environment: else an import would be answered with them.
        firsts = {path.name.partition(".")[0] for path in folder.iterdir()} & sys.modules.keys()
        hidden = {name for name in firsts if finder.find_spec(name)}
        aside = {n: loaded for n, loaded in sys.modules.items() if n.partition(".")[0] in hidden}
        for name in aside:
            del sys.modules[name]
        before = set(sys.modules)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            for name in set(sys.modules) - before:
                if finder.holds_module(sys.modules[name]):
                    del sys.modules[name]
            sys.modules.update(aside)
