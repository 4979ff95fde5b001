"""Runs: one network over one dataset, made once a session, and once for the same content."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from sr_bench import discovery
from sr_bench.core.backend import Artefact, BackendInfo, Form, Session
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.claim import UNITS
from sr_bench.core.codec import decode, encode
from sr_bench.core.device import Profile
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Kept, Measurement
from sr_bench.data.dataset import Split
from sr_bench.data.locate import load_dataset
from sr_bench.data.pairing import LrFrom
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.engine.calibration import CalibrationSet, calibration_set
from sr_bench.engine.floor import Bicubic
from sr_bench.engine.kept import Keeper
from sr_bench.engine.prepare import Effort, Prepared, own_code, prepare, quiet
from sr_bench.engine.recorded import Recorded, start_recording
from sr_bench.engine.remembered import Remembered, remembered_outputs
from sr_bench.engine.run import (
    Computes,
    ImageResult,
    Job,
    Keep,
    Progress,
    pair_cache,
    run_job,
)
from sr_bench.engine.scoring import aggregate
from sr_bench.engine.selection import SESSION_THREADS, Selection
from sr_bench.errors import NotRunError, SrBenchError
from sr_bench.files.atomic import write_text
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_bytes, sha256_json
from sr_bench.history.environment import cpu_model, package_versions, read_environment

SCORING_VERSION = 1
"""Raised when the same network output would score differently."""

_KEPT_DEVICES = ("cpu", "emulated")
"""Where the same content gives the same result; what a real device gives is measured each time."""


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

    def measured(self, metric: str) -> Measurement:
        """Return the mean of `metric` over the images, with each image's value."""
        scores = tuple(ImageScore(item.image, item.scores[metric]) for item in self.images)
        value = aggregate([score.value for score in scores], self.protocol, metric)
        return Measurement(metric, UNITS[metric], value, scores, self.planned)


@dataclass(frozen=True)
class _Kept:
    """What of a run is on disk."""

    images: tuple[ImageResult, ...]
    device: str
    notes: Mapping[str, str]


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
        self._backend = discovery.load("sr_bench.backends", selection.backend)
        self.info: BackendInfo = self._backend.describe(selection.backend_options)
        self._recorder = (
            start_recording(selection.record, self.info, read_environment(Path.cwd()))
            if selection.record
            else None
        )
        self._pairs = pair_cache()
        self._outputs = remembered_outputs()
        # By folder too: two zoos may have suites and models of the same names.
        self._runs: dict[tuple[Path, str, Profile], Run | SrBenchError] = {}
        self._floors: dict[str, _Kept] = {}
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
        offers = self._backend.precisions(self.selection.backend_options)
        if case.precision not in offers:
            offered = ", ".join(offers) or "none"
            msg = f"{case.backend} does not offer {case.precision} here, only {offered}"
            raise NotRunError(msg)

    def open(self, prepared: Prepared) -> Session:
        """Open what `prepared` describes on the session's backend; record it if that is asked."""
        artefact = prepared.artefact()
        session = self.open_artefact(artefact)
        if self._recorder is None or prepared.profile is not Profile.TVM:
            return session
        return Recorded(session, artefact, self._recorder)

    def open_artefact(self, artefact: Artefact) -> Session:
        """Open `artefact` on the session's backend."""
        options = self.selection.backend_options
        opened: Session = self._backend.open_session(
            artefact, threads=SESSION_THREADS, options=options
        )
        return opened

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
        key = sha256_json(inputs)
        if key not in self._floors:
            network = Bicubic(job.protocol, job.card.value_range, job.card.scale)
            self._floors[key] = self._kept(
                key, lambda: _Kept(self._scores(job, network, progress), "cpu", {})
            )
        found = self._floors[key]
        return Run(found.images, len(job.images), key, found.device, job.protocol, inputs=inputs)

    def _run(self, case: Case, progress: Progress, profile: Profile) -> Run:
        self.check_offered(case)
        job, prepared = self.job(case), self.prepared(case, progress, profile)
        inputs = {**prepared.inputs, **_scored(job), "backend": self._backend_named()}
        key = sha256_json(inputs)
        gated = self._is_gated(case)
        keeper = self._keeper(job, key) if profile is Profile.TVM else None
        missing = keeper is not None and not keeper.is_whole(job.names)

        def measure() -> _Kept:
            return self._measured(case, job, prepared, progress, keeper)

        device_reads = self.info.device not in _KEPT_DEVICES or self.selection.record is not None
        if device_reads or missing:
            found = measure()
        else:
            found = self._kept(sha256_bytes(f"{key}|{gated}".encode()), measure)
        provenance = {**prepared.provenance, **found.notes}
        inputs["device"] = found.device
        kept = keeper.kept if keeper else None
        images, planned = found.images, len(job.images)
        return Run(
            images,
            planned,
            sha256_json(inputs),
            found.device,
            job.protocol,
            provenance,
            inputs,
            kept,
        )

    def _backend_named(self) -> str:
        return f"{self.info.name} {self.info.version}"

    def _keeper(self, job: Job, key: str) -> Keeper | None:
        """Return what keeps the images of `job`, whose run has the digest `key`, if it is asked."""
        chosen = self.selection
        if chosen.keep == "off" or chosen.results is None:
            return None
        scored = _scored(job)
        pairs = sha256_bytes(f"{scored['data']}|{job.pair_rule()}".encode())
        return Keeper(chosen.results, chosen.keep, key, pairs)

    def _scores(
        self,
        job: Job,
        network: Computes,
        progress: Progress,
        *,
        reference: Computes | None = None,
        keep: Keep | None = None,
    ) -> tuple[ImageResult, ...]:
        return run_job(
            job,
            network,
            pairs=self._pairs,
            threads=self.selection.threads,
            progress=progress,
            reference=reference,
            keep=keep,
        )

    def _measured(
        self,
        case: Case,
        job: Job,
        prepared: Prepared,
        progress: Progress,
        keeper: Keeper | None,
    ) -> _Kept:
        rule, white = job.protocol, job.card.value_range
        with ExitStack() as opened:
            session = opened.enter_context(self.open(prepared))
            computes: Session | Remembered = session
            reference = None
            if self._is_gated(case):
                full = self.prepared(replace(case, precision=Precision.FP32), progress)
                reference = Remembered(
                    lambda: opened.enter_context(self.open(full)), self._outputs, full.digest
                )
            elif self.selection.wants_gate(case.card):  # low precisions will be compared with it
                computes = Remembered(lambda: session, self._outputs, prepared.digest)
            keep: Keep | None = None
            if keeper is not None:
                keep = lambda i, pair, output: keeper.keep(i, pair, output, rule, white)  # noqa: E731
            done = self._scores(job, computes, progress, reference=reference, keep=keep)
            if keeper is not None:
                keeper.finish(job.names)
            return _Kept(done, session.device, {**prepared.plan_notes(), **session.notes})

    def _is_gated(self, case: Case) -> bool:
        return case.precision is not Precision.FP32 and self.selection.wants_gate(case.card)

    def _kept(self, key: str, measure: Callable[[], _Kept]) -> _Kept:
        """Return what was measured for the same content by the same code, or measure."""
        content = [key, own_code(), package_versions(), cpu_model()]
        name = sha256_json(content)
        path = cache_dir() / "runs" / f"{name}.json"
        if path.is_file() and not self.selection.fresh:
            try:
                return decode(_Kept, json.loads(path.read_text()))
            except (OSError, ValueError, TypeError, KeyError):
                path.unlink()  # damaged: measured again
        found = measure()
        write_text(path, json.dumps(encode(found)))
        return found

    def _calibration(self, case: Case) -> CalibrationSet:
        evaluated = [self.job(case).images] if case.evaluation else []
        images = self._image_set(case.card, case.card.int8.calibration, "files", calibration=True)
        return calibration_set(case.card, images, evaluated)

    def _image_set(
        self, card: ModelCard, slug: str, lr_from: LrFrom, *, calibration: bool = False
    ) -> ImageSet:
        folders = (card.folder.parent / "datasets", *self._dataset_folders)
        dataset = load_dataset(slug, folders)
        split: Split = "calibration" if calibration and dataset.crops is not None else "evaluation"
        key = (dataset.manifest, card.scale, lr_from, split)
        if key not in self._images:
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


def _scored(job: Job) -> Mapping[str, str]:
    """Return what decides the scores besides the network, by name."""
    rule = {"white": job.card.value_range, "version": SCORING_VERSION, **job.protocol.choices()}
    return {
        "data": job.images.digest(job.names),
        "protocol": sha256_json(rule),
    }
