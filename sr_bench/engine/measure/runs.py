"""Runs: one network over one dataset, made once a session; images are made once for good."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from sr_bench.core.backend import BackendInfo
from sr_bench.core.case import IMAGE_METRICS, TIMED_METRICS, Case
from sr_bench.core.device import Profile
from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.engine.job import Job, Progress, quiet
from sr_bench.engine.measure.jobs import Jobs
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.result_log import ResultCache
from sr_bench.engine.measure.run import JobResults, Run
from sr_bench.engine.measure.worker import Executor, Planned, Work, Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring
from sr_bench.engine.score.bicubic import Bicubic
from sr_bench.errors import DeviceError, NotRunError, SrBenchError
from sr_bench.files.hashing import sha256_json

_WHITE = 255.0


@dataclass(frozen=True)
class _Asked:
    """A run that is asked for: what it is made from, and what there is of it."""

    work: Work
    inputs: Mapping[str, str]
    results: JobResults


class Runs:
    """Every run of one session.

    Raises:
        SrBenchError: The backend can't be used as the options ask, or its outputs not recorded.
    """

    def __init__(
        self,
        selection: Selection,
        dataset_folders: tuple[Path, ...],
        executor: Executor | None = None,
    ) -> None:
        self.selection = selection
        self.here = Worker(selection)  # beside a cluster too: for floors and times
        """Opens networks in this process."""
        self.executor = executor or self.here
        """Measures the images."""
        self.info: BackendInfo = self.executor.info
        # Whoever records, or replays, wants the outputs themselves.
        keeps = not (selection.record or self.info.replays or selection.cache == "off")
        self._results = ResultCache(
            selection.results_cache if keeps else None,
            selection.cache == "refresh",
            selection.session or uuid4().hex,
            selection.spare,
        )
        self._runs: dict[tuple[object, ...], Run | SrBenchError] = {}  # errors too: no second try
        self._floors: dict[tuple[str, tuple[str, ...]], Run] = {}
        self._metrics: dict[tuple[Path, str], set[str]] = defaultdict(set)
        """Metrics asked of each run beyond those that all have."""
        self.jobs = Jobs(selection, self.info, dataset_folders)

    def announce(self, cases: Sequence[Case]) -> None:
        """Take in what the session will ask for; a cluster starts with it.

        A run is scored by all that is asked of it at once.
        """
        for case in cases:
            self._metrics_of(case)  # of all, before the first run is handed in
        self.executor.start(self._planned(cases))

    def _planned(self, cases: Sequence[Case]) -> Iterator[Planned]:
        # All cases of a run have the same work.
        scored = (case for case in cases if case.run_key and case.metric not in TIMED_METRICS)
        for case in {case.run_id: case for case in scored}.values():
            for profile in self.info.readings(case.precision):
                with suppress(SrBenchError):  # the run itself will raise it
                    asked = self._ask(case, quiet, profile)
                    if missing := asked.results.missing():
                        yield asked.work, missing

    @property
    def explains(self) -> bool:
        """Whether causes of losses can be searched for: the backend is this machine's."""
        return self.selection.explain_s > 0 and self.here.info == self.info

    def close(self) -> None:
        """End what still runs."""
        self.executor.close()

    def inputs(self, case: Case) -> Mapping[str, str]:
        """Return what decides the outcome of the run of `case`, but for the device, by name.

        Raises:
            SrBenchError: Something is absent, or can't be read.
        """
        return self.jobs.inputs(self.jobs.job(case), self.jobs.prepared(case))

    def of(self, case: Case, progress: Progress, profile: Profile = Profile.TVM) -> Run:
        """Return the run that answers `case`; emulated int8 by one reading of the device.

        Raises:
            SrBenchError: It can't be made; its other metrics then fail at once with this error.
        """
        # A metric asked for later needs a run of its own.
        key = (case.run_id, profile, self._metrics_of(case))
        if key not in self._runs:
            try:
                self._runs[key] = self._run(case, progress, profile)
            except SrBenchError as cause:
                self._runs[key] = cause
                raise
        run = self._runs[key]
        if isinstance(run, DeviceError):
            again = "failed before, not run again"  # a crash may take minutes each time
            raise run.about(again)
        if isinstance(run, SrBenchError):
            raise run
        return run

    def other_readings(self, case: Case, progress: Progress) -> Mapping[str, Run]:
        """Return the runs by the further readings of an emulated device, by the reading's name."""
        others = self.info.readings(case.precision)[1:]
        return {str(profile): self.of(case, progress, profile) for profile in others}

    def work(self, case: Case, progress: Progress) -> Work:
        """Return all that the run of `case` is made from."""
        return self._ask(case, progress, Profile.TVM).work

    def floor(self, case: Case, progress: Progress) -> Run:
        """Return the run of plain bicubic enlargement, at scale 1 of none, on the case's images."""
        # Whatever the network reads: the floor is of RGB images.
        levels = (0.0, _WHITE)
        card = replace(
            case.card, input=NetworkInput(range=levels), output=NetworkOutput(range=levels)
        )
        job = replace(self.jobs.job(case, self._metrics_of(case)), card=card)
        inputs = {"weights": "bicubic", "scale": str(card.scale), **job.inputs}
        key = (sha256_json(inputs), job.metrics)
        if key not in self._floors:
            results = self._results_of(job, inputs, repeats=True)  # no device computes it
            missing = results.missing()
            if missing:
                network = Bicubic(job.protocol, _WHITE, card.scale)
                results.kept.begin("cpu", {})
                self.here.score(job, network, missing, results.add, progress)
            self._floors[key] = results.run(inputs, len(missing))
        return self._floors[key]

    def _ask(self, case: Case, progress: Progress, profile: Profile) -> _Asked:
        self.jobs.check_offered(case)
        job = self.jobs.job(case, self._metrics_of(case))
        prepared = self.jobs.prepared(case, progress, profile)
        inputs = self.jobs.inputs(job, prepared)
        # Only pictures of the reading that counts are kept.
        keeper = self._keeper(job, sha256_json(inputs)) if profile is Profile.TVM else None
        wants_gate, is_full = self.selection.wants_gate(case.card), case.precision.is_full
        gated = wants_gate and not is_full
        full = self.jobs.prepared(case.in_fp32, progress) if gated else None
        work = Work(job, prepared, full, wants_gate and is_full, keeper)
        repeats = not self.info.is_device
        results = self._results_of(job, inputs, repeats=repeats, fidelity=gated, keeper=keeper)
        return _Asked(work, inputs, results)

    def _metrics_of(self, case: Case) -> tuple[str, ...]:
        """Return what the run of `case` is scored by, as far as it is known what is asked."""
        asked = self._metrics[case.run_id]
        if case.scores_images:
            asked.add(case.metric)
        return (*IMAGE_METRICS, *sorted(asked - set(IMAGE_METRICS)))

    def _run(self, case: Case, progress: Progress, profile: Profile) -> Run:
        asked = self._ask(case, progress, profile)
        work, results, missing = asked.work, asked.results, asked.results.missing()
        if missing:
            deadline = self.selection.deadline
            # The other reading of a device's int8 is a part of the run that has begun.
            if profile is Profile.TVM and deadline is not None and time.time() >= deadline:
                msg = "budget: no time was left for this run"
                raise NotRunError(msg)
            self.executor.measure(
                work, missing, begin=results.kept.begin, done=results.add, progress=progress
            )
        run = results.run(asked.inputs, len(missing))
        cpu = self.executor.cpu
        # The run's environment names this machine's processor.
        known = {"measured_on": cpu} if cpu != self.here.cpu else {}
        if rule := work.job.lr_made_by:
            known["lr_made_by"] = rule
        return replace(run, provenance={**known, **work.prepared.provenance, **run.provenance})

    def _results_of(
        self,
        job: Job,
        inputs: Mapping[str, str],
        *,
        repeats: bool,
        fidelity: bool = False,
        keeper: Keeper | None = None,
    ) -> JobResults:
        """Return what is kept of `job`, by any session, for the same content and code."""
        # Without the dataset's digest: each image has its own.
        content = {name: digest for name, digest in inputs.items() if name != "data"}
        # Also what the weights ought to be: a kept result must not hide that they are others.
        declared = job.card.checkpoint.declared if job.card.checkpoint else ""
        threads = self.selection.session_threads  # sums are split among them
        key = sha256_json([content, declared, measuring(), self.executor.cpu, threads])
        digests = job.images.digests[: len(job.names)]
        kept = self._results.open(key, digests, repeats=repeats)
        return JobResults(job, digests, kept, fidelity, keeper)

    def _keeper(self, job: Job, key: str) -> Keeper | None:
        """Return what keeps the images of `job`, whose run has the digest `key`, if it is asked."""
        results, mode = self.selection.results, self.selection.keep
        if mode == "off" or results is None:
            return None
        pairs = sha256_json([job.inputs["data"], str(job.pair_rule), measuring()])
        return Keeper(results, mode, sha256_json([key, measuring()]), pairs, self.selection.spare)
