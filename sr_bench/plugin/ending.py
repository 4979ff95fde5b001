"""What a session does once it has all its records: reports, the comparison, the documents."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.core.history import PastSession
from sr_bench.core.modes import UpdateMode
from sr_bench.core.record import Record, Status
from sr_bench.errors import SrBenchError
from sr_bench.plugin.settings import Settings

if TYPE_CHECKING:
    from sr_bench.report.parts.needs import Worse

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Ending:
    """The result of one of the last steps, or of all of them."""

    lines: tuple[str, ...] = ()
    """What the terminal says below the table."""
    faults: tuple[str, ...] = ()
    """What could not be done."""
    compared_nothing: bool = False
    """Whether a comparison was asked for, and no value could be compared."""
    worse: "tuple[Worse, ...]" = ()
    """What is worse than in an earlier run, or has no value any more."""

    @property
    def lost(self) -> bool:
        """Whether the run is worse than what it was compared with."""
        return bool(self.worse)


Step = Callable[[PastSession, Progress], Ending | None]
"""Does one of the last steps; None if there is nothing to say of it."""


def end_run(session: PastSession, settings: Settings, progress: Progress) -> Ending:
    """Do what `settings` ask for; the fault of one step does not keep the others from their work.

    The documents come last, so that reports show them as they were measured.
    """
    steps = [_REPORTS[kind] for kind in _REPORTS if kind in settings.reports]
    if settings.reports:
        steps += [_github_summary, _github_annotations]
    if settings.compare:
        steps.append(lambda session, _: _compare(session, settings))
    measured = _together(_try(step, session, progress) for step in steps)
    last: list[Step] = []
    if "markdown" in settings.reports:
        last.append(lambda session, _: _issue(session, measured.worse))
    if mode := settings.update:
        last.append(lambda session, _: _update(session, mode, settings.reason))
    return _together([measured, *(_try(step, session, progress) for step in last)])


def _together(endings: Iterable[Ending]) -> Ending:
    given = tuple(endings)
    return Ending(
        tuple(line for ending in given for line in ending.lines),
        tuple(fault for ending in given for fault in ending.faults),
        any(ending.compared_nothing for ending in given),
        tuple(case for ending in given for case in ending.worse),
    )


def _try(step: Step, session: PastSession, progress: Progress) -> Ending:
    try:
        return step(session, progress) or Ending()
    except SrBenchError as cause:
        return Ending(faults=(str(cause),))


def _html(session: PastSession, progress: Progress) -> Ending:
    from sr_bench.history.index import read_history
    from sr_bench.report.html.build import build_report

    history = read_history(session.results)
    report = build_report(session, history.entries, session.results / "html", progress=progress)
    notes = (f"note: {fault}" for fault in history.faults)
    return Ending((f"report: {report.index}", *notes))


def _markdown(session: PastSession, _: Progress) -> None:
    from sr_bench.report.markdown.combined import write_combined
    from sr_bench.report.markdown.family import write_family_reports

    write_family_reports(session.records, session.results)
    write_combined(session, session.results)


def _csv(session: PastSession, _: Progress) -> None:
    from sr_bench.report.exports import write_csv

    write_csv(session, session.results)


def _parquet(session: PastSession, _: Progress) -> None:
    from sr_bench.report.exports import write_parquet

    write_parquet(session, session.results)


_REPORTS: dict[str, Step] = {
    "html": _html,
    "markdown": _markdown,  # after HTML, to which it links
    "csv": _csv,
    "parquet": _parquet,
}


def _github_summary(session: PastSession, _: Progress) -> None:
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        from sr_bench.report.github import write_step_summary

        write_step_summary(Path(path), session)


def _github_annotations(session: PastSession, _: Progress) -> Ending:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return Ending()
    from sr_bench.report.github import annotations

    return Ending(tuple(annotations(session.records)))


def _compare(session: PastSession, settings: Settings) -> Ending:
    """Compare each record of `session` with the newest of its case in the runs asked for."""
    from sr_bench.core.compare import LossLimits, case_key
    from sr_bench.engine.judge.two_runs import compare_runs
    from sr_bench.history.earlier import newest_of_each
    from sr_bench.report.terminal.compare import compared_lines

    rest = {case_key(record) for record in session.records if record.measurement}
    # A budget leaves out what it must.
    lacking = () if settings.budget else filter(_could_not, session.records)
    absent = {case_key(record) for record in lacking}
    runs = list(newest_of_each(settings.selection.compare, rest or absent))
    held = [{case_key(r) for r in run.records if r.measurement} & rest for run in runs]
    new = rest.difference(*held)  # shown beside the newest run, as what has no value any more
    lines: list[str] = []
    outcomes: list[Worse] = []
    for before, keys in zip(runs, held, strict=True):
        keys |= new | absent if before is runs[0] else set()
        if not keys and before is not runs[0]:
            continue
        mine = tuple(record for record in session.records if case_key(record) in keys)
        compared = compare_runs(replace(session, records=mine), before, LossLimits())
        asked = [case for case in compared if case_key(case) in keys]
        lines += compared_lines(asked, before.info, session.info, everything=False)
        outcomes += [(before.info, case) for case in asked]
        # A session may be asked for a part of what there is.
        if missing := len(compared) - len(asked):
            lines.append(f"{missing} values of run A were not measured in this one")
    if not runs:
        lines.append("There is no earlier run yet to compare with.")
    if nothing := not any(case.comparable for _, case in outcomes):
        lines.append("Nothing could be compared, which is not a pass.")
    worse = tuple((before, case) for before, case in outcomes if case.bad)
    return Ending(tuple(lines), compared_nothing=nothing, worse=worse)


def _could_not(record: Record) -> bool:
    """Tell whether `record` was to be measured, and could not."""
    return record.verdict.status is Status.NOT_RUN and record.measurement is None


def _issue(session: PastSession, worse: "Sequence[Worse]") -> Ending:
    """Write what needs a person as an issue to file."""
    from sr_bench.history.index import read_history
    from sr_bench.report.markdown.issue import write_issue
    from sr_bench.report.parts.needs import needs, summary
    from sr_bench.report.parts.order import failures

    failed = worse or failures(session.records)
    found = needs(session, read_history(session.results).entries, worse) if failed else ()
    path = write_issue(found, session)
    return Ending((f"issue: {path}: {summary(found)}",) if path else ())


def _update(session: PastSession, mode: UpdateMode, reason: str) -> Ending:
    from sr_bench.report.terminal.update import update_lines
    from sr_bench.update.documents import update_documents

    update = update_documents(session, mode, reason=reason, write=True)
    return Ending(tuple(update_lines(update)), tuple(update.refused))
