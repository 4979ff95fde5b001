"""Files of JSON objects, one a line: each line with its place, so that a damaged one is named."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from sr_bench.errors import SrBenchError
from sr_bench.files.disk import disk_error
from sr_bench.text.printable import printable

_BUFFER = 2**17  # lines of an index are long: with the usual 8 KiB this takes three times as long


@dataclass(frozen=True)
class Line:
    """A line of a file, not read yet."""

    path: Path
    number: int
    """1-based."""
    data: bytes
    """Empty where it was only passed over."""
    offset: int = 0
    """Bytes before it."""

    def passed(self) -> "Line":
        """Return it without its content, which may be long."""
        return replace(self, data=b"")

    def again(self) -> "Line":
        """Return it as it is in the file now.

        Raises:
            SrBenchError: The file can't be read.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return replace(self, data=file.readline())
        except OSError as error:
            raise disk_error(error, self.path, "read") from error

    @property
    def where(self) -> str:
        """The place as editors take it: ``history/index.jsonl:12``."""
        return f"{self.path}:{self.number}"

    def content(self) -> dict[str, object]:
        """Return the JSON object in the line; raises as `json_object`."""
        return json_object(self.data)


def json_object(data: bytes) -> dict[str, object]:
    """Return the JSON object that `data` spells.

    Raises:
        ValueError: It is cut off, spells something else, or has a NaN, which no result is.
    """
    try:
        value = json.loads(data, parse_constant=_refuse)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    if not isinstance(value, dict):
        msg = f"expected a JSON object, got {value!r:.40}"
        raise ValueError(msg)
    return value


def _refuse(name: str) -> NoReturn:
    msg = f"{name} is no value"
    raise ValueError(msg)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of `path` that are not blank.

    Raises:
        SrBenchError: The file can't be read.
    """
    try:
        with path.open("rb", buffering=_BUFFER) as file:
            offset = 0
            for number, data in enumerate(file, start=1):
                if not data.isspace():
                    yield Line(path, number, data, offset)
                offset += len(data)
    except OSError as error:
        raise disk_error(error, path, "read") from error


def damaged(line: Line, cause: Exception) -> SrBenchError:
    """Return the error to raise, or to show, about a line that can't be read."""
    return SrBenchError(printable(f"{line.where}: damaged, so left out ({cause})"))
