"""Markdown that nobody wrote with care is read, or refused in words; nothing else happens."""

import re
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sr_bench.document.cell import Cell
from sr_bench.document.claims import metric_cells, nearest_number, read
from sr_bench.document.inline import plain, split_emphasis
from sr_bench.document.labels import read_label
from sr_bench.document.mirror import format_like, mirror
from sr_bench.document.phrases import read_phrase
from sr_bench.document.spelling import has_number
from sr_bench.document.splice import splice_cells
from sr_bench.document.tables import Document, parse_document, read_document
from sr_bench.errors import DocumentError
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed
from tests.fuzz.inputs import NUMBERS, ROOT, odd_text
from tests.reading import read_claims

SHIPPED = tuple(path.read_bytes() for path in sorted(ROOT.glob("suites/*/README.md")))
assert SHIPPED

_HEADERS = (
    *("Models", "Model", "PSNR(dB)", "PSNR", "SSIM", "Flops(G)", "Params（M）", "Source", "Shape"),  # noqa: RUF001
    *("Dataset", "", "**Model**", "psnr (dB)"),
)
_LABELS = (
    *("EDSR", "EDSR **vacc fp16**", "EDSR vacc int8 max", "EDSR int8", "**EDSR**", "a fp16 fp16"),
    *("EDSR **vacc-emulated percentile int8**", "[EDSR](https://example.org)", "max", "a " * 40),
)
_PREFIXES = ("", "", "", "> ", "- ", "1. ", "    ", "> > - ", ">" * 60, "\t", "```\n", "<!--\n")
_BREAKS = ("\n", "\n", "\n", "\r\n", "\r", "\n\n")
_ALIGNMENTS = (":-:", "---", "-", ":--", "", "x")

cell = st.sampled_from(_LABELS) | st.sampled_from(NUMBERS) | odd_text.map(lambda t: t[:300])


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Return what looks like a table, often a model-info table, with a prefix to each line."""
    width = draw(st.sampled_from((1, 2, 2, 3, 3, 4, 60)))
    header = [draw(st.sampled_from(_HEADERS) | odd_text) for _ in range(min(width, 6))]
    header += ["x"] * (width - len(header))
    alignment = [draw(st.sampled_from(_ALIGNMENTS)) if draw(st.booleans()) else "-"] * width
    rows = []
    for _ in range(draw(st.integers(0, 5))):
        row = [draw(st.sampled_from(_LABELS) | cell)] + ["32.1"] * (width - 1)
        if draw(st.booleans()):
            row[draw(st.integers(0, width - 1))] = draw(cell)
        rows += [row[: draw(st.sampled_from((width, width, width, 1)))]]
    prefix, end = draw(st.sampled_from(_PREFIXES)), draw(st.sampled_from(_BREAKS))
    lines = ["| " + " | ".join(line) + " |" for line in (header, alignment, *rows)]
    return "".join(f"{prefix}{line}{end}" for line in lines)


documents = st.lists(
    tables() | odd_text | st.sampled_from(("\n", "\n\n", "# h\n", "\ufeff", "[a]: x\n" * 50)),
    max_size=4,
).map("".join)


def _assert_cells_are_where_they_say(document: Document) -> None:
    for table in document.grids:
        for cell in table.cells:
            assert document.text[cell.start : cell.end] == cell.text


def _prints(cell: Cell) -> bool:
    """Tell whether `cell` holds a digit that is no word's, as that of fp16 is."""
    return has_number(cell.plain) and read_phrase(cell.plain).rest != ""


def _use(document: Document) -> None:
    """Do with `document` all that the project does with documents."""
    _assert_cells_are_where_they_say(document)
    with suppress(DocumentError):
        reading = read(document)
        cells = metric_cells(reading)
        for cell in cells:
            nearest_number(cells, cell)
        claims = read_claims(document)
        for claim in claims:
            assert claim.value == claim.value
            assert claim.half_step >= 0
            format_like(claim.text, claim.value, digits="truncated")
        assert sum(not one.fault for one in reading.printed) == len(claims)
        named = {one.source.line for one in reading.printed}
        for layout in (layout for layout in reading.layouts if layout.is_read):
            for below in layout.body.rows:
                metrics = zip(layout.columns, below, strict=False)
                with_digit = (c for column, c in metrics if column.holds_numbers and _prints(c))
                assert {cell.line for cell in with_digit} <= named
        shown = mirror(reading, {claim.source: claim.text for claim in claims})
        # Only between tables there may be more line ends than the document has.
        lines = re.split(r"\r\n?|\n", document.text.removeprefix("\ufeff"))
        assert set(re.split(r"\r\n?|\n", shown)) <= {"", *lines}


@fuzzed
@given(documents)
def test_any_markdown_is_read_or_refused(text: str) -> None:
    _use(parse_document(text, "x.md"))


@fuzzed
@given(broken(*SHIPPED))
def test_shipped_documents_with_broken_bytes_are_read_or_refused(
    tmp_path: Path, data: bytes
) -> None:
    with suppress(DocumentError):
        _use(read_document(fresh(tmp_path, "README.md", data)))


@fuzzed
@given(odd_text | cell)
def test_any_label_is_read_or_refused(text: str) -> None:
    assert plain(text) == " ".join(plain(text).split())
    split_emphasis(text)
    with suppress(DocumentError):
        assert read_label(text, where="x.md:1:1").model


@fuzzed
@given(documents, odd_text, st.integers(0, 99))
def test_an_edit_changes_its_cell_and_nothing_else_or_is_refused(
    text: str, new: str, which: int
) -> None:
    document = parse_document(text, "x.md")
    cells = [cell for grid in document.grids for cell in grid.cells]
    if cells:
        cell = cells[which % len(cells)]
        with suppress(DocumentError):
            assert (
                splice_cells(document, {cell: new}) == text[: cell.start] + new + text[cell.end :]
            )
