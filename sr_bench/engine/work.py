"""The work of a run: images through a network, wherever it is done; results go to who asked."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sr_bench import discovery
from sr_bench.core.backend import Artefact, BackendInfo, Session
from sr_bench.core.device import Profile
from sr_bench.engine.kept import Keeper
from sr_bench.engine.prepare import Prepared
from sr_bench.engine.recorded import Recorded
from sr_bench.engine.remembered import Outputs, Remembered
from sr_bench.engine.run import (
    Computes,
    Done,
    Enough,
    Job,
    Keep,
    Progress,
    never_enough,
    pair_cache,
    run_job,
)
from sr_bench.engine.selection import Selection
from sr_bench.files.recording import Recorder

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
        enough: Enough = never_enough,
    ) -> None:
        """Measure the images `indices` of `work`, or as many as are `enough`, in that order.

        Raises:
            SrBenchError: The network can't be opened, or an image not be measured.
        """
        prepared, job, keeper = work.prepared, work.job, work.keeper
        with ExitStack() as opened:
            session = opened.enter_context(self.open(prepared))
            computes: Session | Remembered = session
            reference = None
            if full := work.reference:
                reference = Remembered(
                    lambda: opened.enter_context(self.open(full)), self._outputs, full.digest
                )
            elif work.remembered:
                computes = Remembered(lambda: session, self._outputs, prepared.digest)
            told = prepared.plan_notes()
            begin(session.device, {**told, **session.notes})
            self._run(
                job,
                computes,
                reference=reference,
                keep=keeper.for_job(job) if keeper else None,
                indices=indices,
                done=done,
                progress=progress,
                enough=enough,
            )
            begin(session.device, {**told, **session.notes})  # it may know more than before

    def score(
        self, job: Job, network: Computes, indices: Sequence[int], done: Done, progress: Progress
    ) -> None:
        """Measure the images `indices` of `job` with a `network` that no backend opens."""
        self._run(job, network, indices=indices, done=done, progress=progress)

    def _run(
        self,
        job: Job,
        network: Computes,
        *,
        indices: Sequence[int],
        done: Done,
        progress: Progress,
        reference: Computes | None = None,
        keep: Keep | None = None,
        enough: Enough = never_enough,
    ) -> None:
        run_job(
            job,
            network,
            pairs=self._pairs,
            threads=self._selection.threads,
            progress=progress,
            reference=reference,
            keep=keep,
            indices=indices,
            done=done,
            enough=enough,
        )
