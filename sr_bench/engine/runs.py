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
from sr_bench.core.record import ImageScore, Measurement
from sr_bench.data.dataset import Split
from sr_bench.data.locate import load_dataset
from sr_bench.data.pairing import LrFrom
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.engine.calibration import CalibrationSet, calibration_set
from sr_bench.engine.prepare import Effort, Prepared, own_code, prepare, quiet
from sr_bench.engine.recorded import Recorded, start_recording
from sr_bench.engine.remembered import Remembered, remembered_outputs
from sr_bench.engine.run import ImageResult, Job, Progress, pair_cache, run_job
from sr_bench.engine.scoring import aggregate
from sr_bench.engine.selection import Selection
from sr_bench.errors import NotRunError, SrBenchError
from sr_bench.files.atomic import write_text
from sr_bench.files.cache import cache_dir
from sr_bench.files.hashing import sha256_bytes
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
        opened: Session = self._backend.open_session(artefact, threads=1, options=options)
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

    def _run(self, case: Case, progress: Progress, profile: Profile) -> Run:
        offers = self._backend.precisions(self.selection.backend_options)
        if case.precision not in offers:
            offered = ", ".join(offers) or "none"
            msg = f"{case.backend} does not offer {case.precision} here, only {offered}"
            raise NotRunError(msg)
        job, prepared = self.job(case), self.prepared(case, progress, profile)
        key = self._content(job, prepared)
        gated = self._is_gated(case)
        found = self._kept(
            sha256_bytes(f"{key}|{gated}".encode()),
            lambda: self._measured(case, job, prepared, progress),
        )
        provenance = {**prepared.provenance, **found.notes}
        digest = sha256_bytes(f"{key}|{found.device}".encode())
        rule = evaluation_of(case).protocol
        return Run(found.images, len(job.images), digest, found.device, rule, provenance)

    def _measured(self, case: Case, job: Job, prepared: Prepared, progress: Progress) -> _Kept:
        threads = self.selection.threads
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
            done = run_job(
                job,
                computes,
                pairs=self._pairs,
                threads=threads,
                progress=progress,
                reference=reference,
            )
            return _Kept(done, session.device, {**prepared.plan_notes(), **session.notes})

    def _is_gated(self, case: Case) -> bool:
        return case.precision is not Precision.FP32 and self.selection.wants_gate(case.card)

    def _content(self, job: Job, prepared: Prepared) -> str:
        """Return the digest of what decides a run's scores, except for the device."""
        content = [
            prepared.digest,
            job.images.digest(job.names),
            job.protocol.choices(),
            job.card.value_range,
            [self.info.name, self.info.version, SCORING_VERSION],
        ]
        return sha256_bytes(json.dumps(content, sort_keys=True).encode())

    def _kept(self, key: str, measure: Callable[[], _Kept]) -> _Kept:
        """Return what was measured for the same content by the same code, or measure."""
        if self.info.device not in _KEPT_DEVICES or self.selection.record:
            return measure()
        content = [key, own_code(), package_versions(), cpu_model()]
        name = sha256_bytes(json.dumps(content, sort_keys=True).encode())
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
