"""The work of a run: images through a network, wherever it is done; results go to who asked."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from sr_bench import discovery
from sr_bench.core.backend import Artefact, BackendInfo, BatchSession, Session
from sr_bench.core.device import Profile
from sr_bench.engine.job import Computes, Done, ImageResult, Job, Progress
from sr_bench.engine.measure.fp32_outputs import Outputs, Remembered
from sr_bench.engine.measure.in_batches import run_batched
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.one_by_one import run_job
from sr_bench.engine.measure.pair_cache import pair_cache
from sr_bench.engine.measure.recording import Recorded
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.network import Prepared
from sr_bench.history.environment import cpu_model
from sr_bench.recording.recorder import Recorder

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


class Executor(Protocol):
    """Where images are measured: in this process, in a child process, or on a cluster."""

    info: BackendInfo
    """What the backend says about itself there."""

    @property
    def cpu(self) -> str:
        """The processor there, on which digits may depend."""

    def start(self, work: Work, indices: Sequence[int]) -> None:
        """Take in the images `indices` of `work`, which will be asked for."""

    def measure(
        self,
        work: Work,
        indices: Sequence[int],
        *,
        begin: Begin,
        done: Done,
        progress: Progress,
    ) -> int:
        """Measure the images `indices` of `work`, in that order; return how many were measured.

        Args:
            work: What the images go through.
            indices: Numbers of images.
            begin: Told what computes, before the first result.
            done: Told each result as soon as it is there.
            progress: Told how far the work is.

        Raises:
            SrBenchError: The network can't be opened, or an image not be measured.
        """

    def close(self) -> None:
        """End what still runs."""


class Worker:
    """Opens networks on one backend and keeps what several runs share: pairs, and fp32 outputs.

    Args:
        selection: The session's options.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._backend = discovery.load("sr_bench.backends", selection.backend)
        self.info: BackendInfo = self._backend.describe(selection.backend_options)
        self.recorder: Recorder | None = None
        """Keeps the outputs, if they are recorded."""
        self._pairs = pair_cache()
        self._outputs = Outputs()

    @property
    def cpu(self) -> str:
        """The processor, on which digits may depend."""
        return cpu_model()

    def start(self, work: Work, indices: Sequence[int]) -> None:
        """Do nothing: the work is done when it is asked for."""

    def close(self) -> None:
        """Do nothing: all that is open is closed with its run."""

    def open(self, prepared: Prepared) -> Session:
        """Open what `prepared` describes; record it if that is asked."""
        artefact = prepared.artefact()
        session = self.open_artefact(artefact)
        if self.recorder is None or prepared.profile is not Profile.TVM:
            return session
        return Recorded(session, artefact, self.recorder)

    def open_artefact(self, artefact: Artefact) -> Session:
        """Open `artefact`."""
        chosen = self._selection
        opened: Session = self._backend.open_session(
            artefact, threads=chosen.session_threads, options=chosen.backend_options
        )
        return opened

    def measure(
        self,
        work: Work,
        indices: Sequence[int],
        *,
        begin: Begin,
        done: Done,
        progress: Progress,
    ) -> int:
        """Measure the images `indices` of `work`, in that order.

        Returns:
            How many were measured.

        Raises:
            SrBenchError: The network can't be opened, or an image not be measured.
        """
        prepared, job, keeper = work.prepared, work.job, work.keeper
        with ExitStack() as opened:
            session = opened.enter_context(self.open(prepared))
            told = prepared.plan_notes()
            begin(session.device, {**told, **session.notes})
            found = self._runner(work, session, opened)(
                pairs=self._pairs,
                threads=self._selection.threads,
                progress=progress,
                keep=keeper.for_job(job) if keeper else None,
                indices=indices,
                done=done,
            )
            begin(session.device, {**told, **session.notes})  # it may know more than before
            return len(found)

    def _runner(
        self, work: Work, session: Session, opened: ExitStack
    ) -> Callable[..., tuple[ImageResult, ...]]:
        """Return what runs `session` over images; another network that it opens is `opened`."""
        full, own, outputs = work.reference, work.prepared.digest, self._outputs

        def open_full() -> Session:
            return opened.enter_context(self.open(cast("Prepared", full)))

        reference = Remembered(open_full, outputs, full.digest) if full else None
        memory = Remembered(lambda: session, outputs, own) if work.remembered else None
        if isinstance(session, BatchSession):
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
