"""The record of an item that ended its worker."""

from contextlib import suppress
from typing import Any

from sr_bench.core.device import Failure
from sr_bench.errors import DeviceError, SrBenchError
from sr_bench.plugin.outcome import answered, asked, lead
from sr_bench.plugin.session import BenchSession
from sr_bench.plugin.xdist.groups import cases_of


def add_record(session: BenchSession, crashitem: str, report: Any) -> None:
    """Add to pytest-xdist's `report` the record of the item whose node id is `crashitem`."""
    message = f"{report.longrepr}; the other items ran on. Run this one alone"
    cause = DeviceError(Failure.CRASHED, message)
    with suppress(SrBenchError):  # the card has changed since: xdist's own report remains
        for case in cases_of(session.config, [crashitem]).values():
            record = report.sr_record = session.bench.failed(case, crashitem, cause)
            lead(report, record)
            report.user_properties = [*asked(case), *answered(record)]
            report.when = "teardown"  # the item's last: JUnit writes the properties then
