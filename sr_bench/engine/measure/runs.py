"""Runs: one network over one dataset, made once a session; images are made once for good."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from uuid import uuid4

from sr_bench.core.backend import Artefact, BackendInfo, Form, Session
from sr_bench.core.case import IMAGE_METRICS, Case
from sr_bench.core.device import Profile
from sr_bench.core.int8 import Gate
from sr_bench.core.metric import image_metrics
from sr_bench.core.precision import Precision
from sr_bench.engine.job import Enough, ImageResult, Job, Progress, never_enough
from sr_bench.engine.judge.early import Look, look_at_gate, measuring_order
from sr_bench.engine.measure.budget import Budget, Drawn
from sr_bench.engine.measure.job_results import JobResults
from sr_bench.engine.measure.jobs import Jobs, in_fp32
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.recording import start_recording
from sr_bench.engine.measure.result_log import ResultCache
from sr_bench.engine.measure.run import Run, made_run, scored
from sr_bench.engine.measure.worker import Executor, Work, Worker
from sr_bench.engine.plan.options import CacheMode, Selection
from sr_bench.engine.prepare.code_digest import measuring, metrics_of_others
from sr_bench.engine.prepare.network import Prepared, quiet
from sr_bench.engine.score.bicubic import Bicubic
from sr_bench.errors import SrBenchError
from sr_bench.files.hashing import sha256_bytes, sha256_json
from sr_bench.history.environment import read_environment


@dataclass(frozen=True)
class _Asked:
    """A run that is asked for: what it is made from, and what there is of it."""

    work: Work
    inputs: Mapping[str, str]
    results: JobResults


class Runs:
    """Every run of one session.

    Args:
        selection: The session's options.
        dataset_folders: Further folders of dataset manifests, searched after the one beside the
            model's suite and before the project's own.
        executor: Where images are measured; None: in this process.

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
        self._worker = Worker(selection)
        self._executor = executor or self._worker
        self.info: BackendInfo = self._executor.info
        if selection.record:
            environment = read_environment(Path.cwd())
            self._worker.recorder = start_recording(selection.record, self.info, environment)
        session = selection.session or uuid4().hex
        self._results = ResultCache(selection.results_cache, self._cache_mode, session)
        until = selection.deadline
        self._budget = None if until is None else Budget(until, selection.results)
        # By folder too: two zoos may have suites and models of the same names.
        self._runs: dict[tuple[Path, str, Profile, tuple[str, ...]], Run | SrBenchError] = {}
        self._floors: dict[tuple[str, tuple[str, ...]], Run] = {}
        self._metrics: dict[tuple[Path, str], set[str]] = defaultdict(set)
        """What is asked of each run besides what all have."""
        self.jobs = Jobs(selection, self.info, dataset_folders)

    def announce(self, cases: Sequence[Case]) -> None:
        """Take in what the session will ask for; a cluster starts with it.

        A run is scored by all that is asked of it at once.
        """
        for case in cases:
            self._metrics_of(case)
        if self._budget:
            self._budget.ask(cases)
        if self._executor is not self._worker:
            runs = {(case.card.folder, case.run_key): case for case in cases if case.evaluation}
            for case in runs.values():
                emulated = self.jobs.has_profiles(case.precision)
                for profile in Profile if emulated else (Profile.TVM,):
                    with suppress(SrBenchError):  # whoever asks for the run is told
                        self._start(self._ask(case, quiet, profile))

    def _start(self, asked: _Asked) -> None:
        if missing := asked.results.missing(self._order(asked)):
            self._executor.start(asked.work, missing)

    @property
    def explains(self) -> bool:
        """Whether causes of losses can be searched for here: the backend is this machine's."""
        return self.selection.explain_s > 0 and self._worker.info == self.info

    def close(self) -> None:
        """End what still runs."""
        self._executor.close()

    def inputs(self, case: Case) -> Mapping[str, str]:
        """Return what decides the outcome of the run of `case`, but for the device, by name.

        Raises:
            SrBenchError: Something is absent, or can't be read.
        """
        return self.jobs.inputs(self.jobs.job(case), self.jobs.prepared(case))

    def baseline(self, case: Case, run: Run) -> Mapping[str, float] | None:
        """Return an earlier value of each image of `case`; None if there is no whole record."""
        return self._budget.baseline(case, run.inputs) if self._budget else None

    def of(self, case: Case, progress: Progress, profile: Profile = Profile.TVM) -> Run:
        """Return the run that answers `case`, which has an evaluation.

        Args:
            case: What is asked.
            progress: Told of each image.
            profile: For int8 that is emulated: by which reading of the device.

        Raises:
            SrBenchError: It can't be made; the other metrics of the run fail alike, at once.
        """
        key = (case.card.folder, case.run_key, profile, self._metrics_of(case))
        if key not in self._runs:
            try:
                self._runs[key] = self._run(case, progress, profile)
            except SrBenchError as cause:
                self._runs[key] = cause
        found = self._runs[key]
        if isinstance(found, SrBenchError):
            raise found
        return found

    def open(self, prepared: Prepared) -> Session:
        """Open what `prepared` describes on the session's backend; record it if that is asked."""
        return self._worker.open(prepared)

    def open_artefact(self, artefact: Artefact) -> Session:
        """Open `artefact` on the session's backend."""
        return self._worker.open_artefact(artefact)

    def floor(self, case: Case, progress: Progress) -> Run | None:
        """Return the run of plain bicubic enlargement on the images of `case`; None at scale 1."""
        if case.card.scale == 1:
            return None
        job = self._job(case)
        inputs = {"weights": "bicubic", "scale": str(case.card.scale), **scored(job)}
        key = (sha256_json(inputs), job.metrics)
        if key not in self._floors:
            network = Bicubic(job.protocol, job.card.value_range, job.card.scale)
            results = self._results_of(job, inputs, repeats=True)
            missing = results.missing()
            if missing:
                results.kept.begin("cpu", {})
                self._worker.score(job, network, missing, results.add, progress)
            self._floors[key] = made_run(results, inputs, range(len(job.names)), len(missing))
        return self._floors[key]

    def _ask(self, case: Case, progress: Progress, profile: Profile) -> _Asked:
        self.jobs.check_offered(case)
        job, prepared = self._job(case), self.jobs.prepared(case, progress, profile)
        inputs = self.jobs.inputs(job, prepared)
        keeper = self._keeper(job, sha256_json(inputs)) if profile is Profile.TVM else None
        wants_gate = self.selection.wants_gate(case.card)
        gated = case.precision is not Precision.FP32 and wants_gate
        full = self.jobs.prepared(in_fp32(case), progress) if gated else None
        work = Work(job, prepared, full, wants_gate and not gated, keeper)
        repeats = not self.info.is_device
        return _Asked(
            work,
            inputs,
            self._results_of(job, inputs, repeats=repeats, fidelity=gated, keeper=keeper),
        )

    def _job(self, case: Case) -> Job:
        return self.jobs.job(case, self._metrics_of(case))

    def _metrics_of(self, case: Case) -> tuple[str, ...]:
        """Return what the run of `case` is scored by, as far as it is known what is asked."""
        asked = self._metrics[case.card.folder, case.run_key]
        if case.evaluation and case.metric in image_metrics():
            asked.add(case.metric)
        return (*IMAGE_METRICS, *sorted(asked - set(IMAGE_METRICS)))

    def _run(self, case: Case, progress: Progress, profile: Profile) -> Run:
        asked = self._ask(case, progress, profile)
        work, keeper = asked.work, asked.work.keeper
        indices, measured = self._measure(case, asked, progress)
        found = made_run(asked.results, asked.inputs, indices, measured)
        partial = len(found.images) < len(work.job.names)
        return replace(
            found,
            provenance={**self._elsewhere, **work.prepared.provenance, **found.provenance},
            kept=keeper.kept if keeper and not partial else None,
        )

    def _measure(self, case: Case, asked: _Asked, progress: Progress) -> tuple[Sequence[int], int]:
        """Measure the images that have no result, or as many as there is need and time for.

        Returns:
            The images whose results count, and how many were measured now.
        """
        results, order, drawn = asked.results, self._order(asked), None
        missing = results.missing(order)
        if missing and self._budget:
            # Gates will ask for the same images of a run whose outputs are remembered.
            remembered = asked.work.remembered
            decide = never_enough if remembered else self._decides(case, asked.inputs, progress)
            drawn = Drawn(results, order, missing, self._budget, decide)
        measured = 0
        if missing and not (drawn and drawn.suffice(())):
            measured = self._executor.measure(
                asked.work,
                missing,
                begin=results.kept.begin,
                done=results.add,
                progress=progress,
                enough=drawn.suffice if drawn else never_enough,
            )
        return (drawn.indices if drawn else order), measured

    def _order(self, asked: _Asked) -> Sequence[int]:
        """Return the order of measuring; with a budget, precisions share one drawn by chance."""
        job = asked.work.job
        if self._budget is None:
            return range(len(job.names))
        seed = f"{asked.inputs['data']}|{job.card.id}|{job.protocol.name}"
        return measuring_order(len(job.names), seed)

    def _decides(self, case: Case, inputs: Mapping[str, str], progress: Progress) -> Enough:
        """Return what tells whether results answer what the run of `case` is asked."""
        if self._budget is None:
            return never_enough
        limits, planned = case.card.gate_on(self.selection.answers), len(self.jobs.job(case).images)

        def gate(results: Sequence[ImageResult]) -> Look:
            full = self.of(in_fp32(case), progress)
            return look_at_gate(cast("Gate", limits), results, full.images, planned)

        return self._budget.decides(case, inputs, planned, gate if limits else None)

    @property
    def _elsewhere(self) -> Mapping[str, str]:
        """Return what a record should say of the processor; the run's environment is ours."""
        cpu = self._executor.cpu
        return {"measured_on": cpu} if cpu != self._worker.cpu else {}

    @property
    def _cache_mode(self) -> CacheMode:
        """Return how results are cached: not at all where the outputs themselves are wanted."""
        if self.selection.record or self.info.form is Form.RECORDED:
            return "off"
        return self.selection.cache

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
        content = {name: digest for name, digest in inputs.items() if name != "data"}
        checkpoint = job.card.checkpoint
        # Also what the weights ought to be: a kept result must not hide that they are others.
        declared = checkpoint.sha256 if checkpoint else ""
        threads = self.selection.session_threads
        whose = [content, declared, measuring(), self._executor.cpu, threads]
        if foreign := metrics_of_others(job.metrics):  # not ours: `measuring` knows nothing of them
            whose.append(foreign)
        key = sha256_json(whose)
        digests = [job.images.image_digest(index) for index in range(len(job.names))]
        kept = self._results.open(key, digests, repeats=repeats)
        return JobResults(job, digests, kept, fidelity, keeper)

    def _keeper(self, job: Job, key: str) -> Keeper | None:
        """Return what keeps the images of `job`, whose run has the digest `key`, if it is asked."""
        chosen = self.selection
        if chosen.keep == "off" or chosen.results is None:
            return None
        data = scored(job)["data"]
        pairs = sha256_bytes(f"{data}|{job.pair_rule()}".encode())
        return Keeper(chosen.results, chosen.keep, key, pairs)
