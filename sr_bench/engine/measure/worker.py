"""The work of a run: images through a network, wherever it is done; results go to who asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar, cast

from sr_bench.core.backend import Artefact, BackendInfo, BatchSession, Session
from sr_bench.engine.job import Computes, Done, ImageResult, Job, Progress
from sr_bench.engine.measure.fitted import fitted
from sr_bench.engine.measure.fp32_outputs import Outputs, Remembered
from sr_bench.engine.measure.in_batches import run_batched
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.kept_pairs import kept_pairs
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.engine.measure.recording import Recorded, start_recording
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.network import Prepared
from sr_bench.system.cpu import cpu_model

T = TypeVar("T")

Begin = Callable[[str, Mapping[str, str]], None]
"""Told what computes, and what it says of how it does: before the first result, and at the end."""


@dataclass(frozen=True)
class Work:
    """All that one run is made from; another process can do it too."""

    job: Job
    prepared: Prepared
    reference: Prepared | None = None
    """The network in fp32, with whose outputs those of a low precision are compared."""
    remembered: bool = False
    """Whether the outputs will be compared with those of low precisions."""
    keeper: Keeper | None = None
    """Keeps the images of the run."""

    def with_progress(self, progress: Progress) -> "Work":
        """Return the same work, whose calibration reports to `progress`."""
        full = self.reference
        return replace(
            self,
            prepared=self.prepared.with_progress(progress),
            reference=full.with_progress(progress) if full else None,
        )


Planned = tuple[Work, Sequence[int]]
"""A work that will be asked for, and the numbers of its images."""


class Executor(Protocol):
    """Where images are measured: in this process, in a child process, or on a cluster."""

    info: BackendInfo
    """What the backend says about itself there."""

    cpu: str
    """The processor there, on which digits may depend."""

    def start(self, planned: Iterable[Planned]) -> None:
        """Take in what will be asked for; who does it only then need not look at it."""

    def measure(
        self, work: Work, indices: Sequence[int], *, begin: Begin, done: Done, progress: Progress
    ) -> None:
        """Measure the images `indices` of `work`, in that order.

        Raises:
            SrBenchError: The network can't be opened, or an image not be measured.
        """

    def call(self, function: Callable[..., T], work: Work, *args: object, progress: Progress) -> T:
        """Return ``function(worker, work, *args, progress=progress)`` by a `Worker` there.

        It is a module's `function`, so that another process finds it.

        Raises:
            SrBenchError: It failed.
        """

    def close(self) -> None:
        """End what still runs."""


class Worker:
    """Opens networks on one backend and keeps what several runs share: pairs, and fp32 outputs.

    Args:
        selection: The session's options.

    Raises:
        SrBenchError: The backend can't be used as the options ask, or its outputs not recorded.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self.info: BackendInfo = selection.described()  # first: what can't be used records nothing
        self.cpu = cpu_model()
        self._recorder = start_recording(selection.record, self.info) if selection.record else None
        self._pairs = PairCache(kept=kept_pairs(selection))  # shared by all runs of the process
        self._outputs = Outputs()

    def start(self, planned: Iterable[Planned]) -> None:
        """Do nothing: the work is done when it is asked for."""

    def close(self) -> None:
        """Do nothing: all that is open is closed with its run."""

    def open(self, prepared: Prepared) -> Session:
        """Open what `prepared` describes; record it if that is asked."""
        artefact = prepared.artefact()
        session = self.open_artefact(artefact, prepared)
        if self._recorder is None or prepared.is_further_reading:
            return session
        return Recorded(session, artefact, self._recorder)

    def lend(self, prepared: Prepared) -> AbstractContextManager[Session]:
        """Return what gives the session of `prepared` for one run."""
        return self.open(prepared)  # others lend what stays open between runs

    def open_artefact(self, artefact: Artefact, prepared: Prepared, threads: int = 0) -> Session:
        """Open `artefact`, made from `prepared`, so that it takes whole images.

        It computes with `threads`; 0: with as many as the options say.
        """
        chosen = self._selection
        opened: Session = chosen.backend_module.open_session(
            artefact, threads=threads or chosen.session_threads, options=chosen.backend_options
        )
        if self.info.replays:  # whole images were recorded
            return opened
        return fitted(opened, prepared.reads, prepared.card.network_scale)

    def measure(
        self, work: Work, indices: Sequence[int], *, begin: Begin, done: Done, progress: Progress
    ) -> None:
        """Measure the images `indices` of `work`; see `Executor`."""
        prepared, job, keeper = work.prepared, work.job, work.keeper
        with ExitStack() as opened:  # of the fp32 network too, which may never open
            session = opened.enter_context(self.lend(prepared))
            plan = prepared.plan_notes()  # once it is open: that makes the file
            begin(session.device, {**plan, **session.notes})
            self._runner(work, session, opened)(
                pairs=self._pairs,
                threads=self._selection.threads,
                progress=progress,
                keep=partial(keeper.keep, job) if keeper else None,
                indices=indices,
                done=done,
            )
            begin(session.device, {**plan, **session.notes})  # it may know more than before

    def call(self, function: Callable[..., T], work: Work, *args: object, progress: Progress) -> T:
        """Return what `function` gives; see `Executor`."""
        return function(self, work, *args, progress=progress)

    def _runner(
        self, work: Work, session: Session, opened: ExitStack
    ) -> Callable[..., tuple[ImageResult, ...]]:
        """Return what runs `session` over images; another network that it opens is `opened`."""
        full, digest, outputs = work.reference, work.prepared.digest, self._outputs

        def open_full() -> Session:
            return opened.enter_context(self.lend(cast("Prepared", full)))

        reference = Remembered(open_full, outputs, full.digest) if full else None
        memory = Remembered(lambda: session, outputs, digest) if work.remembered else None
        if isinstance(session, BatchSession):  # a batch is remembered whole, images one by one
            return partial(run_batched, work.job, session, reference=reference, memory=memory)
        return partial(run_job, work.job, memory or session, reference=reference)

    def score(
        self, job: Job, network: Computes, indices: Sequence[int], done: Done, progress: Progress
    ) -> None:
        """Measure the images `indices` of `job` with a `network` that no backend opens."""
        run_job(
            job,
            network,
            pairs=self._pairs,
            threads=self._selection.threads,
            progress=progress,
            indices=indices,
            done=done,
        )
