"""What decides what a module does: its package, the modules that it imports, and their versions.

Nothing is imported for that. A package that is installed and not the module's own counts by its
version; what lies anywhere else may be edited at any time, and counts by its content.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib.machinery import ModuleSpec
from importlib.metadata import (
    Distribution,
    distribution,
    packages_distributions,
    version,
)
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from sr_bench.files.folder_modules import FolderFinder
from sr_bench.files.hashing import sha256_json, sha256_unchanged

# Ours, and those whose versions count for everything that measures.
_COUNTED = {"sr_bench", "cv2", "numpy", "onnx", "onnxruntime", "PIL", "torch"}
_COMPILED = {"__pycache__", ".pyc", ".pyo"}  # made from the sources

_Find = Callable[[str], ModuleSpec | None]

_IMPORTED = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(\w+(?:[ \t]*,[ \t]*\w+)*)", re.MULTILINE)
_NAMED = re.compile(rb"""["']([\w./-]{1,100})["']""")  # a module or a file, as text


def code_digest(
    module: str, *, owner: Distribution | None = None, folder: Path | None = None
) -> str:
    """Return the digest of all that decides what `module` does.

    These are the files of its distribution and its package, data among them; modules that any of
    these import; and for a module in no package what it names beside it, such as ``table.json``.

    Args:
        module: Its full name.
        owner: The distribution that installed it, if that is known.
        folder: Where modules are looked for before the environment.

    Raises:
        SrBenchError: A file can't be read.
    """
    find = partial(_spec, finder=FolderFinder(folder, module) if folder else None)
    versions = [owner.name, owner.version] if owner else []
    files = {*_own_files(owner), *_files_of(module, find)}
    seen = {*_COUNTED, *sys.stdlib_module_names}
    while names := set(chain.from_iterable(map(_imports, files))) - seen:
        seen |= names
        for name in names:
            if installed := _installed(name, find):
                versions += installed
            else:
                files |= _files_of(name, find)
    # By content, in one order: machines of a cluster have them in different folders.
    contents = sorted((file.name, sha256_unchanged(file)) for file in files)
    return sha256_json([contents, sorted(set(versions))])


def _own_files(owner: Distribution | None) -> set[Path]:
    """Return the files that `owner` has installed, without notes and commands.

    Those differ between machines.
    """
    listed = (owner.files or ()) if owner else ()
    code = (f for f in listed if not {"..", ".dist-info"} & {f.parts[0], Path(f.parts[0]).suffix})
    return set(_sources(Path(str(file.locate())) for file in code))


def _files_of(module: str, find: _Find) -> set[Path]:
    """Return the files of `module`: of the outermost package around it, or of it and its data."""
    name, *inner = module.split(".")
    spec = find(name)
    if spec is None:
        return set()
    if not spec.submodule_search_locations:
        return set(_with_named(_on_disk(Path(str(spec.origin))))) if spec.has_location else set()
    folders = [_on_disk(Path(each)) for each in spec.submodule_search_locations]
    for part in inner[:-1]:
        if any((folder / "__init__.py").is_file() for folder in folders):
            break
        # A namespace, which other distributions may share.
        folders = [folder / part for folder in folders]
    return set(_sources(file for folder in folders for file in (folder, *folder.rglob("*"))))


def _on_disk(path: Path) -> Path:
    """Return `path`, or the archive that it is in."""
    return next((place for place in (path, *path.parents) if place.exists()), path)


def _with_named(module: Path) -> Iterator[Path]:
    """Yield `module`, and what lies beside it and stands in it as text."""
    yield from _sources([module])
    for text in _NAMED.findall(module.read_bytes() if module.suffix == ".py" else b""):
        name = text.decode()
        for beside in (module.parent / name, module.parent / f"{name.replace('.', '/')}.py"):
            yield from _sources([beside])


def _sources(files: Iterable[Path]) -> Iterator[Path]:
    for file in files:
        if not {*file.parts, file.suffix} & _COMPILED and file.is_file():
            yield file.resolve()


def _imports(file: Path) -> set[str]:
    """Return the first names of the modules that a Python file imports."""
    lists = _IMPORTED.findall(file.read_bytes()) if file.suffix == ".py" else ()
    return {name.strip().decode() for each in lists for name in each.split(b",")}


def _installed(module: str, find: _Find) -> list[str]:
    """Return name and version of the distributions that installed `module` as it is.

    Empty if none lists its files, as where somebody works on them: they change and it does not.
    """
    if find(module) != _spec(module):  # of the folder, whatever is installed by that name
        return []
    listed = [each for each in _owners().get(module, ()) if _lists(distribution(each), module)]
    return [f"{owner} {version(owner)}" for owner in listed]


def _lists(owner: Distribution, module: str) -> bool:
    record = "\n" + (owner.read_text("RECORD") or "")
    return f"\n{module}/" in record or f"\n{module}." in record


def _spec(name: str, *, finder: FolderFinder | None = None) -> ModuleSpec | None:
    if finder and (spec := finder.find_spec(name)):
        return spec
    try:
        return find_spec(name)
    except (ImportError, ValueError):  # __main__ has none
        return None


@cache
def _owners() -> Mapping[str, list[str]]:
    return packages_distributions()  # reads the metadata of all that is installed
