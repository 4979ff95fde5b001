"""Show all runs: a line for each in which something is news, and how many are in between."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sr_bench.core.trend import started
from sr_bench.history.calendar import News, RunRow
from sr_bench.report.terminal.tables import plain_table, stretches
from sr_bench.text.printable import some

_COLUMNS = ("when (UTC)", "run", "commit", "results", "news")
_NAMED = 3  # models, or causes


def calendar_lines(rows: Sequence[RunRow], *, limit: int) -> list[str]:
    """Return the lines that show `rows`, oldest first: the newest `limit` of them.

    A run without news, and with the results of the one before, is counted; but for the newest.
    """
    entries = [*_entries(rows)]
    hidden = len(entries) - limit
    older = [f"and {hidden} older: see them with --limit {len(entries)}"]
    cells = [line for entry in entries[-limit:] for line in entry]
    table = plain_table(_COLUMNS, cells, left=range(len(_COLUMNS)))
    return [*table, *(older if hidden > 0 else [])]


def _entries(rows: Sequence[RunRow]) -> Iterator[list[list[str]]]:
    """Yield the lines of each run, or the line of several."""
    quiet = [
        not row.news and row.complete and row.counts == before.counts
        for before, row in pairwise(rows)
    ]
    for row, *others in stretches(rows, [False, *quiet]):
        alike = ["...", f"{1 + len(others)} runs alike", "", "", ""]
        yield [alike] if others else [*_of_run(row)]


def _of_run(row: RunRow) -> Iterator[list[str]]:
    """Yield a line for each piece of news; the first names the run."""
    when, info = started(row.info), row.info
    run = info.run + ("" if row.complete else " (did not end)")
    first = [f"{when:%Y-%m-%d %H:%M}" if when else "-", run, info.environment.commit or "-"]
    news = [_told(item) for item in row.news] or [""]
    yield [*first, row.counts, news[0]]
    yield from (["", "", "", "", text] for text in news[1:])


def _told(news: News) -> str:
    printed = ["the document"] if len(news.claimed) > 1 else [str(c) for c in news.claimed]
    changed = some([*printed, *(change.brief for change in news.changed)], _NAMED)
    why = f" ({changed})" if changed else ""
    return f"{news.count} {news.what}: {some(news.models, _NAMED)}{why}"
