"""Write a run: one line per record as it is made, and all of them at the end."""

import json
from collections.abc import Sequence
from pathlib import Path

from sr_bench.core.codec import Json, decode, encode
from sr_bench.core.record import SCHEMA_VERSION, Record
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import append_line, write_text
from sr_bench.files.home import without_home
from sr_bench.history.environment import Environment


class RunStore:
    """The files of one run under the results folder.

    ``<run>.jsonl`` grows by a line for each record, so that a crash loses nothing that was
    measured; ``latest.json`` is written whole at the end.
    """

    def __init__(self, folder: Path, run: str, environment: Environment) -> None:
        self.folder = folder
        self.run = run
        self.environment = environment

    def start(self) -> None:
        """Create the folder and write the first line: schema, run and environment.

        Raises:
            SrBenchError: The folder can't be made or written; the message says what to do.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            msg = (
                f"{self.folder}: can't make the results folder ({cause.strerror});"
                " give a writable one with --sr-results-path"
            )
            raise SrBenchError(msg) from cause
        write_text(self.lines, json.dumps(self._header()) + "\n")

    @property
    def lines(self) -> Path:
        """The run's own file, one JSON value per line."""
        return self.folder / f"{self.run}.jsonl"

    def add(self, record: Record) -> None:
        """Append one record."""
        append_line(self.lines, json.dumps(_encoded(record), allow_nan=False))

    def finish(self, records: Sequence[Record]) -> Path:
        """Write ``latest.json`` with all `records` and return its path."""
        whole = {**self._header(), "records": [_encoded(record) for record in records]}
        target = self.folder / "latest.json"
        write_text(target, json.dumps(whole, indent=1, allow_nan=False) + "\n")
        return target

    def _header(self) -> dict[str, object]:
        return {
            "schema_version": SCHEMA_VERSION,
            "run": self.run,
            "environment": encode(self.environment),
        }


def _encoded(value: object) -> Json:
    """Return `value` for the disk, without the user's home folder in any path of it."""
    return _anonymous(encode(value))


def _anonymous(value: Json) -> Json:
    match value:
        case str():
            return without_home(value)
        case list():
            return [_anonymous(item) for item in value]
        case dict():
            return {key: _anonymous(item) for key, item in value.items()}
    return value


def read_run(path: Path) -> tuple[Record, ...]:
    """Return the records of a ``latest.json`` or ``<run>.jsonl``.

    Raises:
        SrBenchError: The file can't be read, is damaged, or is of a newer schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            header, *rest = [json.loads(line) for line in text.splitlines()]
        else:
            header = json.loads(text)
            rest = header["records"]
        if header["schema_version"] > SCHEMA_VERSION:
            msg = (
                f"{path}: schema {header['schema_version']} is newer than {SCHEMA_VERSION},"
                " which this sr-bench reads; update sr-bench"
            )
            raise SrBenchError(msg)
        return tuple(decode(Record, item) for item in rest)
    except (OSError, ValueError, KeyError, TypeError) as cause:
        msg = f"{path}: not a run of sr-bench ({cause})"
        raise SrBenchError(msg) from cause
