"""What a session does once it has all its records: reports, the comparison, the documents."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sr_bench.core.history import PastRun
from sr_bench.core.update import UpdateMode
from sr_bench.errors import SrBenchError
from sr_bench.plugin.settings import Settings

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Ending:
    """What came of one of the last steps, or of all of them."""

    lines: tuple[str, ...] = ()
    """What the terminal says below the table."""
    faults: tuple[str, ...] = ()
    """What could not be done."""
    lost: bool = False
    """Whether the run is worse than the one it was compared with."""


def end_run(run: PastRun, settings: Settings, progress: Progress) -> Ending:
    """Do what `settings` ask for; the fault of one step does not keep the others from their work.

    The documents come last, so that reports show them as they were measured.
    """
    steps = [_REPORTS[kind] for kind in _REPORTS if kind in settings.reports]
    if settings.reports:
        steps += [_github_summary, _github_annotations]
    endings = [_tried(step, run, progress) for step in steps]
    if earlier := settings.selection.compare:
        endings.append(_tried(lambda run, _: _compared(run, earlier), run, progress))
    if settings.is_first:
        endings.append(Ending(("There is no earlier run yet to compare with.",)))
    if mode := settings.update:
        endings.append(_tried(lambda run, _: _updated(run, mode, settings.reason), run, progress))
    return Ending(
        tuple(line for ending in endings for line in ending.lines),
        tuple(fault for ending in endings for fault in ending.faults),
        any(ending.lost for ending in endings),
    )


def _tried(step: Callable[[PastRun, Progress], Ending], run: PastRun, progress: Progress) -> Ending:
    try:
        return step(run, progress)
    except SrBenchError as cause:
        return Ending(faults=(str(cause),))


def _html(run: PastRun, progress: Progress) -> Ending:
    from sr_bench.history.index import read_history
    from sr_bench.report.html.build import build_report

    history = read_history(run.results)
    found = build_report(run, history.entries, run.results / "html", progress=progress)
    notes = (f"note: {fault}" for fault in history.faults)
    return Ending((f"report: {found.index}", *notes))


def _markdown(run: PastRun, _: Progress) -> Ending:
    from sr_bench.report.markdown.combined import write_combined
    from sr_bench.report.markdown.family import write_family_reports

    write_family_reports(run.records, run.results)
    write_combined(run, run.results)
    return Ending()


def _csv(run: PastRun, _: Progress) -> Ending:
    from sr_bench.report.exports import write_csv

    write_csv(run, run.results)
    return Ending()


def _parquet(run: PastRun, _: Progress) -> Ending:
    from sr_bench.report.exports import write_parquet

    write_parquet(run, run.results)
    return Ending()


_REPORTS: dict[str, Callable[[PastRun, Progress], Ending]] = {
    "html": _html,
    "markdown": _markdown,  # after HTML, to which it links
    "csv": _csv,
    "parquet": _parquet,
}


def _github_summary(run: PastRun, _: Progress) -> Ending:
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        from sr_bench.report.github import step_summary, summary_room, write_step_summary

        target = Path(path)
        write_step_summary(target, step_summary(run, budget=summary_room(target)))
    return Ending()


def _github_annotations(run: PastRun, _: Progress) -> Ending:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return Ending()
    from sr_bench.report.github import annotations

    return Ending(tuple(annotations(run.records)))


def _compared(run: PastRun, earlier: Path) -> Ending:
    from sr_bench.core.compare import CaseOutcome, LossLimits
    from sr_bench.engine.judge.two_runs import compare_runs
    from sr_bench.history.store import read_run
    from sr_bench.report.terminal.compare import compared_lines

    before = read_run(earlier)
    found = compare_runs(run, before, LossLimits())
    both = [one for one in found if one.outcome is not CaseOutcome.VANISHED]
    lines = compared_lines(both, before.info, run.info, everything=False)
    if len(both) < len(found):  # a session may be asked for a part of what there is
        lines.append(f"{len(found) - len(both)} values of run A were not measured in this one")
    return Ending(tuple(lines), lost=any(one.outcome is CaseOutcome.LOSS for one in both))


def _updated(run: PastRun, mode: UpdateMode, reason: str) -> Ending:
    from sr_bench.report.terminal.update import update_lines
    from sr_bench.update.documents import update_documents

    done = update_documents(run, mode, reason=reason, write=True)
    return Ending(tuple(update_lines(done)), tuple(done.refused))
