"""A session's time budget: when a run has told enough, and what earlier runs it is paired with."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sr_bench.core.case import GATE_METRIC, Case
from sr_bench.core.history import PastRun
from sr_bench.core.record import Record
from sr_bench.engine.job import Enough, ImageResult, never_enough
from sr_bench.engine.judge.early import Ask, look_at_claim, planned_looks
from sr_bench.engine.measure.baseline import baseline_of
from sr_bench.engine.measure.job_results import JobResults
from sr_bench.errors import SrBenchError
from sr_bench.history.index import read_history
from sr_bench.history.store import read_run


@dataclass
class Budget:
    """What is left of a session's time, and what its runs are asked.

    Args:
        until: When it is used up, in seconds since the epoch.
        results: The results folder, where earlier runs are; None: there are none.
    """

    until: float
    results: Path | None
    _asked: dict[tuple[Path, str], list[Case]] = field(default_factory=dict)

    def ask(self, cases: Sequence[Case]) -> None:
        """Take in the cases of the session."""
        for case in cases:
            self._asked.setdefault((case.card.folder, case.run_key), []).append(case)

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return time.time() >= self.until

    def decides(
        self, case: Case, inputs: Mapping[str, str], planned: int, gate: Ask | None
    ) -> Enough:
        """Return what tells whether results answer all cases of the run of `case`.

        Args:
            case: One of them.
            inputs: Of the run.
            planned: Number of all images.
            gate: Looks at the run's gate, if it has one.
        """
        asks: list[Ask] = []
        for one in self._asked.get((case.card.folder, case.run_key), ()):
            found = gate if one.metric == GATE_METRIC else self._claim_ask(one, inputs, planned)
            if found is None:
                return never_enough
            asks.append(found)
        return lambda results: bool(asks) and all(ask(results).decided != "open" for ask in asks)

    def _claim_ask(self, case: Case, inputs: Mapping[str, str], planned: int) -> Ask | None:
        """Return what looks at the claim of `case`; None if nothing short of all images will do."""
        claim = case.claim
        slug = case.evaluation.dataset if case.evaluation else ""
        # Only a whole run may close a known gap; without a claim there is nothing to decide.
        if claim is None or case.card.gap_for(case.metric, case.precision, slug):
            return None
        baseline = self.baseline(case, inputs)
        tolerance = case.card.tolerance_for(case.metric, case.precision)
        return lambda results: look_at_claim(claim, tolerance, results, baseline, planned)

    def baseline(self, case: Case, inputs: Mapping[str, str]) -> Mapping[str, float] | None:
        """Return an earlier value of each image of `case`; None if there is no whole record."""
        return baseline_of(case, self._past.records(), inputs)

    @cached_property
    def _past(self) -> "_Reread":
        return _Reread(earlier_runs(self.results) if self.results else iter(()))


def earlier_runs(results: Path) -> Iterator[PastRun]:
    """Yield the runs whose files are in the folder `results`, newest first.

    What can't be read is passed over: whoever asks for history is told of it.
    """
    for path in sorted(read_history(results).files, key=lambda file: file.name, reverse=True):
        with suppress(SrBenchError):
            yield read_run(path)


class _Reread:
    """Runs that are read once, as far as anybody asked."""

    def __init__(self, unread: Iterator[PastRun]) -> None:
        self._unread = unread
        self._read: list[PastRun] = []

    def records(self) -> Iterator[Record]:
        for run in self._read:
            yield from run.records
        for run in self._unread:
            self._read.append(run)
            yield from run.records


class Drawn:
    """The results of a run in the order of measuring, up to the first image that has none.

    Args:
        results: Of the run.
        order: The numbers of its images, in the order of measuring.
        missing: Those of them without a result, in this order.
        budget: Of the session.
        decide: Tells whether the results answer what the run is asked.
    """

    def __init__(
        self,
        results: JobResults,
        order: Sequence[int],
        missing: Sequence[int],
        budget: Budget,
        decide: Enough,
    ) -> None:
        self._results = results
        self._order = order
        self._budget = budget
        self._decide = decide
        places = {index: place for place, index in enumerate(order)}
        self._lengths = [*(places[index] for index in missing), len(order)]
        self._count = 0

    @property
    def indices(self) -> Sequence[int]:
        """The images that have a result, in the order of measuring."""
        return self._order[: self._count]

    def suffice(self, measured: Sequence[ImageResult]) -> bool:
        """Tell whether the run ends once the first missing images are `measured`.

        A look is due only at certain numbers of images: so no result depends on which thread was
        faster.
        """
        before, self._count = self._count, self._lengths[len(measured)]
        for size in planned_looks(len(self._order)):
            if before < size <= self._count and self._decide(self._results.of(self._order[:size])):
                self._count = size  # what more is kept already does not count
                return True
        return self._budget.is_over
