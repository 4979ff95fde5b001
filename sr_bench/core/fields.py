"""What a field must keep to besides its type: stated beside it, checked where a file is read.

pydantic asks an annotation for its part of the check by a method of a fixed name, so the nouns need
not import it; who makes an object in code is trusted.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

_Schema = dict[str, Any]
Noun = TypeVar("Noun")


@dataclass(frozen=True)
class Bounds:
    """The limits of a finite number."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(
        self, source: object, handler: Callable[[object], _Schema]
    ) -> _Schema:
        """Return pydantic's check of the type with the limits in it."""
        schema = handler(source)
        limits = {name: value for name, value in asdict(self).items() if value is not None}
        # TOML can spell inf and nan.
        finite = {"allow_inf_nan": False} if schema["type"] == "float" else {}
        return {**schema, **limits, **finite}


@dataclass(frozen=True)
class Spelled:
    """A value that files spell as a text."""

    read: Callable[[str], object]
    """Returns the value; its ValueError says what was expected."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> _Schema:
        """Return pydantic's check of a text, with the reading after it."""
        function = {"type": "no-info", "function": self.read}
        return {"type": "function-after", "schema": {"type": "str"}, "function": function}


def matching(pattern: str, expected: str) -> Spelled:
    """Return the reading of a text that must match all of `pattern`."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            msg = f"expected {expected}"
            raise ValueError(msg)
        return text

    return Spelled(read)


def sides(count: int, expected: str, *, optional: bool = False) -> Spelled:
    """Return the reading of `count` sizes such as ``720x1280``; of nothing as None if `optional`.

    No size has more than 6 digits, and none is 0.
    """
    size = "[1-9][0-9]{0,5}"
    text = matching(rf"{size}(x{size}){{{count - 1}}}", expected)

    def read(given: str) -> object:
        return None if optional and not given else tuple(map(int, str(text.read(given)).split("x")))

    return Spelled(read)


def without_secret(url: str) -> str:
    """Return `url`, which must name no user or password: what reads it is passed around.

    Raises:
        ValueError: It does; the message does not repeat it.
    """
    if "@" in urlsplit(url).netloc:
        msg = "expected an address without a user and password: reports show it"
        raise ValueError(msg)
    return url


SLASHES = matching(r"[^\\]*", "/ between folders, as any system takes it")
Words = Annotated[str, matching(r"(?s).*\S.*", "words, got none")]


def narrowed(cls: type[Noun], table: object, **others: object) -> Noun:
    """Return the dataclass `cls` of what `table` has by the names of its fields, and `others`."""
    names = (field.name for field in fields(cls))  # type: ignore[arg-type] # a dataclass
    shared = {name: getattr(table, name) for name in names if hasattr(table, name)}
    return cls(**{**shared, **others})
