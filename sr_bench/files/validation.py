"""Check a table read from TOML against a pydantic model; report every fault at once."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sr_bench.errors import SrBenchError
from sr_bench.text.printable import counted, printable

Model = TypeVar("Model")

STRICT = ConfigDict(extra="forbid", strict=True)
"""All keys are known, and no value is coerced; holds for dataclasses in a table too."""

_CREDENTIALS = re.compile(r"//[^/\s]*@")  # user and password in an address
_WORDS = (
    (r"^Value error, ", ""),
    (r"^Input should be (?=greater|less)", "expected a number "),
    (r"^Input should be a valid array", "expected a list"),
    (r"^Input should be an object", "expected a table"),
    (r"^Input should be", "expected"),
    (r"^\w+ should have (.*) after validation, not \d+$", r"expected \1"),
)
_DEEPEST = 30
_LARGEST = 2**63  # integers of TOML have 64 bits


class Table(BaseModel):
    """A TOML table whose keys are all known and whose values are not coerced."""

    model_config = ConfigDict(**STRICT, frozen=True)


def validate(
    model: type[Model], table: Mapping[str, object], *, where: str, error: type[SrBenchError]
) -> Model:
    """Return `table`, of TOML, YAML or JSON, as a `model`: a `Table`, or a dataclass.

    Raises:
        SrBenchError: Of the class `error`: the message lists each fault with `where` and its key.
    """
    if faults := list(extremes(table)):
        raise error(listed(faults, where=where))
    try:
        # As JSON: there a list may become a tuple, and a text an enum, with nothing coerced.
        return TypeAdapter(model).validate_json(json.dumps(table))
    except ValidationError as cause:
        faults = list(_described(model, table, cause.errors(include_url=False)))
    raise error(listed(faults, where=where))


def extremes(table: Mapping[str, object]) -> Iterator[str]:
    """Yield what no file that is meant well holds: pydantic and `repr` would fail on it."""
    # A stack of our own: what is checked may be nested deeper than Python's allows.
    todo: list[tuple[tuple[object, ...], object]] = [((), table)]
    while todo:
        keys, value = todo.pop()
        if len(keys) > _DEEPEST:
            yield f"{_dotted(keys)}: expected tables and lists at most {_DEEPEST} deep"
        elif isinstance(value, Mapping):
            todo += [((*keys, key), item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            todo += [((*keys, index), item) for index, item in enumerate(value)]
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            bits = value.bit_length()
            yield f"{_dotted(keys)}: expected an integer of at most 64 bits, got one of {bits}"
        elif not isinstance(value, str | int | float | None):
            kind = type(value).__name__
            yield f"{_dotted(keys)}: no key takes a {kind}, got {value}: is it a text in quotes?"


def listed(faults: Sequence[str], *, where: str) -> str:
    """Return the message that counts `faults` and lists each on a line of its own."""
    return printable("\n  ".join([f"{where}: {counted(len(faults), 'fault')}", *faults]))


def nearest(word: str, valid: tuple[str, ...]) -> str:
    """Return advice on what was meant by `word`: the nearest valid name, or all of them."""
    close = difflib.get_close_matches(word, valid, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the valid ones are: {', '.join(valid)}"


def _described(
    model: type[object], table: Mapping[str, object], faults: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield a line for each key; of a value that may have several types, each adds its fault."""
    by_keys: dict[tuple[object, ...], list[Mapping[str, Any]]] = {}
    for fault in faults:
        by_keys.setdefault(_keys_in(table, fault), []).append(fault)
    for keys, same in by_keys.items():
        # A type that fits a value but for something in it is the one that is meant.
        if not any(other[: len(keys)] == keys != other for other in by_keys):
            yield _describe(model, keys, same)


def _keys_in(table: object, fault: Mapping[str, Any]) -> tuple[object, ...]:
    """Return where in `table` a fault is: pydantic names the types of a union among the keys."""
    *parts, last = fault["loc"] or ("",)
    keys = []
    for part in parts:
        try:
            table = table[part]  # type: ignore[index] # a Mapping or list
        except (KeyError, TypeError):
            continue
        keys.append(part)
    held = isinstance(last, int) or (isinstance(table, Mapping) and last in table)
    told = held or last == "[key]" or fault["type"] == "missing"
    return (*keys, last) if told else tuple(keys)


def _describe(
    model: type[object], keys: tuple[object, ...], faults: Sequence[Mapping[str, Any]]
) -> str:
    key, fault = _dotted(keys), faults[0]
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{key}: unknown key; {nearest(str(keys[-1]), _keys_at(model, keys[:-1]))}"
    if fault["type"] == "missing":
        return f"{key}: required, but absent"
    first, *others = dict.fromkeys(map(_message, faults))
    message = ", or ".join([first, *(other.removeprefix("expected ") for other in others)])
    if not key or (isinstance(fault["input"], Mapping) and fault["type"] == "value_error"):
        return ": ".join(filter(None, (key, message)))  # of a whole table, which stands there
    got = _CREDENTIALS.sub("//***@", f"{fault['input']!r:.80}")
    if isinstance(fault["input"], Mapping):
        in_list = fault["type"] in ("list_type", "tuple_type")
        got = f"a table: is it [[{key}]]?" if in_list else "a table"
    return f"{key}: {message} (got {got})"


def _message(fault: Mapping[str, Any]) -> str:
    """Return what pydantic says, in the words of TOML."""
    message = str(fault["msg"])
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    return message


def _dotted(parts: tuple[object, ...]) -> str:
    texts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return "".join(texts).lstrip(".")


def _keys_at(model: type[object], parts: tuple[object, ...]) -> tuple[str, ...]:
    for part in parts:
        if part in (keys := _keys(model)):
            model = next(_tables_in(keys[str(part)]), model)
    return tuple(_keys(model))


def _keys(model: type[object]) -> dict[str, object]:
    """Return the type of each key of a `Table`, or of a dataclass: pydantic's, or a plain one."""
    declared = getattr(model, "model_fields", getattr(model, "__pydantic_fields__", None))
    if declared is None:
        return get_type_hints(model)
    return {
        field.alias or name: field.annotation
        for name, field in declared.items()
        if field.init is not False
    }


def _tables_in(annotation: object) -> Iterator[type[object]]:
    if isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or is_dataclass(annotation)
    ):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables_in(inner)
