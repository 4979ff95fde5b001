"""Say where a number of a document is from: by its ledger, else git, else nothing is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sr_bench.document.claims import MetricCell
from sr_bench.history.git import Commit, last_commit
from sr_bench.history.ledger import Ledger, LedgerLine


@dataclass(frozen=True)
class Origin:
    """Where the number in one cell is from."""

    cell: MetricCell
    written: LedgerLine | None
    """The ledger's newest line about it."""
    commit: Commit | None
    """Of the document's line; None if the ledger knows the number, or outside of git."""

    @property
    def edited(self) -> bool:
        """Whether somebody changed the number by hand since the ledger's line was written."""
        return self.written is not None and self.written.new != self.cell.text


def origin(document: Path, cell: MetricCell, ledger: Ledger) -> Origin:
    """Return where the number in `cell` of `document` is from."""
    written = ledger.newest(document.resolve().name, cell.key)
    by_hand = written is None or written.new != cell.text
    return Origin(cell, written, last_commit(document, cell.source.line) if by_hand else None)


def origin_lines(origin: Origin) -> Iterator[str]:
    """Yield `origin` as lines of text, the first with the place and the number."""
    cell, written, commit = origin.cell, origin.written, origin.commit
    yield f"{cell.source}: {cell.key}: {cell.text}"
    if written:
        if origin.edited:
            yield f"  edited by hand since: the ledger wrote {written.new}"
        yield f"  was {written.old} until {written.when}, when {written.who} updated it"
        yield f"  because: {written.reason}"
        device = f" ({written.device})" if written.device else ""
        yield f"  measured by run {written.run}, {written.backend}{device}, python {written.python}"
        yield f"  fingerprint {written.fingerprint or '-'}, commit {written.commit or '-'}"
    if commit:
        named = f"commit {commit.commit} of {commit.when}, {commit.author}: {commit.summary}"
        place = named if commit.commit else "the working tree: not committed yet"
        yield f"  last changed in {place}"
    if not written and not commit:
        yield "  no record: neither the ledger nor git knows where it is from"
