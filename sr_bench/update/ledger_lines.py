"""The ledger lines of an update: what changed, where the number is from, who wrote it and why."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sr_bench.core.card import KnownGap
from sr_bench.core.cell import CellKey
from sr_bench.core.fields import narrowed
from sr_bench.core.history import RunInfo
from sr_bench.core.update import Edit, GapRemoval
from sr_bench.history.ledger import LedgerLine


@dataclass(frozen=True)
class Provenance:
    """What all ledger lines of one update say alike."""

    ledger: Path
    """Paths in it are relative to its folder."""
    when: str
    """UTC, ISO 8601 to the second."""
    who: str
    reason: str
    info: RunInfo
    """Of the run that measured."""

    def lines(self, edits: Sequence[Edit], gaps: Sequence[GapRemoval]) -> Iterator[LedgerLine]:
        """Yield a line for each edit and each gap that left its card."""
        yield from (self._line(edit, edit.key, edit.old, edit.new) for edit in edits)
        yield from (self._line(gap, gap.gap, gap.gap.reason, "") for gap in gaps)

    def _line(
        self, change: Edit | GapRemoval, about: CellKey | KnownGap, old: str, new: str
    ) -> LedgerLine:
        place, record, environment = change.place, change.record, self.info.environment
        cell = about if isinstance(about, CellKey) else None
        # Relative to the ledger's folder: the ledger goes where the folder goes.
        document = os.path.relpath(Path(place.path).resolve(), self.ledger.parent)
        return narrowed(
            LedgerLine,
            record,
            kind="number" if cell else "known_gap",
            when=self.when,
            document=Path(document).as_posix(),
            line=place.line,
            column=place.column,
            row=cell.row if cell else record.model,
            row_source=cell.row_source if cell else "",
            backend_word=cell.backend if cell else "",
            precision=str(about.precision),
            dataset=about.dataset,
            metric=about.metric,
            old=old,
            new=new,
            reason=self.reason,
            who=self.who,
            commit=environment.commit,
            run=self.info.run,
            case=record.case_id,
            python=environment.python,
            packages=dict(environment.packages),
        )
