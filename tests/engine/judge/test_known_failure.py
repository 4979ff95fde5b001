"""Known failures of a device: which apply, and what is reported when one is gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.backend import BackendInfo, Form
from sr_bench.core.card import ModelCard
from sr_bench.core.case import Case
from sr_bench.core.device import DevicePlan, Failure, KnownFailure
from sr_bench.core.precision import Precision
from sr_bench.core.record import Status, Verdict
from sr_bench.engine.judge.claim import failure_gone, known_failure, warning

FP16, INT8 = Precision.FP16, Precision("int8_max")
OOM = KnownFailure(Failure.DEVICE_OOM, "too large")
OLD = KnownFailure(Failure.TIMEOUT, "PixelShuffle hangs", FP16, before_sdk="2.0")
MATCH = Verdict(Status.MATCH, "agrees", measured=30.0)


def known(precision: Precision, sdk: str, *failures: KnownFailure) -> KnownFailure | None:
    plan = DevicePlan(known_failures=failures)
    card = ModelCard("m", "f", Path(), "M", "", 2, "edsr", device=plan)
    info = BackendInfo("vacc", sdk, "vacc", False, "", Form.SOURCE)
    return known_failure(Case(card, "psnr", precision, "vacc"), info)


def test_a_failure_of_any_precision_is_known_in_each() -> None:
    assert [known(precision, "2.8", OOM) for precision in (FP16, INT8)] == [OOM, OOM]


def test_a_failure_of_one_precision_is_not_known_in_others() -> None:
    assert known(INT8, "1.1.7", OLD) is None
    assert known(INT8, "1.1.7", OLD, OOM) is OOM


@pytest.mark.parametrize(
    ("sdk", "is_known"),
    [("1.1.7", True), ("", True), ("nobody knows", True), ("2.0", False), ("2.10.1", False)],
)
def test_a_failure_of_old_versions_is_known_until_the_sdk_is_surely_newer(
    sdk: str, is_known: bool
) -> None:
    assert (known(FP16, sdk, OLD) is OLD) == is_known
    assert bool(warning(known(FP16, sdk, OLD))) == is_known


def test_the_warning_names_the_failure_and_the_version() -> None:
    assert warning(OLD) == "timeout before SDK 2.0: PixelShuffle hangs"
    assert warning(OOM) == warning(None) == ""


def test_a_failure_that_is_gone_is_reported_with_what_to_do() -> None:
    verdict = failure_gone(MATCH, OOM, "2.8")
    assert (verdict.status, verdict.measured) == (Status.GAP_CLOSED, 30.0)
    assert "remove it from the card (device-oom: too large)" in verdict.sentence


def test_a_failure_of_old_versions_may_be_absent_from_an_unknown_one() -> None:
    assert failure_gone(MATCH, OLD, "") is MATCH
    assert failure_gone(MATCH, replace(OLD, before_sdk=""), "").status is Status.GAP_CLOSED
