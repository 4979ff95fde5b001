"""The issue to file for a run: what needs a person, since when, what changed, what to type."""

import os.path
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sr_bench.core.compare import CaseOutcome
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.record import Record, Status
from sr_bench.core.status import STALE
from sr_bench.core.trend import started
from sr_bench.document.numbers import claimed, labelled, measured, with_unit
from sr_bench.files.atomic import write_text
from sr_bench.files.disk import disk_error
from sr_bench.history.git import Commit, commits_between, last_commit
from sr_bench.report.markdown.combined import head
from sr_bench.report.markdown.escape import code, escape, fence, table
from sr_bench.report.parts.needs import Cause, Finding, Need, summary
from sr_bench.report.parts.order import in_document_order
from sr_bench.report.parts.rerun import rerun
from sr_bench.report.terminal.headline import card_path, subject
from sr_bench.text.printable import counted, some

NAME = "issue.md"
"""Of the file, in the results folder."""

_ROWS, _NEEDS, _LINES = 10, 10, 5  # as many are shown; GitHub takes 65,536 characters

_HEADINGS: Mapping[tuple[bool, str], str] = {
    (True, Status.ERROR): "Ended in an error",
    (True, Status.DIFFERS): "Differs from the document",
    (True, Status.LOSS): "Loses more than the card allows",
    (True, Status.GAP_CLOSED): "Agrees with the document again, a known gap is closed",
    (True, Status.BETTER): "Better than the document says",
    (False, CaseOutcome.LOSS): "Worse than in the run before, though no claim fails",
    (False, CaseOutcome.VANISHED): "Measured in the run before, and no more",
}
_TELLING = (Status.ERROR, Status.GAP_CLOSED, Status.LOSS, CaseOutcome.VANISHED)
"""Of these the verdict's sentence says more than the heading."""

_UPDATE = "`sr-bench update last --reason '...'`"


def write_issue(found: Sequence[Need], session: PastSession) -> Path | None:
    """Write the issue about what was `found` in `session` into its results folder.

    Returns:
        Its path; None if nothing needs a person: then there is no such file, nor an earlier one.

    Raises:
        SrBenchError: The folder can't be written, or the earlier issue can't be removed.
    """
    target = session.results / NAME
    if not found:
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, target, "remove") from error
        return None
    write_text(target, render_issue(found, session))
    return target


def render_issue(found: Sequence[Need], session: PastSession) -> str:
    """Return the issue as markdown; its first line is the title."""
    parts = [f"# sr-bench: {escape(summary(found))}"]
    parts += head(session.info, in_document_order(session.records))
    for need in found[:_NEEDS]:
        parts += _section(need, session)
    if len(found) > _NEEDS:
        parts.append(f"And {len(found) - _NEEDS} more groups: README.md beside this file has all.")
    return "\n\n".join(parts) + "\n"


def _section(need: Need, session: PastSession) -> Iterator[str]:
    cause, findings = need.cause, need.findings
    heading = _HEADINGS[cause.judged, cause.ended]
    yield f"## {heading}, since {cause.day}: {counted(len(findings), 'number')}"
    yield _table(findings)
    yield "\n".join(f"- {line}" for line in _facts(need))
    yield fence("\n".join(_commands(need, session)), "sh")


def _table(findings: Sequence[Finding]) -> str:
    shown = [finding.record for finding in findings[:_ROWS]]
    was = [_valued(finding.record, finding.before) for finding in findings[:_ROWS]]
    columns = {
        "Number": map(subject, shown),
        "Where": [str(record.source or card_path(record)) for record in shown],
        "Claimed": map(claimed, shown),
        "Before": was,
        "Now": [_valued(record, record.verdict.measured) for record in shown],
    }
    text = table({title: [*map(escape, cells)] for title, cells in columns.items()})
    more = len(findings) - len(shown)
    return f"{text}\n\nAnd {more} more: README.md beside this file has all." if more > 0 else text


def _valued(record: Record, value: float | None) -> str:
    verdict = replace(record.verdict, measured=value)
    text = with_unit(measured(replace(record, verdict=verdict), extra=1), record)
    return text if value is None else labelled(text, record)


def _facts(need: Need) -> Iterator[str]:
    cause, records = need.cause, [finding.record for finding in need.findings]
    # Of what is better, to call a run bad would be odd.
    first, last = ("First", "Before") if cause.ended in STALE else ("First bad", "Last good")
    yield f"{first} run: {_run(cause.first)}."
    if cause.before is None:
        yield f"{last} run: none is known."
    else:
        was = some(sorted({finding.was for finding in need.findings}), _LINES)
        yield f"{last} run: {_run(cause.before)}, {escape(was)}."
        yield from _changes(cause, records[0])
    if cause.edited:
        yield from _edits(need)
    if cause.ended in _TELLING and (cause.judged or cause.ended == CaseOutcome.VANISHED):
        told = dict.fromkeys(record.verdict.sentence.partition("\n")[0] for record in records)
        yield from (f"Why: {escape(sentence)}" for sentence in [*told][:_LINES])
    if cause.ended == Status.GAP_CLOSED:
        yield f"To do: take the known gaps out of the card; {_UPDATE} does it."
    elif cause.ended == Status.BETTER:
        yield f"To do: if that is meant, {_UPDATE} writes the measured values into the document."


def _run(info: SessionInfo) -> str:
    when = started(info)
    return f"{code(info.run)}{f' of {when:%Y-%m-%d %H:%M} UTC' if when else ''}"


def _changes(cause: Cause, record: Record) -> Iterator[str]:
    """Yield what changed from the last good run to the first bad one."""
    for change in cause.changed[:_LINES]:
        before, now = code(change.before or "absent"), code(change.now or "absent")
        yield f"Changed: {escape(change.name)} {before} → {now}"
    if (more := len(cause.changed) - _LINES) > 0:
        yield f"Changed: {more} more, see below."
    old, new = (info.environment.commit for info in (cause.before, cause.first) if info)
    if old != new:
        yield f"Changed: commit {code(old or 'none')} → {code(new or 'none')}"
        folder = _folder(record)
        commits = commits_between(folder, old, new)
        for commit in commits[:_LINES]:
            yield f"Commit that touched {code(str(folder))}: {_commit(commit)}"
        if (more := len(commits) - _LINES) > 0:
            yield f"And {more} earlier commits that did."
    elif not (cause.changed or cause.edited):
        yield "Changed: nothing that is recorded."


def _edits(need: Need) -> Iterator[str]:
    """Yield which cells were edited, by whom, and whether the values moved, too."""
    records = [finding.record for finding in need.findings if finding.record.source]
    for source in [record.source for record in records if record.source][:_LINES]:
        commit = last_commit(Path(source.path), source.line)
        by = f", a line of {_commit(commit)}" if commit else ""
        yield f"Edited: {code(str(source))}{by}"
    if all(finding.before == finding.record.verdict.measured for finding in need.findings):
        yield f"The measured values did not move. To print them again: {_UPDATE}."


def _folder(record: Record) -> Path:
    """Return the suite's folder, as the user types it."""
    return Path(record.source.path if record.source else card_path(record)).parent


def _commit(commit: Commit) -> str:
    if not commit.commit:
        return "the working tree: not committed yet"
    who = f"{escape(commit.author)}: {escape(commit.summary)}"
    return f"{code(commit.commit)} of {commit.when[:10]}, {who}"


def _commands(need: Need, session: PastSession) -> Iterator[str]:
    """Yield what measures again, and what shows the two runs side by side."""
    records = [finding.record for finding in need.findings]
    yield rerun(records, whole_cards=len({record.node_id for record in records}) > _LINES)
    if need.cause.before:
        where = os.path.relpath(session.results)
        results = "" if where == "reports" else f" --results {shlex.quote(where)}"
        runs = shlex.join([need.cause.before.run, need.cause.first.run])
        yield f"sr-bench compare {runs}{results}"
