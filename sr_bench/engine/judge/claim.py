"""Judge a measured value against its claim, and by what is known to fail: pure functions."""

from dataclasses import replace
from math import isnan

from packaging.version import InvalidVersion, Version

from sr_bench.core.backend import BackendInfo
from sr_bench.core.card import KnownGap, Tolerance
from sr_bench.core.case import STATIC_METRICS, Case
from sr_bench.core.claim import Claim
from sr_bench.core.device import KnownFailure
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Measurement, Status, Verdict
from sr_bench.errors import MetricError

_ROUND_OFF = 1e-9
"""Relative slop of binary floats, far below any printed digit."""


def judge(
    claim: Claim | None,
    measurement: Measurement,
    *,
    tolerance: Tolerance,
    gap: KnownGap | None = None,
) -> Verdict:
    """Return the verdict on `measurement`.

    The band around the printed number is half a printed step (a whole step upwards if the
    document truncates) plus the declared slack.

    Raises:
        MetricError: The measured value is NaN, which is a defect and never a result.
    """
    if isnan(measurement.value):  # first: it compares false with every limit
        msg = f"{measurement.metric}: measured NaN; expected a number"
        raise MetricError(msg)
    if measurement.partial:  # before the claim: not even new
        claimed = claim.value if claim else None
        return Verdict(Status.NOT_RUN, measurement.why_partial, measurement.value, claimed)
    if claim is None:
        sentence = "measured; no document claims a value for it"
        return Verdict(Status.NEW, sentence, measured=measurement.value)
    low, high = band(claim, tolerance)
    status = ended(claim, measurement.value, low=low, high=high)
    if gap:
        status = Status.GAP_CLOSED if status is Status.MATCH else Status.KNOWN_GAP
    return Verdict(
        status,
        how_ended(status, gap),
        measured=measurement.value,
        claimed=claim.value,
        tolerance=high - claim.value,
        digits=tolerance.digits,
    )


def band(claim: Claim, tolerance: Tolerance) -> tuple[float, float]:
    """Return the lowest and the highest value that agree with `claim`, in its unit."""
    below = above = claim.half_step
    if tolerance.digits == "truncated":
        below, above = 0.0, 2 * claim.half_step
    return claim.value - below - tolerance.slack, claim.value + above + tolerance.slack


def fits(claim: Claim, value: float, tolerance: Tolerance) -> bool:
    """Tell whether `value`, in the claim's unit, lies in the band of the printed number."""
    low, high = band(claim, tolerance)
    slop = _ROUND_OFF * max(1.0, abs(value))
    return low - slop <= value <= high + slop


def ended(claim: Claim, value: float, *, low: float, high: float) -> Status:
    """Return how `value` lies to what agrees with `claim`, from `low` to `high`."""
    slop = _ROUND_OFF * max(1.0, abs(claim.value))
    if low - slop <= value <= high + slop:
        return Status.MATCH
    if claim.metric in STATIC_METRICS:  # counted: any other number is a wrong one
        return Status.DIFFERS
    is_better = value > high if metric_info(claim.metric).drops else value < low
    return Status.BETTER if is_better else Status.DIFFERS


def how_ended(status: Status, gap: KnownGap | None) -> str:
    """Return the sentence of `status`; of a known gap, its reason."""
    if gap and status is Status.GAP_CLOSED:
        return f"agrees with the document: remove the known gap from the card ({gap.reason})"
    if gap:
        return gap.reason
    return {
        Status.MATCH: "agrees with the document to its printed digits",
        Status.BETTER: "better than the document says: the document is stale",
    }.get(status, "differs from the document")


def known_failure(case: Case, info: BackendInfo) -> KnownFailure | None:
    """Return the failure that the card's device is known to have in `case`, if any.

    While the version of the device's software is unknown, failures of old versions may occur.
    """
    if case.precision.is_full or not info.compiles:
        return None
    version = _version(info.version)
    for known in case.card.device.known_failures:
        fixed_in = _version(known.before_sdk)
        is_fixed = version is not None and fixed_in is not None and version >= fixed_in
        if known.precision in (None, case.precision) and not is_fixed:
            return known
    return None


def failure_gone(verdict: Verdict, known: KnownFailure, sdk: str) -> Verdict:
    """Return `verdict`, with the sentence that the failure `known` is gone.

    Of an unknown version `verdict` stays: a failure of old versions only may well be gone there.
    """
    if known.before_sdk and _version(sdk) is None:
        return verdict
    msg = f"the known failure is gone: remove it from the card ({known.failure}: {known.reason})"
    return replace(verdict, status=Status.GAP_CLOSED, sentence=msg)


def warning(known: KnownFailure | None) -> str:
    """Return the warning in a record about a failure that this version of the SDK may have."""
    if known is None or not known.before_sdk:
        return ""
    return f"{known.failure} before SDK {known.before_sdk}: {known.reason}"


def _version(text: str) -> Version | None:
    """Return the version that `text` spells; None if it spells none."""
    try:
        return Version(text)
    except InvalidVersion:  # vendors write anything
        return None
