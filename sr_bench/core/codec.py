"""Records as plain JSON values and back: the one place that knows the spelling on disk."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
T = TypeVar("T")


def encode(value: object) -> Json:
    """Return `value`, made of dataclasses, enums, tuples and mappings, as plain JSON values.

    Infinities are spelled ``"inf"`` and ``"-inf"``: JSON has no word for them.

    Raises:
        TypeError: A NaN (a defect, never a result), or a type that records don't use.
    """
    match value:
        case Enum():
            return encode(value.value)
        case None | bool() | int() | str():
            return value
        case float():
            return _encode_float(value)
        case list() | tuple():
            return [encode(item) for item in value]
        case Mapping():
            return {str(key): encode(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    msg = f"a record can't hold {value!r} of type {type(value).__name__}"
    raise TypeError(msg)


def _encode_float(value: float) -> Json:
    if math.isnan(value):
        msg = "a record can't hold NaN"
        raise TypeError(msg)
    return value if math.isfinite(value) else str(value)


def decode(cls: type[T], data: object) -> T:
    """Return the `cls` that `encode` turned into `data`.

    Raises:
        TypeError: `data` has not the fields of `cls`; the message names the class.
    """
    if not isinstance(data, Mapping):
        msg = f"expected the fields of {cls.__name__}, got {data!r:.60}"
        raise TypeError(msg)
    hints = _hints(cast("Hashable", cls))
    try:
        return cls(**{key: _decode(hints[key], item) for key, item in data.items()})
    except KeyError as cause:
        msg = f"{cls.__name__} has no field {cause}"
        raise TypeError(msg) from None


@cache
def _hints(cls: Hashable) -> Mapping[str, object]:
    return get_type_hints(cls)


def _decode(hint: object, data: object) -> object:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if data is None:
            return None
        return _decode(next(arg for arg in args if arg is not NoneType), data)
    if origin is Mapping and args[1] is float:
        return {key: float(item) for key, item in cast("Mapping[str, float]", data).items()}
    if origin is tuple:
        return tuple(_decode(args[0], item) for item in cast("list[object]", data))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if is_dataclass(hint):
        return decode(cast("type[object]", hint), data)
    if hint is float:
        return float(cast("float | str", data))
    return data
