"""The body of every item: measure, judge, and say it in pytest's words."""

import warnings
from typing import TYPE_CHECKING, cast

import pytest

from sr_bench.core.record import Record, Status
from sr_bench.plugin.session import SESSION
from sr_bench.report.terminal.failure import failure_text
from sr_bench.text.printable import printable

if TYPE_CHECKING:
    from sr_bench.plugin.collect import CaseItem


def check_claim(request: pytest.FixtureRequest) -> None:
    """Measure the item's case and end as its verdict demands."""
    item = cast("CaseItem", request.node)
    conclude(item, item.config.stash[SESSION].evaluate(item.case, item.nodeid))


def conclude(item: "CaseItem", record: Record) -> None:
    """Keep the record of `item`, tell JUnit of it, and end as its verdict demands."""
    item.record = record
    for key, value in _properties(record).items():
        item.user_properties.append((key, value))
    selection = item.config.stash[SESSION].settings.selection
    end(record, allow_better=selection.allow_better, warn_of_loss=selection.gate == "warn")


def _properties(record: Record) -> dict[str, object]:
    """Return what a JUnit report should say about `record`."""
    verdict = record.verdict
    values = {
        "sr_status": verdict.status.value,
        "sr_measured": verdict.measured,
        "sr_claimed": verdict.claimed,
        "sr_device": record.device or None,
        "sr_failure": record.detail.failure or None,
    }
    return {key: value for key, value in values.items() if value is not None}


class GateWarning(pytest.PytestWarning):
    """A low precision loses more than its card allows, and ``--sr-gate=warn`` lets it pass."""


def end(record: Record, *, allow_better: bool, warn_of_loss: bool) -> None:
    """Pass, skip, xfail or fail as the status of `record` demands."""
    status, sentence = record.verdict.status, printable(record.verdict.sentence)
    if status in (Status.NOT_RUN, Status.UNDECIDED):
        pytest.skip(sentence)
    if status is Status.LOSS and warn_of_loss:
        warnings.warn(GateWarning(f"{record.case_id}: {sentence}"), stacklevel=1)
        return
    if status is Status.KNOWN_GAP:
        pytest.xfail(sentence)
    stale = status is Status.BETTER and not allow_better
    if stale or status in (Status.DIFFERS, Status.GAP_CLOSED, Status.ERROR, Status.LOSS):
        pytest.fail(failure_text(record), pytrace=False)
