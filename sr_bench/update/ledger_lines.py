"""The ledger lines of an update: what changed, where the number is from, who wrote it and why."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sr_bench.core.card import KnownGap
from sr_bench.core.cell import CellKey
from sr_bench.core.fields import narrowed
from sr_bench.core.history import SessionInfo
from sr_bench.core.update import Edit, GapRemoval
from sr_bench.history.git import user_name
from sr_bench.history.ledger import LedgerLine


def ledger_lines(
    edits: Sequence[Edit],
    gaps: Sequence[GapRemoval],
    *,
    ledger: Path,
    reason: str,
    info: SessionInfo,
) -> list[LedgerLine]:
    """Return a line of `ledger` for each edit, and for each gap that left its card.

    `info` is of the run that measured.
    """
    when, who = datetime.now(UTC).isoformat(timespec="seconds"), user_name(ledger.parent)
    line = partial(_line, ledger=ledger, when=when, who=who, reason=reason, info=info)
    return [
        *(line(edit, edit.key, edit.old, edit.new) for edit in edits),
        *(line(gap, gap.gap, gap.gap.reason, "") for gap in gaps),
    ]


def _line(
    change: Edit | GapRemoval,
    about: CellKey | KnownGap,
    old: str,
    new: str,
    *,
    ledger: Path,
    info: SessionInfo,
    **shared: str,
) -> LedgerLine:
    place, record, environment = change.place, change.record, info.environment
    cell = about if isinstance(about, CellKey) else None
    # Relative to the ledger's folder: the ledger goes where the folder goes.
    document = os.path.relpath(Path(place.path).resolve(), ledger.parent)
    return narrowed(
        LedgerLine,
        record,
        kind="number" if cell else "known_gap",
        **shared,
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
        commit=environment.commit,
        run=info.run,
        case=record.case_id,
        python=environment.python,
        packages=dict(environment.packages),
        scale=cell.scale if cell else 0,
        named_device=cell.device if cell else "",
        variant=cell.variant if cell else "",
    )
