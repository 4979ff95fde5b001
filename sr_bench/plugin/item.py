"""An item: a case as a test function that measures, judges, and says it in pytest's words."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from sr_bench.core.case import Case
from sr_bench.core.record import Record, Status
from sr_bench.plugin.markers import marks
from sr_bench.plugin.names import item_name
from sr_bench.plugin.outcome import answered, asked
from sr_bench.plugin.session import SESSION
from sr_bench.report.terminal.failure import failure_text
from sr_bench.text.printable import printable


class CaseItem(pytest.Function):
    """One case as a test function: fixtures, marks and reports work on it as on any other."""

    case: Case
    record: Record | None = None
    """Set once the item ran."""

    @classmethod
    def of(cls, parent: pytest.File, case: Case, body: Callable[..., None]) -> "CaseItem":
        """Return the item that runs `body` for `case`, with a mark for all it is selected by."""
        item: CaseItem = cls.from_parent(parent, name=item_name(case), callobj=body)
        item.case = case
        item.user_properties += asked(case)
        for name in marks(case):
            item.add_marker(getattr(pytest.mark, name))
        if case.run_key and item.config.pluginmanager.hasplugin("xdist"):
            # With --dist=loadgroup one worker gets all items that one inference run answers.
            item.add_marker(pytest.mark.xdist_group(case.run_key))
        return item

    @property
    def typed_id(self) -> str:
        """The node id as one types it where pytest was started, which need not be its root."""
        start, root = self.config.invocation_params.dir, self.config.rootpath
        if start == root or start.anchor != root.anchor:  # no path leads to another drive
            return self.nodeid
        card, _, name = self.nodeid.partition("::")
        return f"{Path(os.path.relpath(root / card, start)).as_posix()}::{name}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the number stands, its line from 0, and the item's name."""
        if self.case.place:
            return Path(self.case.place.path), self.case.place.line - 1, self.name
        return self.path, 0, self.name

    def conclude(self, record: Record) -> None:
        """Keep `record`, report it to JUnit, and end as its verdict demands."""
        self.record = record
        self.user_properties += answered(record)
        selection = self.config.stash[SESSION].settings.selection
        _end(record, allow_better=selection.allow_better, warn_of_loss=selection.gate == "warn")


def check_claim(request: pytest.FixtureRequest) -> None:
    """Measure the item's case and end as its verdict demands."""
    item = cast(CaseItem, request.node)
    item.conclude(item.config.stash[SESSION].evaluate(item.case, item.typed_id))


class GateWarning(pytest.PytestWarning):
    """A low precision loses more than its card allows, and ``--sr-gate=warn`` lets it pass."""


def _end(record: Record, *, allow_better: bool, warn_of_loss: bool) -> None:
    """Pass, skip, xfail or fail as the status of `record` demands."""
    status, sentence = record.verdict.status, printable(record.verdict.sentence)
    if status in (Status.NOT_RUN, Status.UNDECIDED):
        pytest.skip(sentence)
    if status is Status.LOSS and warn_of_loss:
        warnings.warn(GateWarning(f"{record.case_id}: {sentence}"), stacklevel=1)
        return
    if status is Status.KNOWN_GAP:
        pytest.xfail(sentence)
    stale = status is Status.BETTER and not allow_better
    if stale or status in (Status.DIFFERS, Status.GAP_CLOSED, Status.ERROR, Status.LOSS):
        pytest.fail(failure_text(record), pytrace=False)
