"""Attach to each document the pages that print results of its rows again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sr_bench.lint.pages import linked_pages, owner
from sr_bench.lint.subject import Subject
from sr_bench.text.printable import counted


def attach_pages(subjects: Sequence[Subject], read: Callable[[Path], Subject]) -> list[Subject]:
    """Return the documents with their pages.

    A page that was named, and is no document of its own, is no longer among them.

    Args:
        subjects: All that were asked for.
        read: Reads the document at a path, without a card.
    """
    by_path = {_real(subject): subject for subject in subjects}
    pages = {
        path: {
            page.resolve(): by_path.get(page.resolve()) or read(page)
            for page in linked_pages(subject.document)
        }
        for path, subject in by_path.items()
        if subject.document and subject.entries
    }
    taken = {real for found in pages.values() for real in found}
    for real, subject in by_path.items():
        if real not in taken and subject.results and not _is_document(subject):
            if owning := owner(real, list(pages)):
                pages[owning][real] = subject
                taken.add(real)
    return [
        replace(subject, pages=tuple(pages.get(real, {}).values()))
        for real, subject in by_path.items()
        if _is_document(subject) or (subject.named and real not in taken)
    ]


def page_notices(subject: Subject) -> Iterator[str]:
    """Yield what was read of each page that prints results outside of tables."""
    for page in subject.pages:
        compared = subject.compared.get(page.path)
        if compared and compared.results:
            results = counted(compared.results, "result")
            yield (
                f"{page.path}: a page of {subject.path}: {results} printed in its text,"
                f" {compared.matched} of them of rows that can be told"
            )


def _is_document(subject: Subject) -> bool:
    """Tell whether there is something in a text that rules look at."""
    return bool(subject.entries or subject.printed or subject.faults or subject.card)


def _real(subject: Subject) -> Path:
    return Path(subject.path).resolve()
