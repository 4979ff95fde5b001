"""Write a run: one line per record as it is made, all of them at the end, and a line of history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sr_bench.core.codec import Json, decode, encode
from sr_bench.core.compare import case_key
from sr_bench.core.history import HistoryEntry, PastSession, SessionInfo, point
from sr_bench.core.record import SCHEMA_VERSION, Record
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import append_line, write_text
from sr_bench.files.hashing import sha256_json
from sr_bench.history.checked import read_record_of
from sr_bench.history.lines import Line, json_object, read_lines
from sr_bench.text.home import without_home

HISTORY = "history"
"""Folder of the run files, in the results folder."""

LATEST = "latest.json"
"""The newest run, whole, in the results folder."""

INDEX = "index.jsonl"
"""Of the runs in `HISTORY`: a line for each, a `HistoryEntry`."""


_GITIGNORE = "# By sr-bench, as these are results; delete this file to commit them.\n*\n"


@dataclass(frozen=True)
class SessionStore:
    """The files of one run under the results folder.

    ``history/<run>.jsonl`` grows by a line for each record, so that a crash loses nothing that was
    measured; ``latest.json`` is written whole at the end, and a line added to
    ``history/index.jsonl``. Runs never share a file but that one, to which they add their lines
    one after the other.
    """

    folder: Path
    info: SessionInfo

    def start(self) -> None:
        """Create the folder and write the first line: schema, run and environment.

        A folder that is new or empty is hidden from git.

        Raises:
            SrBenchError: The folder can't be made or written; the message says what to do.
        """
        try:
            is_new = not self.folder.exists() or not any(self.folder.iterdir())
            self.lines.parent.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            msg = (
                f"{self.folder}: can't make the results folder ({cause.strerror});"
                " give a writable one with --sr-results-path"
            )
            raise SrBenchError(msg) from cause
        write_text(self.lines, json.dumps(_with_schema(self.info)) + "\n")
        if is_new:  # in any other, somebody has decided what git is to see
            write_text(self.folder / ".gitignore", _GITIGNORE)

    @property
    def lines(self) -> Path:
        """The run's own file, one JSON value per line."""
        return self.folder / HISTORY / f"{self.info.run}.jsonl"

    def add(self, record: Record) -> None:
        """Append one record."""
        append_line(self.lines, json.dumps(_encoded(record), allow_nan=False))

    def finish(self, records: Sequence[Record]) -> Path:
        """Write ``latest.json`` with all `records`, add the line of history; return the path."""
        whole = {**_with_schema(self.info), "records": [_encoded(record) for record in records]}
        target = self.folder / LATEST
        write_text(target, json.dumps(whole, indent=1, allow_nan=False) + "\n")
        entry = HistoryEntry(self.info, tuple(map(point, records)))
        # Last of all: a run without its line of history did not end.
        append_line(self.lines.with_name(INDEX), index_line(entry))
        return target


def index_line(entry: HistoryEntry) -> str:
    """Return the line of an index that keeps `entry`.

    ``cases`` is equal in lines about the same cases: who knows one need not read the others.
    """
    cases = sorted({(*case_key(point), str(point.value is None)) for point in entry.points})
    schema, rest = {"schema_version": SCHEMA_VERSION}, encode(entry)
    whole = {**schema, "cases": sha256_json(cases)[:16], **cast("dict[str, Json]", rest)}
    return json.dumps(_anonymous(cast("Json", whole)), allow_nan=False)


def _with_schema(value: SessionInfo) -> dict[str, Json]:
    return {"schema_version": SCHEMA_VERSION, **cast("dict[str, Json]", _encoded(value))}


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


def read_run(path: Path) -> PastSession:
    """Return the run in a ``latest.json`` or a ``history/<run>.jsonl``.

    Raises:
        SrBenchError: The file can't be read, is damaged, or is of a newer schema.
    """
    where = str(path)
    try:
        if path.suffix == ".jsonl":
            info, records = _read_lines(path)
        else:
            header = json_object(path.read_bytes())
            check_schema(header, where)
            rest = cast("list[object]", header.pop("records"))
            info, records = read_info(header), tuple(map(read_record_of, rest))
    except (OSError, ValueError, KeyError, TypeError) as cause:
        msg = f"{where}: not a run of sr-bench ({cause})"
        raise SrBenchError(msg) from cause
    results = path.parent.parent if path.parent.name == HISTORY else path.parent
    return PastSession(info, records, path, results)


def _read_lines(path: Path) -> tuple[SessionInfo, tuple[Record, ...]]:
    lines = read_lines(path)
    if (first := next(lines, None)) is None:
        msg = "it is empty"
        raise ValueError(msg)
    header = first.content()
    check_schema(header, str(path))
    return read_info(header), tuple(map(_record, lines))


def _record(line: Line) -> Record:
    try:
        return read_record_of(line.content())
    except (ValueError, TypeError) as cause:
        msg = (
            f"{line.where}: not a record of sr-bench ({cause}); if it is the last line, which a"
            " crash may cut off, delete it: those before it are whole"
        )
        raise SrBenchError(msg) from cause


def check_schema(data: Mapping[str, object], where: str) -> None:
    """Refuse what a newer sr-bench wrote.

    Raises:
        KeyError: `data` says no schema.
        TypeError: Its schema is no number.
        SrBenchError: Its schema is newer than the one of this version.
    """
    schema = data["schema_version"]
    if not isinstance(schema, int):
        msg = f"expected a schema_version, a number, got {schema!r:.40}"
        raise TypeError(msg)
    if schema > SCHEMA_VERSION:
        msg = f"{where}: schema {schema} is newer than {SCHEMA_VERSION}; update sr-bench"
        raise SrBenchError(msg)


def read_info(header: Mapping[str, object]) -> SessionInfo:
    """Return what the first line of a run says of it; schema 1 kept no start beside the name.

    Raises:
        TypeError: It does not say which run, where, or with what.
    """
    known = {key: value for key, value in header.items() if key != "schema_version"}
    return decode(SessionInfo, {"started": "", **known})
