"""The ledger beside a document: a line for each number that an update wrote, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Literal

from sr_bench.core.cell import CellKey
from sr_bench.core.codec import decode
from sr_bench.core.record import SCHEMA_VERSION
from sr_bench.errors import SrBenchError
from sr_bench.history.lines import damaged, read_lines
from sr_bench.history.store import check_schema

LEDGER = "ledger.jsonl"
"""Lies beside the document."""


@dataclass(frozen=True)
class LedgerLine:
    """One change that an update made, and where the new number is from."""

    kind: Literal["number", "known_gap"]
    """A number of the document, or an entry that left the card."""
    when: str
    """UTC, ISO 8601 to the second."""
    document: str
    """The file that changed, relative to the ledger's folder."""
    line: int
    """1-based, before the update, as `column`."""
    column: int
    row: str
    """Label of the model row; of a known gap, the model's name."""
    row_source: str
    backend_word: str
    """The backend that the row's label names; empty if none."""
    precision: str
    dataset: str
    metric: str
    old: str
    """As printed; of a known gap, the reason that the card gave."""
    new: str
    """As printed; of a known gap, empty."""
    reason: str
    """What the person who updated said."""
    who: str
    commit: str
    """Of the repository that was measured; empty outside of git."""
    run: str
    case: str
    """Id of the case that was measured."""
    backend: str
    device: str
    """Empty for cost metrics."""
    fingerprint: str
    python: str
    packages: Mapping[str, str]
    scale: int = 0
    """That the document names; 0: none."""
    named_device: str = ""
    """What the document says that the number was measured on."""
    variant: str = ""
    """What tells the number from those that are equal in all else."""

    def is_about(self, document: str, key: CellKey) -> bool:
        """Whether this wrote the number of `key` in the file `document` beside the ledger."""
        row = (self.row, self.row_source, self.backend_word)
        number = (self.precision, self.dataset, self.metric)
        # A line of an earlier version names no scale and no device.
        scale, device = self.scale or key.scale, self.named_device or key.device
        cell = (*row, *number, scale, device, self.variant)  # in the order of a CellKey
        return self.kind == "number" and self.document == document and cell == astuple(key)


@dataclass(frozen=True)
class Ledger:
    """What a ledger says."""

    lines: tuple[LedgerLine, ...] = ()
    """In the file's order."""
    faults: tuple[str, ...] = ()
    """A message for each line that can't be read; such lines stay in the file."""

    def newest(self, document: str, key: CellKey) -> LedgerLine | None:
        """Return the newest line about the number of `key`; None if there is none."""
        lines = [line for line in self.lines if line.is_about(document, key)]
        # Of equal times the later line: max keeps the first.
        return max(reversed(lines), key=lambda line: line.when, default=None)


def ledger_of(document: Path) -> Path:
    """Return the path of the ledger of `document`, which may not exist yet."""
    return document.resolve().parent / LEDGER


def read_ledger(path: Path) -> Ledger:
    """Return what can be read of the ledger at `path`; an absent one is empty.

    Raises:
        SrBenchError: The file can't be read.
    """
    if not path.exists():
        return Ledger()
    lines, faults = [], []
    for line in read_lines(path):
        try:
            content = line.content()
            check_schema(content, line.where)
            del content["schema_version"]
            lines.append(decode(LedgerLine, content))
        except SrBenchError as cause:
            faults.append(str(cause))
        except (ValueError, KeyError, TypeError) as cause:
            faults.append(str(damaged(line, cause)))
    return Ledger(tuple(lines), tuple(faults))


def extended(old: bytes, lines: Sequence[LedgerLine]) -> bytes:
    """Return the bytes of a ledger, `old` until now, with `lines` after it.

    A last line that was cut off stays as it is, and the new ones start on a line of their own.
    """
    joint = b"\n" if old and not old.endswith(b"\n") else b""
    texts = (
        json.dumps({"schema_version": SCHEMA_VERSION, **asdict(line)}, ensure_ascii=False)
        for line in lines
    )
    # Surrogates, which a file name that is not UTF-8 brings along, have no bytes.
    return old + joint + "".join(f"{text}\n" for text in texts).encode(errors="backslashreplace")
