"""What a session does once it has all its records: reports, the comparison, the documents."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pluggy import PluginManager

from sr_bench.core.compare import ComparedRuns
from sr_bench.core.history import PastSession
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
    compared: tuple[ComparedRuns, ...] = ()
    """The run beside earlier ones, if that was asked for."""

    @property
    def lost(self) -> bool:
        """Whether the run is worse than what it was compared with."""
        return bool(_worse(self.compared))


@dataclass(frozen=True)
class Ended:
    """A run that has all its records, and what its last steps work with."""

    session: PastSession
    settings: Settings
    plugins: PluginManager
    """Pytest's."""
    progress: Progress
    compared: tuple[ComparedRuns, ...] = ()


Step = Callable[[Ended], Ending | None]
"""Does one of the last steps; None if there is nothing to say of it."""


def end_run(run: Ended) -> Ending:
    """Do what the settings ask for; the fault of one step does not keep the others from their work.

    The comparison comes first, so that the report shows it, and is told after it. The documents
    come last, so that reports show them as they were measured.
    """
    comparison = _try(_compare, run)
    run = replace(run, compared=comparison.compared)
    steps = [_REPORTS[kind] for kind in _REPORTS if kind in run.settings.reports]
    if run.settings.reports:
        steps += [_github_summary, _github_annotations]
    endings = [*(_try(step, run) for step in steps), comparison]
    return _together([*endings, *(_try(step, run) for step in (_issue, _update))])


def _together(endings: Iterable[Ending]) -> Ending:
    given = tuple(endings)
    return Ending(
        tuple(line for ending in given for line in ending.lines),
        tuple(fault for ending in given for fault in ending.faults),
        any(ending.compared_nothing for ending in given),
        tuple(pair for ending in given for pair in ending.compared),
    )


def _try(step: Step, run: Ended) -> Ending:
    try:
        return step(run) or Ending()
    except SrBenchError as cause:
        return Ending(faults=(str(cause),))


def _html(run: Ended) -> Ending:
    from sr_bench.history.index import mend_index
    from sr_bench.report.hooks import Additions, register_installed
    from sr_bench.report.html.build import build_report
    from sr_bench.report.html.trend import shown_history

    session = run.session
    history = shown_history(session)
    mended = mend_index(session.results, history)
    register_installed(run.plugins)
    report = build_report(
        session,
        history.entries,
        session.results / "html",
        compared=run.compared,
        additions=Additions(run.plugins.hook, session),
        progress=run.progress,
    )
    notes = (f"note: {told}" for told in (*history.faults, mended) if told)
    return Ending((f"report: {report.index}", *notes))


def _markdown(run: Ended) -> None:
    from sr_bench.report.markdown.combined import write_combined
    from sr_bench.report.markdown.family import write_family_reports

    write_family_reports(run.session.records, run.session.results)
    write_combined(run.session, run.session.results)


def _csv(run: Ended) -> None:
    from sr_bench.report.exports import write_csv

    write_csv(run.session, run.session.results)


def _parquet(run: Ended) -> None:
    from sr_bench.report.exports import write_parquet

    write_parquet(run.session, run.session.results)


_REPORTS: dict[str, Step] = {
    "html": _html,
    "markdown": _markdown,  # after HTML, to which it links
    "csv": _csv,
    "parquet": _parquet,
}


def _github_summary(run: Ended) -> None:
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        from sr_bench.report.github import write_step_summary

        write_step_summary(Path(path), run.session)


def _github_annotations(run: Ended) -> Ending:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return Ending()
    from sr_bench.report.github import annotations

    return Ending(tuple(annotations(run.session.records)))


def _compare(run: Ended) -> Ending | None:
    """Compare each record of the run with the newest of its case in the runs asked for."""
    session, settings = run.session, run.settings
    if not settings.compare:
        return None
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
    pairs: list[ComparedRuns] = []
    for before, keys in zip(runs, held, strict=True):
        keys |= new | absent if before is runs[0] else set()
        if not keys and before is not runs[0]:
            continue
        mine = tuple(record for record in session.records if case_key(record) in keys)
        now = replace(session, records=mine)
        compared = compare_runs(now, before, LossLimits())
        asked = tuple(case for case in compared if case_key(case) in keys)
        lines += compared_lines(asked, before.info, session.info, everything=False)
        # A session may be asked for a part of what there is.
        if missing := len(compared) - len(asked):
            lines.append(f"{missing} values of run A were not measured in this one")
        pairs.append(ComparedRuns(before, now, asked, missing))
    if not runs:
        lines.append("There is no earlier run yet to compare with.")
    if nothing := not any(case.comparable for pair in pairs for case in pair.cases):
        lines.append("Nothing could be compared, which is not a pass.")
    return Ending(tuple(lines), compared_nothing=nothing, compared=tuple(pairs))


def _worse(compared: Iterable[ComparedRuns]) -> "tuple[Worse, ...]":
    """Return what is worse than in an earlier run, or has no value any more."""
    return tuple((pair.before.info, case) for pair in compared for case in pair.cases if case.bad)


def _could_not(record: Record) -> bool:
    """Tell whether `record` was to be measured, and could not."""
    return record.verdict.status is Status.NOT_RUN and record.measurement is None


def _issue(run: Ended) -> Ending | None:
    """Write what needs a person as an issue to file."""
    session, worse = run.session, _worse(run.compared)
    if "markdown" not in run.settings.reports:
        return None
    from sr_bench.history.index import read_history
    from sr_bench.report.markdown.issue import write_issue
    from sr_bench.report.parts.needs import needs, summary
    from sr_bench.report.parts.order import failures

    failed = worse or failures(session.records)
    found = needs(session, read_history(session.results).entries, worse) if failed else ()
    path = write_issue(found, session)
    return Ending((f"issue: {path}: {summary(found)}",) if path else ())


def _update(run: Ended) -> Ending | None:
    mode = run.settings.update
    if not mode:
        return None
    from sr_bench.report.terminal.update import update_lines
    from sr_bench.update.documents import update_documents

    update = update_documents(run.session, mode, reason=run.settings.reason, write=True)
    return Ending(tuple(update_lines(update)), tuple(update.refused))
