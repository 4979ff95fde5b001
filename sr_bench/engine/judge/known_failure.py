"""Known failures of a device: which of a card's apply, and what is said when one is gone."""

from dataclasses import replace

from packaging.version import InvalidVersion, Version

from sr_bench.core.card import ModelCard
from sr_bench.core.device import KnownFailure
from sr_bench.core.precision import Precision
from sr_bench.core.record import Status, Verdict


def known_failure(card: ModelCard, precision: Precision, sdk: str) -> KnownFailure | None:
    """Return the failure that `card` is known to have on its device, if any.

    Args:
        card: Declares them.
        precision: Of the run.
        sdk: Version of the device's software; empty if unknown, when a failure of old versions
            may still be met.
    """
    for known in card.device.known_failures:
        in_precision = known.precision in (None, precision)
        if in_precision and not _is_fixed(known, sdk):
            return known
    return None


def failure_gone(verdict: Verdict, known: KnownFailure, sdk: str) -> Verdict:
    """Return `verdict`, or where `known` should have kept the number from being measured, that.

    A failure of old versions only is no surprise when it is gone from an unknown one.
    """
    if known.before_sdk and _version(sdk) is None:
        return verdict
    told = f"the known failure is gone: remove it from the card ({known.failure}: {known.reason})"
    return replace(verdict, status=Status.GAP_CLOSED, sentence=told)


def warning(known: KnownFailure | None) -> str:
    """Return what a record says of a failure that this version of the SDK may have."""
    if known is None or not known.before_sdk:
        return ""
    return f"{known.failure} before SDK {known.before_sdk}: {known.reason}"


def _is_fixed(known: KnownFailure, sdk: str) -> bool:
    found, bound = _version(sdk), _version(known.before_sdk)
    return found is not None and bound is not None and found >= bound


def _version(text: str) -> Version | None:
    """Return the version that `text` spells; None if it spells none."""
    try:
        return Version(text)
    except InvalidVersion:
        return None
