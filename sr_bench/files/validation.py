"""Check a table read from TOML against a pydantic model; report every fault at once."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from sr_bench.errors import SrBenchError

Model = TypeVar("Model", bound="Table")


class Table(BaseModel):
    """A TOML table whose keys are all known and whose values are not coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def read_toml(path: Path, error: type[SrBenchError]) -> dict[str, object]:
    """Return the table in the TOML file at `path`.

    Raises:
        SrBenchError: Of the class `error`: the file can't be read, or isn't UTF-8 TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as cause:
        msg = f"{path}: can't be read ({cause.strerror}); expected a TOML file there"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        msg = f"{path}: not valid TOML: {cause}"
    raise error(msg)


def validate(
    model: type[Model], table: Mapping[str, object], *, where: str, error: type[SrBenchError]
) -> Model:
    """Return `table` as a `model`.

    Raises:
        SrBenchError: Of the class `error`: the message lists each fault with `where` and its key.
    """
    try:
        return model.model_validate(dict(table))
    except ValidationError as cause:
        faults = [_describe(model, fault) for fault in cause.errors(include_url=False)]
    raise error(listed(faults, where=where))


def listed(faults: Sequence[str], *, where: str) -> str:
    """Return the message that counts `faults` and lists each on a line of its own."""
    count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
    return "\n  ".join([f"{where}: {count}", *faults])


def nearest(word: str, valid: tuple[str, ...]) -> str:
    """Return advice on what was meant by `word`: the nearest valid name, or all of them."""
    close = difflib.get_close_matches(word, valid, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the valid ones are: {', '.join(valid)}"


def _describe(model: type[BaseModel], fault: Mapping[str, object]) -> str:
    loc = fault["loc"]
    parts = loc if isinstance(loc, tuple) else ()
    key = _dotted(parts)
    if fault["type"] == "extra_forbidden":
        fields = _fields_at(model, parts[:-1])
        return f"{key}: unknown key; {nearest(str(parts[-1]), fields)}"
    if fault["type"] == "missing":
        return f"{key}: required, but absent"
    message = str(fault["msg"]).removeprefix("Value error, ").replace("Input should", "should")
    return f"{key}: {message} (found {fault['input']!r:.80})" if key else message


def _dotted(parts: tuple[object, ...]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _fields_at(model: type[BaseModel], parts: tuple[object, ...]) -> tuple[str, ...]:
    """Return the keys that the table at `parts` may have."""
    for part in parts:
        by_key = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in by_key:
            model = next(_models_in(by_key[str(part)].annotation), model)
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
