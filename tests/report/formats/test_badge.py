"""The badge tells how many claims were verified, in the colour of the worst that happened."""

import json
from dataclasses import replace

import pytest

from sr_bench.core.record import Status
from sr_bench.report.formats import badge
from tests.report.records import record, without_value
from tests.report.sessions import ended, past_session


def made(*records) -> dict[str, object]:
    return json.loads(badge.render(past_session(records), ""))


@pytest.mark.parametrize(
    ("statuses", "message", "colour"),
    [
        ("match within", "2 of 2 verified", "brightgreen"),
        ("match not_run", "1 of 2 verified", "green"),
        ("match undecided", "1 of 2 verified", "yellow"),
        ("match known_gap", "1 of 2 verified", "yellow"),
        ("match better undecided", "1 of 3 verified, 1 failed", "orange"),
        ("match gap_closed", "1 of 2 verified, 1 failed", "orange"),
        ("match better differs", "1 of 3 verified, 2 failed", "red"),
        ("match loss", "1 of 2 verified, 1 failed", "red"),
        ("error", "0 of 1 verified, 1 failed", "red"),
        ("not_run", "0 of 1 verified", "lightgrey"),
    ],
)
def test_the_worst_status_gives_the_colour(statuses: str, message: str, colour: str) -> None:
    assert made(*(ended(Status(status)) for status in statuses.split())) == {
        "schemaVersion": 1,
        "label": "sr-bench",
        "message": message,
        "color": colour,
        "isError": "failed" in message,
    }


def test_what_no_document_prints_is_not_counted_but_can_fail() -> None:
    gate = replace(record(None), verdict=ended(Status.LOSS).verdict)
    assert made(record(), gate)["message"] == "1 of 1 verified, 1 failed"
    assert made(record(None, status=Status.NEW))["message"] == "0 of 0 verified"


def test_an_emulation_is_said() -> None:
    emulated = replace(record(), backend="vacc", device="emulated")
    assert made(emulated)["message"] == "1 of 1 verified (emulated)"
    assert made(record(), without_value(emulated))["message"] == "1 of 2 verified"
