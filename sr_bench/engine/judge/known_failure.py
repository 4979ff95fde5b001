"""Known failures of a device: which of a card's apply, and the verdict when one is gone."""

from dataclasses import replace

from packaging.version import InvalidVersion, Version

from sr_bench.core.card import ModelCard
from sr_bench.core.device import KnownFailure
from sr_bench.core.precision import Precision
from sr_bench.core.record import Status, Verdict


def known_failure(card: ModelCard, precision: Precision, sdk: str) -> KnownFailure | None:
    """Return the failure that `card` is known to have on its device, if any.

    `sdk` is the version of the device's software; if it is unknown, hence empty, failures of old
    versions may still occur.
    """
    version = _version(sdk)
    for known in card.device.known_failures:
        fixed_in = _version(known.before_sdk)
        is_fixed = version is not None and fixed_in is not None and version >= fixed_in
        if known.precision in (None, precision) and not is_fixed:
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
    except InvalidVersion:
        return None
