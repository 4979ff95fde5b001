"""Answer cases: prepare, run and judge; a run is made once for all the cases that share it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from sr_bench import discovery
from sr_bench.core.backend import BackendInfo
from sr_bench.core.card import Evaluation, ModelCard, Tolerance
from sr_bench.core.case import COST_METRICS, Case
from sr_bench.core.claim import UNITS, Metric
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.cost.count import CostCount
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.engine.cost import cost_fingerprint, cost_measurement, count
from sr_bench.engine.judge import judge
from sr_bench.engine.pairs import PairCache
from sr_bench.engine.prepare import prepare
from sr_bench.engine.run import ImageResult, Job, Progress, run_job
from sr_bench.engine.scoring import aggregate
from sr_bench.engine.selection import Selection
from sr_bench.errors import NotRunError, SrBenchError
from sr_bench.files.hashing import sha256_bytes
from sr_bench.history.environment import without_home

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


@dataclass(frozen=True)
class Answer:
    """A measurement, the digest of all that can change it, and what computed it."""

    measurement: Measurement
    fingerprint: str
    device: str = ""


class Bench:
    """Everything that one session measures.

    Args:
        selection: The session's options.
        dataset_folders: Further folders of dataset manifests, searched after the one beside the
            model's suite and before the project's own.
    """

    def __init__(self, selection: Selection, dataset_folders: tuple[Path, ...] = ()) -> None:
        self.selection = selection
        self._dataset_folders = dataset_folders
        self._backend = discovery.load("sr_bench.backends", selection.backend)
        self.info: BackendInfo = self._backend.describe()
        self._pairs = PairCache()
        # By folder too: two zoos may have suites and models of the same names.
        self._runs: dict[tuple[Path, str], Run | SrBenchError] = {}
        self._counts: dict[tuple[Path, str], CostCount] = {}
        self._images: dict[tuple[Path, int, str], ImageSet] = {}

    def evaluate(self, case: Case, node_id: str, progress: Progress) -> Record:
        """Measure and judge `case`; a fault of its inputs becomes the record's verdict."""
        start = time.perf_counter()
        answer = None
        try:
            self._check_measurable(case)
            answer = self._answer(case, progress)
            verdict = self._judge(case, answer.measurement)
        except NotRunError as cause:
            verdict = _unmeasured(case, Status.NOT_RUN, str(cause))
        except SrBenchError as cause:
            verdict = _unmeasured(case, Status.ERROR, str(cause))
        return Record(
            case_id=case.id,
            node_id=node_id,
            family=case.card.family,
            model=case.card.name,
            metric=case.metric,
            precision=case.precision,
            dataset=case.dataset,
            backend=case.backend,
            device=answer.device if answer else "",
            protocol=case.evaluation.protocol.name if case.evaluation else "",
            fingerprint=answer.fingerprint if answer else "",
            verdict=verdict,
            claim=case.claim,
            measurement=answer.measurement if answer else None,
            seconds=time.perf_counter() - start,
        )

    def _check_measurable(self, case: Case) -> None:
        """Raise a NotRunError if `case` is about a backend that this session doesn't use."""
        word = case.claim.backend if case.claim else ""
        if case.metric not in COST_METRICS and word not in self._words():
            msg = f"the row is about {word}: run it with --backend={word.split('-')[0]}"
            if word == f"{self.info.name}-emulated":
                msg = f"the row is about an emulation, and {self.info.name} is a device here"
            raise NotRunError(msg)

    def _words(self) -> tuple[str, ...]:
        """Return the backend words whose rows this session can put a value beside."""
        own = self.info.name
        return ("", own, f"{own}-emulated") if self.info.emulated else ("", own)

    def _judge(self, case: Case, measurement: Measurement) -> Verdict:
        card, claim = case.card, case.claim
        if claim and claim.backend == self.info.name and self.info.emulated:
            return _device_claim(case, measurement, self.info)
        slug = case.evaluation.dataset if case.evaluation else ""
        return judge(
            claim,
            measurement,
            tolerance=card.tolerances.get(case.metric, Tolerance()),
            gap=card.gap_for(case.metric, case.precision, slug) if claim else None,
        )

    def _answer(self, case: Case, progress: Progress) -> Answer:
        if case.evaluation is None:
            return self._cost(case)
        key = (case.card.folder, case.run_key)
        if key not in self._runs:
            try:
                self._runs[key] = self._run(case, case.evaluation, progress)
            except SrBenchError as cause:  # the other metrics of the run fail alike, at once
                self._runs[key] = cause
        run = self._runs[key]
        if isinstance(run, SrBenchError):
            raise run
        return _image_answer(case.metric, run)

    def _cost(self, case: Case) -> Answer:
        card, key = case.card, (case.card.folder, case.card.name)
        if key not in self._counts:
            self._counts[key] = count(card, card.counted_shape)
        measurement = cost_measurement(card, case.metric, self._counts[key])
        return Answer(measurement, cost_fingerprint(card, case.metric))

    def _run(self, case: Case, evaluation: Evaluation, progress: Progress) -> Run:
        card = case.card
        if case.precision not in self._backend.precisions():
            offered = ", ".join(self._backend.precisions())
            msg = f"{case.backend} does not offer {case.precision} in this version, only {offered}"
            raise NotRunError(msg)
        images = self._image_set(card, evaluation.dataset, evaluation.protocol)
        prepared = prepare(card, case.precision, self.selection.weights)
        artefact = prepared.artefact(needs_onnx=self._backend.NEEDS_ONNX)
        job = Job(card, evaluation.protocol, images, self.selection.limit)
        threads = self.selection.threads
        with self._backend.open_session(artefact, threads=1) as session:
            done = run_job(job, session, pairs=self._pairs, threads=threads, progress=progress)
            device = session.device
        content = [
            artefact.digest,
            images.digest(job.names),
            evaluation.protocol.choices(),
            card.value_range,
            [self.info.name, self.info.version, device, SCORING_VERSION],
        ]
        digest = sha256_bytes(json.dumps(content, sort_keys=True).encode())
        return Run(done, len(images), digest, device, evaluation.protocol)

    def _image_set(self, card: ModelCard, slug: str, protocol: EvalProtocol) -> ImageSet:
        folders = (card.folder.parent / "datasets", *self._dataset_folders)
        dataset = load_dataset(slug, folders)
        key = (dataset.manifest, card.scale, protocol.lr_from)
        if key not in self._images:
            self._images[key] = open_dataset(
                dataset, scale=card.scale, given=self.selection.data, lr_from=protocol.lr_from
            )
        return self._images[key]


def _image_answer(metric: Metric, run: Run) -> Answer:
    scores = tuple(ImageScore(item.image, item.scores[metric]) for item in run.images)
    value = aggregate([score.value for score in scores], run.protocol, metric)
    measurement = Measurement(metric, UNITS[metric], value, scores, run.planned)
    fingerprint = sha256_bytes(f"{run.digest}|{metric}|{len(scores)}".encode())
    return Answer(measurement, fingerprint, run.device)


def _device_claim(case: Case, measurement: Measurement, info: BackendInfo) -> Verdict:
    return Verdict(
        Status.NOT_RUN,
        f"a claim about the {info.name} card, and there is none here: emulated value shown,"
        " not judged",
        measured=measurement.value,
        claimed=case.claim.value if case.claim else None,
    )


def _unmeasured(case: Case, status: Status, sentence: str) -> Verdict:
    claimed = case.claim.value if case.claim else None
    return Verdict(status, without_home(sentence), claimed=claimed)
