"""Read the records of a run from JSON of unknown origin: only those that reports can show."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Final

from sr_bench.core.codec import decode
from sr_bench.core.dossier import Dossier
from sr_bench.core.forensics import Forensics, Scoring
from sr_bench.core.gate import Comparison, GateVerdict
from sr_bench.core.metric import metric_infos
from sr_bench.core.record import Record
from sr_bench.files.validation import extremes

_LARGEST_SCORE = 1e9
"""Of an image, in any unit; the squares of far larger ones overflow."""

_GATED = {"fidelity", "psnr", "ssim"}
_CHANGES = {one.name for one in fields(Scoring)} - {"image"}


def read_record_of(data: object) -> Record:
    """Return the record that `data` spells.

    Raises:
        TypeError: As `decode`.
        ValueError: Its metric is unknown, its claim no number, an image's score absurd, or its
            detail damaged.
    """
    record = decode(Record, data)
    claim = record.claim
    for metric in (record.metric, claim.metric if claim else record.metric):
        if metric not in metric_infos():
            msg = (
                f"unknown metric {metric!r:.40}; the known ones are: {', '.join(metric_infos())}."
                " Install the package that adds it"
            )
            raise ValueError(msg)
    if claim and not (claim.text.isascii() and math.isfinite(claim.value)):
        msg = f"expected a claim that is a number, found {claim.text!r:.40}"
        raise ValueError(msg)
    for score in record.measurement.images if record.measurement else ():
        if math.isfinite(score.value) and abs(score.value) > _LARGEST_SCORE:
            msg = f"expected scores of images of at most {_LARGEST_SCORE:g}, found {score.value:g}"
            raise ValueError(msg)
    _check_detail(record.detail)
    return record


def _check_detail(detail: Mapping[str, object]) -> None:
    """Refuse the open room of a record if reports can't show what is in it.

    Raises:
        ValueError: A part is damaged, nested too deeply, or of integers of more than 64 bits.
    """
    for fault in extremes(detail):
        raise ValueError(fault)
    for name, check in _CHECKS.items():
        if name in detail:
            try:
                check(detail[name])
            except (TypeError, ValueError) as cause:
                msg = f"its {name} is damaged: {cause}"
                raise ValueError(msg) from None


def _check_gate(data: object) -> None:
    gate = decode(GateVerdict, data)
    _expect({one.question for one in gate.findings} == _GATED, "a finding for each question")
    counts = {len(gate.images), gate.psnr.count, gate.ssim.count}
    _expect(len(counts) == 1 and bool(gate.images), "a drop for each image")


def _check_compared(data: object) -> None:
    _expect(isinstance(data, list), "a list of comparisons")
    for one in data if isinstance(data, list) else ():
        found = decode(Comparison, one)
        _expect(found.metric in metric_infos(), "a known metric")
        drop = found.drop
        _expect(drop is None or 0 < drop.count == len(found.images), "a drop for each image")


def _check_dossier(data: object) -> None:
    decode(Dossier, data)


def _check_forensics(data: object) -> None:
    found = decode(Forensics, data)
    float(found.text)
    changes = {name for one in (*found.matches, *found.nearest) for name in one.changes}
    _expect(changes <= _CHANGES, "changes of a scoring")


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        msg = f"expected {what}"
        raise ValueError(msg)


_CHECKS: Final[Mapping[str, Callable[[object], None]]] = MappingProxyType(
    {
        "gate": _check_gate,
        "compared": _check_compared,
        "dossier": _check_dossier,
        "forensics": _check_forensics,
    }
)
