"""The pages of a document: texts beside it that print results of its rows again.

A page is a Markdown file that the document links to, or that lies in source_code/ beside it; or one
that is named with the document and has no table of results of its own.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sr_bench.document.tables import Document

_LINK: Final = re.compile(r"\]\(<?([^()\s<>#]{1,300}\.md)[#)>\s]", re.IGNORECASE)
_FOLDER: Final = "source_code"
_RUN: Final = re.compile(r"[^\W_]+")
_LONGEST: Final = 8  # parts of a label: real, esrgan, x4plus
HEADING: Final = re.compile(r"[ >]{0,9}#{1,6}[ \t]+(.*)")


@dataclass(frozen=True)
class Page:
    """A text that prints results, its own document's included."""

    document: Document
    own: bool = False
    """Whether it is the document itself, whose prose names all of its models."""

    @property
    def path(self) -> str:
        """As messages name it."""
        return self.document.path

    @cached_property
    def names(self) -> frozenset[str]:
        """The words of its file name and its first heading: one may be a source."""
        heading = next(filter(None, map(HEADING.match, self._lines)), None)
        title = heading[1] if heading and not self.own else ""
        name = "" if self.own else Path(self.path).stem
        return frozenset(_RUN.findall(f"{name} {title}".lower()))

    @cached_property
    def _lines(self) -> list[str]:
        return re.split(r"\r\n?|\n", self.document.text)

    def mentions(self, labels: Iterable[str]) -> list[tuple[int, str]]:
        """Return each line, from 1, that names one of `labels`, with that; not in tables."""
        wanted = {"".join(_RUN.findall(label.lower())): label for label in labels}
        begun = frozenset(text[:end] for text in wanted for end in range(1, len(text) + 1))
        lines = (
            (number, _RUN.findall(line.lower()))
            for number, line in enumerate(self._lines, 1)
            if not line.lstrip(" >").startswith("|")
        )
        return [
            (number, wanted[text]) for number, runs in lines for text in _found(runs, begun, wanted)
        ]


def linked_pages(document: Document) -> Iterator[Path]:
    """Yield the pages that lie below the folder of `document`, by its links and by their place."""
    path = Path(document.path)
    folder = path.parent
    names = (unquote(name).replace("\\", "/") for name in _LINK.findall(document.text))
    linked = (folder / name for name in names)
    beside = sorted((folder / _FOLDER).glob("*.md"))
    seen = {path.resolve()}
    for page in (*linked, *beside):
        with suppress(OSError, ValueError):  # no name that a file can have
            real = page.resolve()
            if real not in seen and real.is_relative_to(folder.resolve()) and page.is_file():
                seen.add(real)
                yield page


def owner(page: Path, documents: Sequence[Path]) -> Path | None:
    """Return the one of `documents` that a page named with them is of, by its name; or None.

    ``ecbsr-official.md`` is a page of ``ecbsr.md`` and of ``ecbsr/README.md``; of a single
    document any is.
    """
    if len(documents) == 1:
        return documents[0]
    words = _RUN.findall(page.stem.lower())
    stems = {
        path: path.parent.name if path.stem.lower() == "readme" else path.stem for path in documents
    }
    begun = [
        (len(parts), path)
        for path, stem in stems.items()
        if (parts := _RUN.findall(stem.lower())) and words[: len(parts)] == parts
    ]
    most = max((count for count, _ in begun), default=0)
    longest = [path for count, path in begun if count == most]
    return longest[0] if len(longest) == 1 else None


def _found(runs: Sequence[str], begun: Collection[str], wanted: Collection[str]) -> Iterator[str]:
    """Yield each of `wanted` that `runs` are when joined, the longest where several begin."""
    start = 0
    while start < len(runs):
        joined, found, after = "", "", start + 1
        for end, run in enumerate(runs[start : start + _LONGEST], start + 1):
            if (joined := joined + run) not in begun:
                break
            if joined in wanted:
                found, after = joined, end
        if found:
            yield found
        start = after
