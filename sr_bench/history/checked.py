"""Read the dataclasses of a run from JSON of unknown origin: each value of the declared type."""

import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sr_bench.core.claim import UNITS
from sr_bench.core.codec import decode
from sr_bench.core.record import Record

T = TypeVar("T")


def decode_checked(cls: type[T], data: object) -> T:
    """Return the `cls` that `data` spells, as `decode` does, with all its fields of their types.

    Raises:
        TypeError: `data` has not the fields of `cls`, or one of another type; it is named.
        ValueError: A field has no value that it may have.
    """
    try:
        found = decode(cls, data)
    except (AttributeError, OverflowError) as cause:  # a list for a table, an endless integer
        raise TypeError(cause) from None
    _check(cls, found, cls.__name__)
    return found


def read_record_of(data: object) -> Record:
    """Return the record that `data` spells, which reports can show.

    Raises:
        TypeError, ValueError: As `decode_checked`; or its metric is unknown, its claim no number.
    """
    record = decode_checked(Record, data)
    if record.metric not in UNITS:
        msg = f"unknown metric {record.metric!r:.40}; the known ones are: {', '.join(UNITS)}"
        raise ValueError(msg)
    claim = record.claim
    if claim and not (claim.text.isascii() and math.isfinite(claim.value)):
        msg = f"expected a claim that is a number, found {claim.text!r:.40}"
        raise ValueError(msg)
    return record


@cache
def _hints(cls: type) -> Mapping[str, object]:
    return get_type_hints(cls)


def _check(hint: object, value: object, where: str) -> None:
    """Refuse a `value` that is not of the type `hint`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is not None:
            _check(next(arg for arg in args if arg is not NoneType), value, where)
    elif origin is tuple and isinstance(value, tuple):
        for one in value:
            _check(args[0], one, where)
    elif origin is Mapping and isinstance(value, dict):
        for key, one in value.items():
            _check(args[1], one, f"{where}.{key}")
    elif isinstance(hint, type) and is_dataclass(hint) and isinstance(value, hint):
        for name, inner in _hints(hint).items():
            _check(inner, getattr(value, name), f"{where}.{name}")
    elif not _fits(hint, origin, args, value):
        msg = f"{where}: expected {getattr(hint, '__name__', hint)}, found {value!r:.40}"
        raise TypeError(msg)


def _fits(hint: object, origin: object, args: tuple[object, ...], value: object) -> bool:
    """Whether `value` is of the type `hint`, which holds no others."""
    if origin is Literal:
        return value in args
    if origin is not None or not isinstance(hint, type):
        return False
    if isinstance(value, float) and math.isnan(value):
        return False
    return isinstance(value, hint) and (hint is not int or not isinstance(value, bool))
