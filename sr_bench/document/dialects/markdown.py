"""All tables of a Markdown text: pipe tables, HTML tables, and pipes that make no table."""

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final

from sr_bench.document.cell import BOM, Places
from sr_bench.document.dialects import yaml_files
from sr_bench.document.dialects.html import blanked, html_tables, without_comments
from sr_bench.document.dialects.pipes import blocks, split_row
from sr_bench.document.grids import Grid, Outline
from sr_bench.document.inline import plain
from sr_bench.errors import DocumentError

_SHAPELESS: Final = (
    "Markdown shows it as text: header and alignment row need equal numbers of cells, and a line of"
    " HTML a blank line after it"
)
_HEADING: Final = re.compile(
    r"[ >]*(?P<marks>#(?=[ \t])|#{2,6}(?!#))[ \t]*(?P<text>.*)"
    r"|[ >]*<h(?P<level>[1-6])\b[^>]*>(?P<html>.*)",
    re.IGNORECASE,
)
_UNDERLINE: Final = re.compile(r"[ ]{0,3}(=+|-{3,})[ \t]*")
_ALIGNMENT: Final = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*(:?-+:?[ \t]*)?)+")
_RULE: Final = re.compile(r"^[ >]*(\+[-=:]+)+\+[ \t]*$")
_PIPED: Final = re.compile(r"[ >]*\|.*\|")
_MARKER: Final = re.compile(r"[ >]*(?:[-*+]|\d{1,9}[.)])?[ \t]+|[ >]*")
_ITEM: Final = re.compile(r"[ >]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?P<text>\S[^|]{0,100})$")
_NOTE: Final = re.compile(r"[*†‡§]|note\b|注", re.IGNORECASE)
_END: Final = r"(?:---|\.\.\.)"
_FRONT: Final = re.compile(
    rf"{BOM}?---[ \t]*\r?\n(?=(?P<text>[^\n]*\n(?:(?!{_END})[^\n]*\n)*){_END}[ \t]*\r?$)",
    re.MULTILINE,
)
"""What a model card says above its text."""
_INDEX_KEY: Final = "model-index"
_INDEX: Final = re.compile(rf"""["']?{_INDEX_KEY}["']?[ \t]*:""")
_FAR: Final = 3
"""Lines between a caption and its table: blank ones, and tags such as ``<div>``."""
_LONGEST_CAPTION: Final = 300


def grids(places: Places) -> tuple[Grid, ...]:
    """Return what looks like a table, by line; code blocks and comments are none."""
    text = without_comments(places.text)
    shown = blocks(places)
    lines = _emptied(text, shown.fenced)
    found = list(shown.tables)
    taken = _lines_of(found)
    found += _pipes(places, lines, taken | shown.fenced | shown.indented)
    found += html_tables(blanked(text, places, taken | shown.fenced), places)
    found.sort(key=lambda grid: grid.line)
    headings = _headings(lines, taken)
    taken |= _lines_of(found)
    starts = [0, *headings]
    above = (starts[bisect_left(starts, grid.line) - 1] for grid in found)
    return _of_model_index(places) + tuple(
        replace(
            grid,
            heading=headings.get(number, ("",))[0],
            sections=headings.get(number, ())[1:],
            caption=grid.caption or _caption(lines, grid.line, headings, taken),
        )
        for grid, number in zip(found, above, strict=True)
    )


def _of_model_index(places: Places) -> tuple[Grid, ...]:
    """Return the results in the YAML above the text of a model card; its lines if it is no YAML."""
    front = _FRONT.match(places.text)
    if not (front and _INDEX.search(front["text"])):
        return ()
    try:
        return yaml_files.grids(Places(places.text[: front.end("text")], places.path), _INDEX_KEY)
    except DocumentError as error:
        lines = [*enumerate(places.lines[: places.text.count("\n", 0, front.end("text"))], 1)]
        ends = [places.starts[number - 1] + len(line) for number, line in lines]
        rows = tuple(
            (places.cell(end - len(line.rpartition(":")[2]), end),)
            for end, (_, line) in zip(ends, lines, strict=True)
        )
        numbers = tuple(number for number, _ in lines)
        return (Grid((), rows, 1, len(lines), numbers, shapeless=str(error)),)


def _lines_of(found: Iterable[Grid]) -> set[int]:
    return {number for grid in found for number in range(grid.line, grid.last_line + 1)}


def _headings(lines: Sequence[str], taken: set[int]) -> Mapping[int, tuple[str, ...]]:
    """Return each heading and those that it stands below, without markup, by its 1-based line."""
    found, outline = {}, Outline()
    for number, line in enumerate(lines, 1):
        below = lines[number] if number < len(lines) else ""
        above = lines[number - 2] if number > 1 else ""
        if match := _HEADING.match(line):
            text = plain((match["text"] or match["html"] or "").rstrip(" \t#"))
            level = int(match["level"] or len(match["marks"] or ""))
            found[number] = outline.begin(level, text)
        elif line.strip() and not above.strip() and number not in taken and "|" not in line:
            if _UNDERLINE.fullmatch(below) and not _UNDERLINE.fullmatch(line):
                found[number] = outline.begin(1 if "=" in below else 2, plain(line))
    return found


def _caption(lines: Sequence[str], line: int, headings: Container[int], taken: set[int]) -> str:
    """Return the single line of text above the 1-based `line`, without markup; or nothing.

    A line of a list with one below it that continues it is one: ``- fp16`` over ``Dataset: Set5``.
    """
    for number in range(line - 1, max(0, line - 2 - _FAR), -1):
        source = lines[number - 1]
        if number in taken or number in headings or "|" in source or len(source) > _LONGEST_CAPTION:
            return ""
        text = plain(source[_MARKER.match(source).end() :])  # type: ignore[union-attr]
        if text:
            above = lines[number - 2] if number > 1 else ""
            if _ITEM.match(source):
                above = ""  # it begins a paragraph
            elif item := _ITEM.match(above):
                text, number = f"{plain(item['text'])} {text}", number - 1
                above = lines[number - 2] if number > 1 else ""
            alone = number - 1 in headings or number - 1 in taken or not plain(above[:200])
            return text if alone and not _NOTE.match(text) and not _UNDERLINE.match(text) else ""
    return ""


def _emptied(text: str, numbers: Set[int]) -> list[str]:
    # The rules of a grid table (+---+===+) part cells as pipes and dashes do.
    piped = str.maketrans("+=", "|-")
    lines = (_RULE.sub(lambda rule: rule[0].translate(piped), line) for line in Places(text).lines)
    return ["" if n in numbers else line for n, line in enumerate(lines, 1)]


def _pipes(places: Places, lines: Sequence[str], taken: set[int]) -> Iterator[Grid]:
    """Yield each block of lines that look like a table's, and that Markdown shows as text."""
    block: list[int] = []
    for number, line in enumerate([*lines, ""], 1):
        begins = _PIPED.match(line) or _is_alignment("".join(lines[number : number + 1]))
        if number not in taken and "|" in line and (block or begins):
            block.append(number)
            continue
        numbers = [n for n in block if not _is_alignment(lines[n - 1])]
        rows = [split_row(places, n) for n in numbers]
        if len(block) > 1 and rows:
            where = (block[0], block[-1], tuple(numbers[1:]))
            yield Grid((rows[0],), tuple(rows[1:]), *where, shapeless=_SHAPELESS)
        block = []


def _is_alignment(line: str) -> bool:
    return bool(_ALIGNMENT.fullmatch(line.strip(" >\t")))
