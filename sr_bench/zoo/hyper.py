"""Read a card's hyper-parameters into a family's frozen dataclass: declared, never guessed."""

import dataclasses
import difflib
import math
from collections.abc import Iterator
from typing import ClassVar, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

from sr_bench.core.card import Hyper
from sr_bench.errors import CardError


class HyperParameters(Protocol):
    """A frozen dataclass whose fields are int, float, bool or a ``Literal`` of strings.

    Integers must be at least 1, or at least the field's metadata ``minimum``; floats must be
    finite and above 0.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]]

    def faults(self) -> Iterator[str]:
        """Yield what is wrong between fields that are each valid alone."""
        ...


T = TypeVar("T", bound=HyperParameters)


def read(kind: type[T], hyper: Hyper, *, architecture: str) -> T:
    """Return `hyper` as a `kind`, every field declared and nothing else.

    Raises:
        CardError: Unknown, missing or invalid hyper-parameters; all of them are listed, with the
            valid names and types.
    """
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    faults = [*_unknown(hyper, fields)]
    for name, field in fields.items():
        if name not in hyper:
            faults.append(f"{name} is missing")
        elif fault := _fault(hyper[name], hints[name], minimum=field.metadata.get("minimum", 1)):
            faults.append(f"{name}: {fault}")
    if not faults:
        values = {
            name: float(hyper[name]) if hints[name] is float else hyper[name] for name in fields
        }
        result = kind(**values)
        faults = [*result.faults()]
        if not faults:
            return result
    valid = "; ".join(f"{name}: {_describe(hints[name])}" for name in fields)
    msg = f"hyper-parameters of {architecture}: {'; '.join(faults)}. It takes: {valid}"
    raise CardError(msg)


def check_scale(scale: int, valid: tuple[int, ...], *, architecture: str) -> None:
    """Raise a CardError unless the network exists at `scale`."""
    if scale not in valid:
        scales = ", ".join(map(str, valid))
        msg = f"{architecture} has no x{scale} form; the valid scales are: {scales}"
        raise CardError(msg)


def _unknown(hyper: Hyper, fields: dict[str, dataclasses.Field[object]]) -> Iterator[str]:
    for name in hyper:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            yield f"unknown {name!r}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _describe(hint: object) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(repr(choice) for choice in get_args(hint))
    return getattr(hint, "__name__", str(hint))


def _fault(value: object, hint: object, *, minimum: int) -> str:
    """Return what is wrong with one value; empty if nothing is."""
    if get_origin(hint) is Literal:
        valid = value in get_args(hint)
    elif hint is float:
        valid = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        # bool is a subclass of int: the types are compared exactly.
        valid = type(value) is hint
    if not valid:
        return f"expected {_describe(hint)}, got {value!r}"
    if hint is int and isinstance(value, int) and value < minimum:
        return f"must be at least {minimum}, got {value}"
    if hint is float and isinstance(value, int | float) and not (0 < value < math.inf):
        return f"must be finite and above 0, got {value}"
    return ""
