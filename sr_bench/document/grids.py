"""All that a reader takes for a table: pipe tables, HTML tables, and pipes that make no table."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from markdown_it import MarkdownIt

from sr_bench.document.columns import Column, has_models, is_model_info, read_columns
from sr_bench.document.html_tables import html_tables
from sr_bench.document.inline import plain
from sr_bench.document.tables import Cell, Document, PipeTable, line_starts, split_row

_HTML: Final = "it is an HTML table; write it as a pipe table"
_SHAPELESS: Final = (
    "Markdown shows it as text: header and alignment row need equal numbers of cells, and a line of"
    " HTML a blank line after it"
)
_NO_MODELS: Final = "it has no column Models or Model, to whose rows claims belong; add one"
_NO_METRICS: Final = (
    "no header of it is that of a metric that is read, such as PSNR(dB) or Params(M)"
)
_HEADING: Final = re.compile(r"[ >]*#{1,6}[ \t]+(?P<text>.*)")
_ALIGNMENT: Final = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*(:?-+:?[ \t]*)?)+")
LONG: Final = 120
"""Characters; what is longer would hide what a message says of it."""
_RULE: Final = re.compile(r"^[ >]*(\+[-=:]+)+\+[ \t]*$")
_PIPED: Final = re.compile(r"[ >]*\|.*\|")


@dataclass(frozen=True)
class Grid:
    """Rows and columns as a reader sees them."""

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    line: int
    """1-based line of the header."""
    heading: str = ""
    """The heading above, without markup."""
    shapeless: str = ""
    """Why it is no pipe table; empty if it is one."""
    table: PipeTable | None = None
    """The pipe table that it is."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What each column holds."""
        return read_columns(self.header)

    @cached_property
    def fault(self) -> str:
        """Why no row can be read; empty for a model-info table."""
        if self.shapeless or is_model_info(self.columns):
            return self.shapeless
        return _NO_METRICS if has_models(self.columns) else _NO_MODELS

    @cached_property
    def title(self) -> str:
        """The header row without markup: ``Method | Set5 | Set14``; may be empty."""
        texts = [cell.plain for cell in self.header]
        return " | ".join(texts) if any(texts) else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All that a card may call it, the best one for a message first."""
        names = filter(None, (self.title, self.heading, f"line {self.line}"))
        return tuple(sorted(names, key=lambda name: len(name) > LONG))


def grids(document: Document) -> tuple[Grid, ...]:
    """Return what looks like a table in `document`, by line; code blocks and comments are none."""
    text = _without_comments(document.text)
    fenced, indented = _code(text)
    lines = _emptied(text, fenced)
    found = [Grid(t.header, t.rows, t.line, table=t) for t in document.tables]
    taken = {number for grid in found for number in _lines_of(grid)} | fenced | indented
    found += _pipes(text, lines, taken)
    found += (
        # Without cells of headers the first row may print numbers.
        Grid(html.rows[0], html.rows[html.headed :], html.line, shapeless=_HTML)
        for html in html_tables(text, lines)
    )
    found.sort(key=lambda grid: grid.line)
    headings = {n: m["text"] for n, line in enumerate(lines, 1) if (m := _HEADING.match(line))}
    starts = [0, *headings]
    above = (starts[bisect_left(starts, grid.line) - 1] for grid in found)
    texts = (headings.get(number, "").rstrip(" \t#") for number in above)
    return tuple(replace(g, heading=plain(text)) for g, text in zip(found, texts, strict=True))


def _lines_of(grid: Grid) -> range:
    last = grid.table.row_lines[-1] if grid.table and grid.table.row_lines else grid.line + 1
    return range(grid.line, last + 1)


def _without_comments(text: str) -> str:
    """Return `text` with blanks for what stands in HTML comments; places stay as they are."""
    parts, end = [], 0
    while (start := text.find("<!--", end)) >= 0 and (close := text.find("-->", start)) >= 0:
        parts += [text[end:start], re.sub(r"[^\r\n]", " ", text[start : close + 3])]
        end = close + 3
    return "".join([*parts, text[end:]])


def _code(text: str) -> tuple[set[int], set[int]]:
    """Return the 1-based lines of fenced and of indented code."""
    fenced: set[int] = set()
    indented: set[int] = set()
    # Without tables: each cell that a row lacks would have its tokens.
    parser = MarkdownIt("commonmark").disable("inline")
    for token in parser.parse("\n".join(_lines(text))):
        if token.type in ("fence", "code_block") and token.map:
            kind = fenced if token.type == "fence" else indented
            kind.update(range(token.map[0] + 1, token.map[1] + 1))
    return fenced, indented


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))


def _emptied(text: str, numbers: set[int]) -> list[str]:
    # The rules of a grid table (+---+===+) part cells as pipes and dashes do.
    lines = (_RULE.sub(_piped, line) for line in _lines(text))
    return ["" if n in numbers else line for n, line in enumerate(lines, 1)]


def _piped(rule: re.Match[str]) -> str:
    return rule[0].translate(str.maketrans("+=", "|-"))


def _pipes(text: str, lines: Sequence[str], taken: set[int]) -> Iterator[Grid]:
    """Yield each block of lines that look like a table's, and that Markdown shows as text."""
    starts = line_starts(text)
    block: list[int] = []
    for number, line in enumerate([*lines, ""], 1):
        begins = _PIPED.match(line) or _is_alignment("".join(lines[number : number + 1]))
        if number not in taken and "|" in line and (block or begins):
            block.append(number)
            continue
        rows = [
            split_row(text, starts[n - 1], (0, len(lines[n - 1])), n)
            for n in block
            if not _is_alignment(lines[n - 1])
        ]
        if len(block) > 1 and rows:
            yield Grid(rows[0], tuple(rows[1:]), block[0], shapeless=_SHAPELESS)
        block = []


def _is_alignment(line: str) -> bool:
    return bool(_ALIGNMENT.fullmatch(line.strip(" >\t")))
