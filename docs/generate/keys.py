"""The keys of TOML files, from the classes that read them: name, type, default, what for."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.generate.markdown import prose, table
from sr_bench.cards.network_io import InputTable, OutputTable
from sr_bench.cards.schema import CardTable, EvaluationTable, ModelTable
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.fields import Spelled
from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.core.protocol import Colour, EvalProtocol, Resize, SsimWindow
from sr_bench.data.dataset import Archive, CropSet, Dataset, Layout
from sr_bench.data.manifest import ArchiveTable, CropsTable, LayoutTable, ManifestTable

_HEAD = ("key", "what it says", "value", "default")
_NOUNS = {
    ArchiveTable: Archive,
    CropsTable: CropSet,
    EvaluationTable: Evaluation,
    InputTable: NetworkInput,
    LayoutTable: Layout,
    ManifestTable: Dataset,
    ModelTable: ModelCard,
    OutputTable: NetworkOutput,
}
"""What a table becomes, whose fields say what keys without a docstring of their own mean."""
_ANYTHING = (JsonValue, object)
_NAMES = {str: "text", int: "whole number", float: "number", bool: "`true`, `false`"}


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a TOML table."""

    name: str
    type: Any
    default: object
    """`dataclasses.MISSING` if it is required."""
    text: str


def card() -> str:
    """Return a section for each table of card.toml."""
    return "\n\n".join(_sections(CardTable, "", {}))


def dataset() -> str:
    """Return a section for each table of dataset.toml."""
    return "\n\n".join(_sections(ManifestTable, "", {}))


def protocol() -> str:
    """Return the table of what a protocol chooses."""
    return _table(key for key in keys_of(EvalProtocol) if key.name != "name")


def keys_of(cls: type) -> Iterator[Key]:
    """Yield the keys of a pydantic model or a dataclass, with the docstring below each."""
    texts = _texts(cls)
    hints = get_type_hints(cls, include_extras=True)
    for name, (default, alias) in _defaults(cls).items():
        text = prose(texts.get(name, ""))
        yield Key(alias or name, hints[name], default, text)


def _sections(cls: type, mark: str, told: dict[type, str], key_text: str = "") -> Iterator[str]:
    """Yield what the table `mark` of the class `cls` holds, then the tables in it.

    Args:
        cls: What reads it.
        mark: Its header in TOML; empty for the file itself.
        told: The headers of classes that were told before.
        key_text: What the key says of it, where the class was told before.
    """
    keys = list(keys_of(cls))
    nested = [key for key in keys if _table_of(key.type)]
    plain = [key for key in keys if key not in nested]
    path = mark.strip("[]")
    yield f"### `{mark}`" if mark else "### Above the first table"
    if first := told.get(cls):
        yield f"{key_text} The keys of `{first}`.".lstrip()
        return
    told[cls] = mark
    if mark:
        yield prose(inspect.getdoc(cls) or "")
    yield _table(plain)
    for key in nested:
        inside = f"{path}.{key.name}".lstrip(".")
        marks = ("[[", "]]") if _is_list(key.type) else ("[", "]")
        label = f"{inside}.NAME" if _is_mapping(key.type) else inside
        yield from _sections(_table_of(key.type), label.join(marks), told, key.text)


def _table(keys: Iterator[Key] | list[Key]) -> str:
    return table(_HEAD, ((f"`{k.name}`", k.text, _value(k.type), _default(k)) for k in keys))


def _defaults(cls: type) -> dict[str, tuple[object, str]]:
    fields: Mapping[str, FieldInfo] = getattr(
        cls, "model_fields", getattr(cls, "__pydantic_fields__", {})
    )
    if fields:
        return {
            name: (_of_factory(field.default, field.default_factory), field.alias or "")
            for name, field in fields.items()
            if field.init is not False
        }
    return {
        field.name: (_of_factory(field.default, field.default_factory), "")
        for field in dataclasses.fields(cls)
    }


def _of_factory(default: object, factory: object) -> object:
    if default in (PydanticUndefined, dataclasses.MISSING):
        return factory() if callable(factory) else dataclasses.MISSING
    return default


def _texts(cls: type) -> dict[str, str]:
    """Return the docstring below each field of `cls`; where it has none, that of a base class."""
    texts: dict[str, str] = {}
    for base in (*cls.__mro__, *_NOUNS.get(cls, type).__mro__):
        if base.__module__.startswith("sr_bench."):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            for field, below in pairwise(tree.body):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    texts.setdefault(field.target.id, ast.literal_eval(below.value))
    return texts


def _default(key: Key) -> str:
    default = key.default
    if default is dataclasses.MISSING:
        return "required"
    if default is None or default in ("", (), {}, []) or dataclasses.is_dataclass(default):
        return ""
    return f"`{_toml(default)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else f"{value:.10g}"


def _value(hint: Any) -> str:
    """Return what TOML holds for a value of the type `hint`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return "text" if any(isinstance(arg, Spelled) for arg in args[1:]) else _value(args[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_value(arg) for arg in args if arg not in _SILENT))
    if origin is Literal:
        if args in _EXPLAINED:
            return _EXPLAINED[args]
        return ", ".join(f"`{_toml(arg)}`" for arg in args)
    if origin is tuple and args[-1] is not ...:
        return f"[{', '.join(map(_value, args))}]"
    if origin in (tuple, list):
        return f"list: {_value(args[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table" if args[1] in _ANYTHING else f"table: {_value(args[1])} by name"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(f"`{_toml(str(one))}`" for one in hint)
    return _NAMES.get(hint, "table" if _table_of(hint) else "text")


_EXPLAINED = {
    get_args(Resize): "a [resize rule](protocols.md#resize-rules)",
    get_args(Colour): "a [colour](protocols.md#colours)",
    get_args(SsimWindow): "a [window](protocols.md#windows-of-ssim)",
}
"""Values that are many, and have a table of their own."""
_SILENT = (NoneType, Literal[""])


def _table_of(hint: Any) -> type | None:
    """Return the class of the tables among `hint`, if it is of tables."""
    if isinstance(hint, type):
        is_table = issubclass(hint, BaseModel) or dataclasses.is_dataclass(hint)
        return hint if is_table and not hasattr(hint, "parse") else None
    if get_origin(hint) is Annotated and any(isinstance(a, Spelled) for a in get_args(hint)):
        return None
    return next(filter(None, map(_table_of, get_args(hint))), None)


def _is_list(hint: Any) -> bool:
    return _outer(hint) in (list, tuple)


def _is_mapping(hint: Any) -> bool:
    outer = _outer(hint)
    return isinstance(outer, type) and issubclass(outer, Mapping)


def _outer(hint: Any) -> Any:
    """Return the container that `hint` is of, without what it is annotated with, and None."""
    while get_origin(hint) in (Annotated, Union, UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not NoneType)
    return get_origin(hint)
