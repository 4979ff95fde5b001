"""For a paper: a table in LaTeX, with the rules of the package booktabs and the notes below."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from sr_bench.core.history import PastSession
from sr_bench.report.parts.paper import PaperTable, paper_table

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

# So that any LaTeX sets them, with any font.
_SIGNS = str.maketrans(
    {
        "×": r"$\times$",  # noqa: RUF001
        "†": r"$^\dagger$",
        "‡": r"$^\ddagger$",
        "§": r"$^\S$",
        "↓": r"$\downarrow$",
    }
)
_LABELS = 2  # columns of text before those of values
_NOTE = r"p{0.95\linewidth}"


def render(session: PastSession, source: str) -> str:
    """Return the measured values of `session` and their notes, to stand in a ``table``."""
    paper = paper_table(session, source)
    columns = pd.Index(paper.titles)
    if any(paper.groups):
        columns = pd.MultiIndex.from_arrays((paper.groups, paper.titles))
    frame = pd.DataFrame(list(paper.rows)).set_axis(columns, axis="columns")
    style = frame.style.format_index(escape="latex", axis="columns")
    aligned = "l" * _LABELS + "r" * (len(paper.titles) - _LABELS)
    table = _tabular(style, column_format=aligned, hrules=True)
    if rules := _rules(paper):
        table = table.replace("\\\\\n", f"\\\\\n{rules}\n", 1)  # below the row of datasets
    notes = pd.DataFrame(list(paper.notes)).style.hide(axis="columns")
    text = (
        "% \\usepackage{booktabs}\n"
        f"{table}\n"
        f"{{\\footnotesize\n{_tabular(notes, column_format=_NOTE)}}}\n"
    )
    return text.replace(" .. ", "--").translate(_SIGNS)


def _tabular(style: "Styler", **layout: Any) -> str:
    style = style.hide(axis="index").format(escape="latex")
    return str(style.to_latex(multicol_align="c", **layout))


def _rules(paper: PaperTable) -> str:
    """Return a rule below the name of each dataset, as wide as its columns."""
    rules = []
    for group, members in groupby(range(len(paper.groups)), paper.groups.__getitem__):
        columns = [member + 1 for member in members]
        rules += [f"\\cmidrule(lr){{{columns[0]}-{columns[-1]}}}"] if group else []
    return " ".join(rules)
