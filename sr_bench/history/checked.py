"""Read the records of a run from JSON of unknown origin: only those that reports can show."""

import math
from collections.abc import Sequence
from dataclasses import fields

from sr_bench.core.codec import decode
from sr_bench.core.detail import Detail
from sr_bench.core.forensics import Forensics, Scoring
from sr_bench.core.gate import Drop
from sr_bench.core.metric import is_measured, metric_infos
from sr_bench.core.record import Record

_LARGEST_SCORE = 1e9  # of an image, in any unit; the squares of far larger ones overflow
_LARGEST_EXPONENT = 30  # of a unit; far larger ones overflow
_GATED = {"fidelity", "psnr", "ssim"}
_CHANGES = {field.name for field in fields(Scoring)} - {"image"}


def read_record_of(data: object) -> Record:
    """Return the record that `data` spells.

    Raises:
        TypeError: As `decode`.
        ValueError: It measured an unknown metric, its claim is no number, an image's score is
            absurd, or its detail damaged.
    """
    record = decode(Record, data)
    claim = record.claim
    for metric in (record.metric, claim.metric if claim else record.metric):
        # A document may print anything, but only what is known is measured.
        if record.measurement and not is_measured(metric):
            known = ", ".join(metric_infos())
            msg = f"unknown metric {metric!r:.40}; install its package (the known ones: {known})"
            raise ValueError(msg)
    # float() takes the digits of every script; tables are read for ASCII alone.
    printed = claim and claim.text.isascii() and abs(claim.exponent) <= _LARGEST_EXPONENT
    if claim and not (printed and math.isfinite(claim.value)):
        msg = f"expected a claim that is a number, got {claim.text!r:.40}"
        raise ValueError(msg)
    for score in record.measurement.images if record.measurement else ():
        if math.isfinite(score.value) and abs(score.value) > _LARGEST_SCORE:
            msg = f"expected scores of images of at most {_LARGEST_SCORE:g}, got {score.value:g}"
            raise ValueError(msg)
    _check_gate(record.detail)
    if record.detail.forensics:
        _check_forensics(record.detail.forensics)
    return record


def _check_gate(detail: Detail) -> None:
    if gate := detail.gate:
        questions = {finding.question for finding in gate.findings}
        _expect(questions == _GATED, "gate", "a finding for each question")
        names = [image.image for image in gate.images]
        whole = _is_whole(gate.psnr, names) and _is_whole(gate.ssim, names)
        _expect(whole, "gate", "a drop for each image")
    for comparison in detail.compared:
        _expect(comparison.metric in metric_infos(), "compared", "a known metric")
        drop, images = comparison.drop, comparison.images
        whole = drop is None or _is_whole(drop, images)
        _expect(whole, "compared", "a drop for each image")


def _is_whole(drop: Drop, images: Sequence[str]) -> bool:
    """Tell whether `drop` is about `images`, of which at least one counts."""
    indices = range(len(images))
    return len(drop.values) == len(images) > len(drop.left_out) and all(
        index in indices for index in drop.left_out
    )


def _check_forensics(forensics: Forensics) -> None:
    try:
        float(forensics.text)
    except ValueError as cause:
        msg = f"its forensics is damaged: {cause}"
        raise ValueError(msg) from None
    changes = {name for match in (*forensics.matches, *forensics.nearest) for name in match.changes}
    _expect(changes <= _CHANGES, "forensics", "changes of a scoring")


def _expect(is_so: bool, part: str, what: str) -> None:
    if not is_so:
        msg = f"its {part} is damaged: expected {what}"
        raise ValueError(msg)
