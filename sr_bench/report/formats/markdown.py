"""For a README or an issue: the table of a paper in Markdown, its notes below."""

from sr_bench.core.history import PastSession
from sr_bench.report.markdown.escape import escape, table
from sr_bench.report.parts.paper import paper_table


def render(session: PastSession, source: str) -> str:
    """Return the measured values of `session` as a table in Markdown."""
    paper = paper_table(session, source)
    headers = zip(paper.groups, paper.titles, strict=True)
    names = [escape(f"{group} {title}".strip()) for group, title in headers]
    cells = [[*map(escape, column)] for column in zip(*paper.rows, strict=True)]
    notes = "\n".join(f"- {escape(note)}" for note in paper.notes)
    return f"{table(dict(zip(names, cells, strict=True)))}\n\n{notes}\n"
