"""What an earlier whole record says of each image of a run, to pair with those measured now."""

import math
from collections.abc import Iterable, Mapping

from sr_bench.core.case import Case
from sr_bench.core.record import Measurement, Record

_SAME_QUESTION = ("data", "protocol")
"""Inputs that must be equal for two records to be paired image by image."""

_EQUAL = 1e-9
"""Relative, and absolute below 1: a value that is the mean of its images but for rounding."""


def baseline_of(
    case: Case, records: Iterable[Record], inputs: Mapping[str, str]
) -> Mapping[str, float] | None:
    """Return the value of each image in the first of `records` that `case` can be paired with.

    That is a whole one of the same case, data and protocol, with finite values whose mean is its
    value: not so the SSIM of the last image, which some protocols print.

    Args:
        case: What is measured now.
        records: Of earlier runs, newest first; read only as far as needed.
        inputs: Of the run of `case`, whole digests by name; ``data`` and ``protocol`` count.
    """
    identity = (case.card.family, case.id, case.backend)
    for record in records:
        if (record.family, record.case_id, record.backend) == identity:
            if all(inputs[name] == record.inputs.get(name) for name in _SAME_QUESTION):
                if scores := _scores(record.measurement):
                    return scores
    return None


def _scores(measured: Measurement | None) -> Mapping[str, float]:
    """Return the values by image; none if they are not all there, or the value is no mean."""
    scores = {score.image: score.value for score in measured.images} if measured else {}
    if not scores or measured is None or len(scores) != measured.planned:
        return {}
    mean = math.fsum(scores.values()) / len(scores)
    apart = abs(mean - measured.value)  # NaN or inf if a value is
    return scores if apart <= _EQUAL * max(1.0, abs(mean)) else {}
