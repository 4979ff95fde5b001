"""A run as tables for other programs: one row a record, one row an image; CSV and Parquet."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from sr_bench.core.history import PastSession, point
from sr_bench.core.metric import metric_info
from sr_bench.core.record import FLOOR, Record
from sr_bench.errors import OptionError
from sr_bench.files.atomic import write_bytes
from sr_bench.report.parts.floor import floor_of
from sr_bench.text.home import without_home
from sr_bench.text.printable import printable

_CASE = ("case_id", "node_id", "family", "model", "metric", "unit")
_ASKED = ("precision", "dataset", "protocol", "backend", "claim_backend", "device")
# Types of the columns of `frame`, which hold whatever a run lacks, too.
_COLUMNS = {
    **dict.fromkeys((*_CASE, *_ASKED), "string"),
    "emulated": "boolean",
    **dict.fromkeys(("status", "sentence", "claimed_text"), "string"),
    **dict.fromkeys(("claimed", "measured", "delta", "tolerance", "margin"), "Float64"),
    **dict.fromkeys(("interval_low", "interval_high", "floor"), "Float64"),
    **dict.fromkeys(("images", "planned"), "Int64"),  # of pandas: int64 has no missing value
    "place_path": "string",
    **dict.fromkeys(("place_line", "place_column"), "Int64"),
    "fingerprint": "string",
    "seconds": "Float64",
}

_IMAGE_COLUMNS = {
    **{name: "string" for name in (*_CASE, *_ASKED) if name not in ("node_id", "claim_backend")},
    **{"emulated": "boolean", "index": "Int64", "image": "string", "value": "Float64"},
}

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = tuple("=+-@＝＋－＠\t")  # noqa: RUF001 - spreadsheets read the wide ones, too


def frame(records: Iterable[Record]) -> pd.DataFrame:
    """Return a table with a row for each record, and a column ``note_<name>`` for each note.

    Values are in the metric's unit; what a record lacks is missing (NA).
    """
    kept = tuple(records)
    names = sorted({name for record in kept for name in _notes(record)})
    notes = {f"note_{printable(name)}": name for name in names}
    rows = [[*_row(record), *map(_notes(record).get, notes.values())] for record in kept]
    return _typed(rows, {**_COLUMNS, **dict.fromkeys(notes, "Float64")})


def image_frame(records: Iterable[Record]) -> pd.DataFrame:
    """Return a table with a row for each image of each record, in the order of the run."""
    return _typed([row for record in records for row in _image_rows(record)], _IMAGE_COLUMNS)


def write_csv(session: PastSession, folder: Path) -> tuple[Path, ...]:
    """Write ``records.csv`` and ``images.csv`` of `session` into `folder` and return their paths.

    UTF-8 with a header; infinity is spelled ``inf``, and what is missing is empty. A text that a
    spreadsheet would compute has a ``'`` before it.

    Raises:
        SrBenchError: The folder can't be written.
    """
    texts = {f"{name}.csv": _csv(table).encode() for name, table in _tables(session).items()}
    return _write(texts, folder)


def records_csv(session: PastSession) -> str:
    """Return what `write_csv` writes into ``records.csv``."""
    return _csv(_tables(session)["records"])


def write_parquet(session: PastSession, folder: Path) -> tuple[Path, ...]:
    """Write ``records.parquet`` and ``images.parquet`` into `folder` and return their paths.

    Raises:
        OptionError: pyarrow is not installed, or too old.
        SrBenchError: The folder can't be written.
    """
    try:
        files = {
            f"{name}.parquet": table.to_parquet(engine="pyarrow", index=False)
            for name, table in _tables(session).items()
        }
    except ImportError as cause:  # pandas asks for it, and for a version that it can use
        msg = "Parquet needs pyarrow, here absent or too old: pip install 'sr-bench[parquet]'"
        raise OptionError(msg) from cause
    return _write(files, folder)


def _tables(session: PastSession) -> dict[str, pd.DataFrame]:
    """Return both tables by name, the run before all else, so that those of several runs add up."""
    tables = {"records": frame(session.records), "images": image_frame(session.records)}
    info = session.info
    facts = {"run": info.run, "started": info.started, "commit": info.environment.commit}
    for table in tables.values():
        for index, (name, text) in enumerate(facts.items()):
            table.insert(index, name, pd.Series([printable(text)] * len(table), dtype="string"))
    return tables


def _row(record: Record) -> list[object]:
    """Return the cells of `_COLUMNS`."""
    verdict, measurement, where = record.verdict, record.measurement, record.source
    low, high = record.interval or (None, None)
    floor = floor_of(record)
    return [
        *(record.case_id, record.node_id, record.family, record.model, record.metric),
        measurement.unit if measurement else metric_info(record.metric).unit,
        *(record.precision, record.dataset, record.protocol, record.backend),
        *(record.claim.backend if record.claim else None, record.device, record.emulated),
        *(verdict.status.value, verdict.sentence, record.claim.text if record.claim else None),
        verdict.claimed,
        measurement.value if measurement else None,
        *(verdict.delta, verdict.tolerance, point(record).margin),
        *(low, high, floor.value if floor else None),
        *((len(measurement.images), measurement.planned) if measurement else (None, None)),
        *((where.path, where.line, where.column) if where else (None, None, None)),
        *(record.fingerprint, record.seconds),
    ]


def _image_rows(record: Record) -> list[list[object]]:
    images = record.measurement.images if record.measurement else ()
    cells = dict(zip(_COLUMNS, _row(record), strict=True))
    shared = [cells[name] for name in _IMAGE_COLUMNS if name in cells]
    return [[*shared, index, score.image, score.value] for index, score in enumerate(images)]


def _notes(record: Record) -> dict[str, float]:
    """Return the notes but for the floor, which has a column of its own."""
    notes = record.measurement.notes if record.measurement else {}
    return {name: value for name, value in notes.items() if name != FLOOR}


def _typed(rows: Sequence[Sequence[object]], types: dict[str, str]) -> pd.DataFrame:
    cells = [
        [printable(without_home(cell)) if isinstance(cell, str) else cell for cell in row]
        for row in rows
    ]
    # As objects first: left to itself pandas makes floats of integers with gaps.
    return pd.DataFrame(cells, columns=list(types), dtype=object).astype(types)


def _csv(table: pd.DataFrame) -> str:
    return _harmless(table).to_csv(index=False, lineterminator="\n")


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with texts that no spreadsheet takes for a formula."""
    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype == "string":
            safe[name] = safe[name].map(_quoted, na_action="ignore")
    return safe


def _quoted(text: str) -> str:
    # A negative number is data, though it starts as a formula may.
    return f"'{text}" if text.lstrip(" \n").startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _write(files: dict[str, bytes], folder: Path) -> tuple[Path, ...]:
    for name, data in files.items():
        write_bytes(folder / name, data)
    return tuple(folder / name for name in files)
