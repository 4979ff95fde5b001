"""Runs: one network over one dataset, made once a session; images are made once for good."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from sr_bench.core.backend import Artefact, BackendInfo, Form, Session
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.claim import UNITS
from sr_bench.core.device import Profile
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Kept, Measurement
from sr_bench.data.dataset import Split
from sr_bench.data.locate import load_dataset
from sr_bench.data.pairing import LrFrom
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.discovery import load
from sr_bench.engine.calibration import CalibrationSet, calibration_set
from sr_bench.engine.code import measuring
from sr_bench.engine.floor import Bicubic
from sr_bench.engine.job_results import JobResults
from sr_bench.engine.kept import Keeper
from sr_bench.engine.prepare import Effort, Prepared, prepare, quiet
from sr_bench.engine.recorded import start_recording
from sr_bench.engine.results import ResultCache
from sr_bench.engine.run import ImageResult, Job, Progress
from sr_bench.engine.scoring import aggregate
from sr_bench.engine.selection import CacheMode, Selection
from sr_bench.engine.work import Work, Worker
from sr_bench.errors import NotRunError, SrBenchError
from sr_bench.files.hashing import sha256_bytes, sha256_json
from sr_bench.history.environment import cpu_model, read_environment

SCORING_VERSION = 1
"""Raised when the same network output would score differently."""


@dataclass(frozen=True)
class Run:
    """The outcome of one network over one dataset."""

    images: tuple[ImageResult, ...]
    planned: int
    digest: str
    """Digest of the network, the backend, the images and the protocol."""
    device: str
    protocol: EvalProtocol
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Where the clip ranges come from, and how the backend computes."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What the digest is made of, by name."""
    kept: Kept | None = None
    """Where its images are."""
    cached: int = 0
    """Images whose results earlier sessions made."""

    def measured(self, metric: str) -> Measurement:
        """Return the mean of `metric` over the images, with each image's value."""
        scores = tuple(ImageScore(item.image, item.scores[metric]) for item in self.images)
        value = aggregate([score.value for score in scores], self.protocol, metric)
        return Measurement(metric, UNITS[metric], value, scores, self.planned)


class Runs:
    """Every run of one session.

    Args:
        selection: The session's options.
        dataset_folders: Further folders of dataset manifests, searched after the one beside the
            model's suite and before the project's own.

    Raises:
        SrBenchError: The backend can't be used as the options ask, or its outputs not recorded.
    """

    def __init__(self, selection: Selection, dataset_folders: tuple[Path, ...]) -> None:
        self.selection = selection
        self._dataset_folders = dataset_folders
        self._worker = Worker(selection)
        self.info: BackendInfo = self._worker.info
        if selection.record:
            environment = read_environment(Path.cwd())
            self._worker.recorder = start_recording(selection.record, self.info, environment)
        session = selection.session or uuid4().hex
        self._results = ResultCache(selection.results_cache, self._cache_mode, session)
        # By folder too: two zoos may have suites and models of the same names.
        self._runs: dict[tuple[Path, str, Profile], Run | SrBenchError] = {}
        self._floors: dict[str, Run] = {}
        self._images: dict[tuple[object, ...], ImageSet] = {}

    def of(self, case: Case, progress: Progress, profile: Profile = Profile.TVM) -> Run:
        """Return the run that answers `case`, which has an evaluation.

        Args:
            case: What is asked.
            progress: Told of each image.
            profile: For int8 that is imitated: by which reading of the device.

        Raises:
            SrBenchError: It can't be made; the other metrics of the run fail alike, at once.
        """
        key = (case.card.folder, case.run_key, profile)
        if key not in self._runs:
            try:
                self._runs[key] = self._run(case, progress, profile)
            except SrBenchError as cause:
                self._runs[key] = cause
        found = self._runs[key]
        if isinstance(found, SrBenchError):
            raise found
        return found

    def check_offered(self, case: Case) -> None:
        """Raise a NotRunError if the backend doesn't compute in the precision of `case`."""
        backend = load("sr_bench.backends", self.selection.backend)
        offers = backend.precisions(self.selection.backend_options)
        if case.precision not in offers:
            offered = ", ".join(offers) or "none"
            msg = f"{case.backend} does not offer {case.precision} here, only {offered}"
            raise NotRunError(msg)

    def open(self, prepared: Prepared) -> Session:
        """Open what `prepared` describes on the session's backend; record it if that is asked."""
        return self._worker.open(prepared)

    def open_artefact(self, artefact: Artefact) -> Session:
        """Open `artefact` on the session's backend."""
        return self._worker.open_artefact(artefact)

    def job(self, case: Case) -> Job:
        """Return what a run of `case` works on."""
        rule = evaluation_of(case).protocol
        images = self._image_set(case.card, evaluation_of(case).dataset, rule.lr_from)
        return Job(case.card, rule, images, self.selection.limit)

    def prepared(
        self, case: Case, progress: Progress = quiet, profile: Profile = Profile.TVM
    ) -> Prepared:
        """Return the network of `case`; for int8 with its calibration set."""
        chosen, form = self.selection, self.info.form
        calibrates = case.precision.dtype == "int8" and form is not Form.RECORDED
        return prepare(
            case.card,
            case.precision,
            chosen.weights,
            self._calibration(case) if calibrates else None,
            effort=Effort(chosen.calibration_bytes, chosen.threads, progress),
            form=form,
            profile=profile,
        )

    def has_profiles(self, precision: Precision) -> bool:
        """Return whether `precision` is imitated, so that there is more than one reading of it."""
        return self.info.form is Form.IMITATED and precision.dtype == "int8"

    def floor(self, case: Case, progress: Progress) -> Run | None:
        """Return the run of plain bicubic enlargement on the images of `case`; None at scale 1."""
        if case.card.scale == 1:
            return None
        job = self.job(case)
        inputs = {"weights": "bicubic", "scale": str(case.card.scale), **_scored(job)}
        digest = sha256_json(inputs)
        if digest not in self._floors:
            network = Bicubic(job.protocol, job.card.value_range, job.card.scale)
            results = self._results_of(job, inputs, repeats=True)
            missing = results.missing()
            if missing:
                results.kept.begin("cpu", {})
                self._worker.score(job, network, missing, results.add, progress)
            self._floors[digest] = _run(results, inputs, len(missing))
        return self._floors[digest]

    def _run(self, case: Case, progress: Progress, profile: Profile) -> Run:
        self.check_offered(case)
        job, prepared = self.job(case), self.prepared(case, progress, profile)
        inputs = {**prepared.inputs, **_scored(job), "backend": self._backend_named()}
        keeper = self._keeper(job, sha256_json(inputs)) if profile is Profile.TVM else None
        gated = case.precision is not Precision.FP32 and self.selection.wants_gate(case.card)
        repeats = not self.info.is_device
        results = self._results_of(job, inputs, repeats=repeats, fidelity=gated, keeper=keeper)
        missing = results.missing()
        if missing:
            full = replace(case, precision=Precision.FP32)
            work = Work(
                job,
                prepared,
                reference=self.prepared(full, progress) if gated else None,
                remembered=self.selection.wants_gate(case.card) and not gated,
                keeper=keeper,
            )
            begin = results.kept.begin
            self._worker.measure(work, missing, begin=begin, done=results.add, progress=progress)
        found = _run(results, inputs, len(missing))
        provenance = {**prepared.provenance, **found.provenance}
        return replace(found, provenance=provenance, kept=keeper.kept if keeper else None)

    def _backend_named(self) -> str:
        return f"{self.info.name} {self.info.version}"

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
        key = sha256_json([content, declared, measuring(), cpu_model(), threads])
        digests = [job.images.image_digest(index) for index in range(len(job.names))]
        kept = self._results.open(key, digests, repeats=repeats)
        return JobResults(job, digests, kept, fidelity, keeper)

    def _keeper(self, job: Job, key: str) -> Keeper | None:
        """Return what keeps the images of `job`, whose run has the digest `key`, if it is asked."""
        chosen = self.selection
        if chosen.keep == "off" or chosen.results is None:
            return None
        scored = _scored(job)
        pairs = sha256_bytes(f"{scored['data']}|{job.pair_rule()}".encode())
        return Keeper(chosen.results, chosen.keep, key, pairs)

    def _calibration(self, case: Case) -> CalibrationSet:
        evaluated = [self.job(case).images] if case.evaluation else []
        images = self._image_set(case.card, case.card.int8.calibration, "files", calibration=True)
        return calibration_set(case.card, images, evaluated)

    def _image_set(
        self, card: ModelCard, slug: str, lr_from: LrFrom, *, calibration: bool = False
    ) -> ImageSet:
        folders = (card.folder.parent / "datasets", *self._dataset_folders)
        key = (slug, folders, card.scale, lr_from, calibration)
        if key not in self._images:
            dataset = load_dataset(slug, folders)
            crops = dataset.crops is not None
            split: Split = "calibration" if calibration and crops else "evaluation"
            self._images[key] = open_dataset(
                dataset,
                scale=card.scale,
                given=self.selection.data,
                split=split,
                lr_from=lr_from,
            )
        return self._images[key]


def evaluation_of(case: Case) -> Evaluation:
    """Return the evaluation of a case that needs images."""
    if case.evaluation is None:
        msg = f"{case.id} is about no dataset"
        raise TypeError(msg)
    return case.evaluation


def _run(results: JobResults, inputs: Mapping[str, str], measured: int) -> Run:
    """Return the run that `results` hold, of which `measured` images were made now."""
    made, images = results.finish()
    whole = {**inputs, "device": made.device}
    return Run(
        images,
        len(results.job.images),
        sha256_json(whole),
        made.device,
        results.job.protocol,
        made.notes,
        whole,
        cached=len(images) - measured,
    )


def _scored(job: Job) -> Mapping[str, str]:
    """Return what decides the scores besides the network, by name."""
    rule = {"white": job.card.value_range, "version": SCORING_VERSION, **job.protocol.choices()}
    return {
        "data": job.images.digest(job.names),
        "protocol": sha256_json(rule),
    }
