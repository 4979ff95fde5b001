"""Suggest a PyTorch class and a weight file for a model, of those that lie beside its document.

Files are read as text and none is run: a person says whether they are meant.
"""

import ast
import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeGuard

from sr_bench.core.claim import dataset_key

_MOST_FILES, _MOST_BYTES = 200, 2_000_000
_SCALE = re.compile(r"(up)?_?scale(_?factor)?|sf")
_WEIGHTS = (".safetensors", ".pth", ".pt", ".ckpt")


@dataclass(frozen=True)
class OwnClass:
    """A class of a file beside the card, and its weights."""

    architecture: str
    """``MODULE:CLASS``."""
    arguments: tuple[str, ...] = ()
    """Of its constructor, without a default or a scale."""
    checkpoint: str = "..."


@dataclass(frozen=True)
class OwnFiles:
    """The Python and weight files in a `folder`, and in those in it."""

    folder: Path

    def suggest(self, names: Collection[str]) -> OwnClass | None:
        """Return the class that a model of these `names` is of: by its name, or as the only one."""
        keys = {dataset_key(name) for name in names}
        named = [each for each in self._classes if _is_called(each.architecture, keys)]
        found = named or self._whole
        if len(found) != 1:
            return None
        exact = [path for path in self._weights if dataset_key(Path(path).stem) in keys]
        weights = exact or self._weights
        file = weights[0] if len(weights) == 1 else "..."
        return OwnClass(found[0].architecture, found[0].arguments, file)

    @cached_property
    def _classes(self) -> list[OwnClass]:
        return [
            OwnClass(f"{module}:{node.name}", _arguments(node))
            for module, nodes in self._modules.items()
            for node in nodes
        ]

    @cached_property
    def _whole(self) -> list[OwnClass]:
        """Those that no other class names: the others are parts of them."""
        nodes = [node for nodes in self._modules.values() for node in nodes]
        parts = {
            inner.id
            for node in nodes
            for inner in ast.walk(node)
            if isinstance(inner, ast.Name) and inner.id != node.name
        }
        return [each for each in self._classes if each.architecture.split(":")[1] not in parts]

    @cached_property
    def _modules(self) -> dict[str, list[ast.ClassDef]]:
        modules = {}
        with warnings.catch_warnings(action="ignore"):  # of odd escapes
            for path in self._files((".py",)):
                with suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
                    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                    modules[name] = list(filter(_is_module, _tree(self.folder / path)))
        return modules

    @cached_property
    def _weights(self) -> list[str]:
        return list(self._files(_WEIGHTS))

    def _files(self, suffixes: Collection[str]) -> Iterator[str]:
        """Yield the paths of files with one of `suffixes`, as the card names them."""
        paths = [path for depth in ("*", "*/*") for path in sorted(self.folder.glob(depth))]
        for path in [path for path in paths if path.suffix in suffixes][:_MOST_FILES]:
            # No link leads out of it.
            if path.is_file() and path.resolve().is_relative_to(self.folder.resolve()):
                yield path.relative_to(self.folder).as_posix()


def _is_called(architecture: str, keys: Collection[str]) -> bool:
    """Whether a model's name begins with that of the class: IMDN_x2 with IMDN."""
    name = dataset_key(architecture.split(":")[1])
    return any(key.startswith(name) for key in keys)


def _tree(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_bytes()).body if path.stat().st_size <= _MOST_BYTES else []


def _is_module(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef) and any(
        ast.unparse(base).rpartition(".")[2] == "Module" for base in node.bases
    )


def _arguments(node: ast.ClassDef) -> tuple[str, ...]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            plain = (*part.args.posonlyargs, *part.args.args)[1:]
            free = len(plain) - len(part.args.defaults)
            given = [*[None] * free, *part.args.defaults, *part.args.kw_defaults]
            pairs = zip((*plain, *part.args.kwonlyargs), given, strict=True)
            return tuple(a.arg for a, default in pairs if default is None or is_scale(a.arg))
    return ()


def is_scale(name: str) -> bool:
    """Whether an argument of this name is the upscaling factor; ``res_scale`` is not."""
    return bool(_SCALE.fullmatch(name))
