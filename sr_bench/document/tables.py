"""A document exactly as it is on disk, and its tables, whatever it is written in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final

from sr_bench.core.claim import Source
from sr_bench.core.ignored import Ignored
from sr_bench.core.told import ToldTable
from sr_bench.document.cell import Cell, Places
from sr_bench.document.dialects import html, markdown, rst, yaml_files
from sr_bench.document.grids import Grid
from sr_bench.errors import DocumentError
from sr_bench.files.toml import is_endless
from sr_bench.system.garbage import seldom_searched

_DIALECTS: Final = MappingProxyType[str, Callable[[Places], tuple[Grid, ...]]](
    {
        ".html": html.grids,
        ".htm": html.grids,
        ".rst": rst.grids,
        ".yaml": yaml_files.grids,
        ".yml": yaml_files.grids,
    }
)
"""By the suffix of a path; Markdown has any other."""


@dataclass(frozen=True)
class Document:
    """A text exactly as it is on disk, and its tables."""

    path: str
    """As messages and `Source` name it."""
    text: str
    """Byte order mark and line ends included: ``text.encode()`` is the file."""
    grids: tuple[Grid, ...]
    """All that a reader takes for a table, in the document's order."""
    told: tuple[ToldTable, ...] = ()
    """What its card says of those."""
    ignored: Ignored = field(default_factory=Ignored)
    """What its card leaves out."""

    def source(self, cell: Cell) -> Source:
        """Return the place of `cell` as claims name it."""
        return Source(self.path, cell.line, cell.column)


def read_document(path: Path) -> Document:
    """Read the document `path`, changing nothing about its bytes.

    Raises:
        DocumentError: The file can't be read, is not UTF-8, or breaks the rules of its dialect.
    """
    absolute, here = path.absolute(), Path.cwd()
    name = str(absolute.relative_to(here) if absolute.is_relative_to(here) else path)
    if is_endless(path):
        msg = f"{name}: expected a document, got a pipe or a device"
        raise DocumentError(msg)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # the latter: a NUL in the path
        msg = f"{name}: expected a document: {getattr(error, 'strerror', error)}"
        raise DocumentError(msg) from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{name}:{line}: expected UTF-8, got byte 0x{data[error.start]:02x}; save it as UTF-8"
        raise DocumentError(msg) from error
    return parse_document(text, name)


@seldom_searched()
def parse_document(text: str, path: str) -> Document:
    """Return the document that `text` is, in the dialect that the suffix of `path` names.

    Beside that, `path` only names it in messages and sources; anything but reStructuredText
    (``.rst``), YAML (``.yaml``, ``.yml``) and HTML (``.html``, ``.htm``) is Markdown.

    Raises:
        DocumentError: It is not YAML, where it should be.
    """
    grids = _DIALECTS.get(PurePath(path).suffix.lower(), markdown.grids)
    return Document(path, text, grids(Places(text, path)))
