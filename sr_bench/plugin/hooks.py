"""What the plugin does in a session with a card, or with an option of ours, besides collecting.

Hooks are thin: the state of the session is in ``session``, what an item does in ``item``.
"""

import sys
from collections.abc import Generator
from shutil import get_terminal_size

import pytest

from sr_bench.core.codec import decode, encode
from sr_bench.core.record import Record, Status
from sr_bench.errors import SrBenchError
from sr_bench.plugin.session import SESSION, BenchSession
from sr_bench.plugin.settings import read_settings
from sr_bench.text.printable import counted, printable

_COMPARED_NOTHING = 3  # as sr-bench compare ends
_COLOURS = {
    **dict.fromkeys((Status.DIFFERS, Status.LOSS, Status.ERROR), "red"),
    **dict.fromkeys((Status.BETTER, Status.GAP_CLOSED, Status.UNDECIDED), "yellow"),
    Status.MATCH: "green",
}


def session_of(config: pytest.Config) -> BenchSession:
    """Return the state of the session; the first call begins it, and registers what is here.

    Raises:
        pytest.UsageError: The value of an option isn't valid.
    """
    if SESSION not in config.stash:
        _start(config)
        config.pluginmanager.register(sys.modules[__name__], "sr_bench-hooks")
    return config.stash[SESSION]


def _start(config: pytest.Config) -> None:
    session = BenchSession(config, read_settings(config))
    config.stash[SESSION] = session
    if not _is_worker(config):
        config.pluginmanager.register(session, "sr_bench-recorder")
    if session.settings.selection.deadline is not None:
        config.option.loadscopereorder = False  # pytest-xdist's: by risk, not by size


@pytest.hookimpl(trylast=True)  # when others have taken out what they don't want
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a budget, put what is most at risk first."""
    if config.stash[SESSION].settings.selection.deadline is not None:
        from sr_bench.plugin.budget import put_in_order

        put_in_order(config.stash[SESSION], items)


@pytest.hookimpl(tryfirst=True)  # before the header is printed, which describes the backend
def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse unknown names; open the run's files before the first minute is spent."""
    bench = session.config.stash[SESSION]
    if not bench.suites:  # then what reads cards stays unread too
        return None
    from sr_bench.plugin.item import CaseItem
    from sr_bench.plugin.names import check_names

    bench.cases = [item.case for item in session.items if isinstance(item, CaseItem)]
    ours, is_worker = bool(bench.cases), _is_worker(session.config)
    try:
        check_names(bench.settings.selection, bench.suites)
        if ours:
            _ = bench.backend_info  # raises if the device or the recording can't be used
        if ours and not session.config.getoption("collectonly"):
            bench.heed_signals()
            if not is_worker:
                bench.start()
    except SrBenchError as cause:
        if is_worker:  # only the process that controls it can end the session
            from sr_bench.plugin.xdist.refusal import refuse

            return refuse(session, cause)
        raise pytest.UsageError(printable(str(cause))) from None


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say what runs the models, and how much was collected; nothing if no item is ours."""
    bench = config.stash[SESSION]
    if not bench.suites:
        return []
    from sr_bench.plugin.item import CaseItem
    from sr_bench.report.terminal.session import header

    cases = [item.case for item in items if isinstance(item, CaseItem)]
    asked = [(case.card.family, case.claim) for case in cases]
    return [*header(asked, bench.backend_info), *bench.notes] if cases else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the item's record on its report, which reaches the controller under xdist too."""
    report = yield
    record = getattr(item, "record", None)
    if call.when == "call" and isinstance(record, Record):
        report.sr_record = record  # type: ignore[attr-defined]
        # A fault of another plug-in says what it is itself.
        if report.failed and call.excinfo and isinstance(call.excinfo.value, pytest.fail.Exception):
            from sr_bench.plugin.outcome import lead

            lead(report, record)
    return report


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, str] | None:
    """Let the lines of failed items in the summary, and with ``-v``, say the numbers first."""
    headline = getattr(report, "sr_headline", None)
    return ("failed", "F", f"FAILED {headline}") if headline else None


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, object], dict[str, object]]:
    """Write the record plainly on a report that travels."""
    data = yield
    if data and isinstance(record := data.get("sr_record"), Record):
        data["sr_record"] = encode(record)
    return data


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable() -> Generator[None, object, object]:
    """Read the record of a report that has travelled."""
    report = yield
    if data := getattr(report, "sr_record", None):
        report.sr_record = decode(Record, data)  # type: ignore[attr-defined]
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports; a session of ours that measured nothing did not pass."""
    bench = session.config.stash[SESSION]
    bench.close()
    if _is_worker(session.config) or not bench.records:
        return
    bench.finish()
    if bench.ending.lost and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if bench.faults:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
    elif bench.measured_nothing and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED  # not a pass
    elif bench.ending.compared_nothing and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = _COMPARED_NOTHING


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """Print the table of all that was claimed and measured."""
    bench = terminalreporter.config.stash[SESSION]
    if not bench.records:
        return
    from sr_bench.plugin.outcome import say_once
    from sr_bench.report.parts.order import in_document_order
    from sr_bench.report.terminal.line import WIDE, fit
    from sr_bench.report.terminal.session import header, summary

    terminalreporter.section("sr-bench")
    width = get_terminal_size().columns if terminalreporter.isatty else WIDE
    records, verbose = in_document_order(bench.records), bench.settings.verbose
    asked = [(record.family, record.claim) for record in records]
    # Under xdist the workers collected, so the header is still owed; an emulation is told twice.
    owed = header(asked, bench.backend_info)[bool(bench.suites) :]
    if not bench.suites or bench.backend_info.emulated:
        for told in owed:
            terminalreporter.write_line(fit(told, width))
    arguments = terminalreporter.config.invocation_params.args
    for line in summary(records, arguments, verbose=verbose, width=width):
        colour = line.status and _COLOURS.get(line.status)
        terminalreporter.write_line(line.text, **({colour: True} if colour else {}))
    stopped = exitstatus == pytest.ExitCode.INTERRUPTED or terminalreporter.config.option.maxfail
    if stopped and (rest := len(bench.cases) - len(bench.records)) > 0:
        lost = f"stopped early: {rest} of {counted(len(bench.cases), 'number')} not reached"
        terminalreporter.write_line(lost, yellow=True)
    if bench.measured_nothing:
        terminalreporter.write_line("Nothing was measured, which is not a pass.", red=True)
    for told in bench.ending.lines:
        terminalreporter.write_line(printable(told))
    for fault in bench.faults:
        terminalreporter.write_line(f"ERROR: {printable(fault)}", red=True)
    for report in terminalreporter.getreports("failed"):
        say_once(report)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
