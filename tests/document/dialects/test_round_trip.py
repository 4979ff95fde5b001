"""In every dialect: read, mirror, update one number, read again; no other byte changes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr_bench.document.claims import read
from sr_bench.document.mirror import mirror, replace_numbers
from sr_bench.document.tables import parse_document
from tests.reading import read_claims

Row = tuple[str, str, str]  # a model, its PSNR and its SSIM
HEADER: Row = ("Models", "PSNR(dB)", "SSIM")


def _pipes(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (HEADER, *rows)]
    return "\n".join([lines[0], "|:-:|--|-|", *lines[1:]])


def _html(rows: list[Row]) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in HEADER)
    body = [f"<tr>\n<td>{a}</td>\n  <td><b>{b}</b><td> {c}\n</tr>" for a, b, c in rows]
    return "\n".join([f'<table border="1"><tr>{head}</tr>', *body, "</table>"])


def _padded(rows: list[Row]) -> tuple[list[int], list[list[str]]]:
    """Return the widths of columns, and cells as wide; Chinese letters take two columns."""
    every = [HEADER, *rows]
    wide = [max(len(row[n].encode("gbk")) for row in every) for n in range(3)]
    cells = [
        [c + " " * (w - len(c.encode("gbk"))) for c, w in zip(row, wide, strict=True)]
        for row in every
    ]
    return wide, cells


def _grid(rows: list[Row]) -> str:
    wide, cells = _padded(rows)
    rule = "+" + "+".join("-" * (width + 2) for width in wide) + "+"
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([rule, lines[0], rule.replace("-", "="), *(f"{x}\n{rule}" for x in lines[1:])])


def _simple(rows: list[Row]) -> str:
    wide, cells = _padded(rows)
    rule = "  ".join("=" * width for width in wide)
    lines = ["  ".join(row).rstrip() for row in cells]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def _list(rows: list[Row]) -> str:
    items = (f"   * - {a}\n     - {b}\n     - {c}" for a, b, c in (HEADER, *rows))
    return "\n".join([".. list-table:: Results", "   :header-rows: 1\n", *items])


def _csv(rows: list[Row]) -> str:
    lines = (f'   "{a}", {b},"{c}"' for a, b, c in rows)
    return "\n".join([".. csv-table:: Results", f"   :header: {', '.join(HEADER)}\n", *lines])


def _yaml(rows: list[Row]) -> str:
    items = (f"  - {{Name: {a}, PSNR: '{b}', SSIM: {c}}} # {b}" for a, b, c in rows)
    return "\n".join(["Models:", *items])


DIALECTS = {
    "pipes": ("x.md", _pipes),
    "html in Markdown": ("x.md", _html),
    "html": ("x.html", _html),
    "grid": ("x.rst", _grid),
    "simple": ("x.rst", _simple),
    "list": ("x.rst", _list),
    "csv": ("x.rst", _csv),
    "yaml": ("x.yaml", _yaml),
}
DRAWN = ("grid", "simple")

_number = st.decimals(0, 99, places=2, allow_nan=False).map(str)
_rows = st.lists(st.tuples(_number, _number), min_size=1, max_size=4).map(
    lambda pairs: [(f"超net{n}_x2", a, b) for n, (a, b) in enumerate(pairs)]
)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    rows=_rows,
    new=_number | st.just("123456.789"),
    newline=st.sampled_from(["\n", "\r\n"]),
    bom=st.sampled_from(["", "\ufeff"]),
    data=st.data(),
)
def test_an_updated_number_is_all_that_changes(
    dialect: str, rows: list[Row], new: str, newline: str, bom: str, data: st.DataObject
) -> None:
    path, write = DIALECTS[dialect]
    table = write(rows).replace("\n", newline)
    text = f"{bom}{table}{newline}"
    document = parse_document(text, path)
    claims = read_claims(document)
    assert [(c.row, c.text) for c in claims] == [(r[0], x) for r in rows for x in r[1:]]
    own = {claim.source: claim.text for claim in claims}
    reading = read(document)
    assert replace_numbers(reading, own) == text
    assert mirror(reading, own) in table
    assert all(claim.text in mirror(reading, {}) for claim in claims)
    which = data.draw(st.integers(0, len(claims) - 1))
    claim = claims[which]
    changed = replace_numbers(reading, {claim.source: new})
    again = read_claims(parse_document(changed, path))
    assert [c.text for c in again] == [new if n == which else c.text for n, c in enumerate(claims)]
    place = _offset(text, claim.source.line, claim.source.column)
    expected = text[:place] + new + text[place + len(claim.text) :]
    # What draws a table may be longer, but the words are the same.
    shown = _words if dialect in DRAWN else str
    assert shown(changed) == shown(expected)


def _offset(text: str, line: int, column: int) -> int:
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + column - 1 + (line == 1 and text.startswith("\ufeff"))


def _words(text: str) -> list[str]:
    """Return the words of a drawn table, without what draws it."""
    return [word for word in re.split(r"[-=+|\s]+", text) if word]
