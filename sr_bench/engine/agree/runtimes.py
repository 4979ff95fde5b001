"""Run one file on several runtimes, and compare what they give, image by image."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.agreement import AgreeLimit, Agreement, ImageApart, PairApart
from sr_bench.core.backend import Form, Session
from sr_bench.core.case import Case
from sr_bench.core.status import Status
from sr_bench.engine.agree.parting import Prober, find_parting
from sr_bench.engine.job import Progress
from sr_bench.engine.measure.one_by_one import about_images, images_asked
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.score.network_io import output_levels
from sr_bench.errors import BackendError, NotRunError, SrBenchError

Levels = NDArray[np.float32]
"""N x C x H x W on the 0-255 scale, neither clipped nor rounded."""


class Runtimes:
    """One network in one precision, open on several runtimes; use it in a ``with``.

    Args:
        selection: The session's options; its backend counts for nothing.
        case: Names the network, the precision and the images.
        backends: Names of at least two.
        progress: Called while int8 is calibrated.

    Raises:
        SrBenchError: The network can't be made, or the images not be found.
        NotRunError: Fewer than two of the runtimes can open it.
    """

    def __init__(
        self, selection: Selection, case: Case, backends: Sequence[str], progress: Progress
    ) -> None:
        self._selection, self._case = selection, case
        jobs = Runs(replace(selection, backend="onnxruntime"), ()).jobs
        self._job, self._prepared = jobs.job(case), jobs.prepared(case, progress)
        self._artefact = self._prepared.artefact()
        self._stack = ExitStack()
        self._sessions: dict[str, Session] = {}
        self._versions: dict[str, str] = {}
        self._absent: dict[str, str] = {}
        for name in backends:
            try:
                self._open(name)
            except SrBenchError as cause:
                self._absent[name] = " ".join(str(cause).split())
        self._check_two()

    def __enter__(self) -> "Runtimes":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def agreement(self, limit_s: float, progress: Progress) -> Agreement:
        """Return how far they are apart, and where those part that are too far, or the furthest.

        Args:
            limit_s: Seconds to search for layers; 0: no search.
            progress: Called after each image, and after each layer that was looked at.

        Raises:
            SrBenchError: An image can't be used.
            NotRunError: Fewer than two of the runtimes can run it.
        """
        limit, pairs = self._case.card.agree, self._compared(progress)
        far = [pair for pair in pairs if limit and pair.db < limit.min_db]
        searched = far or [min(pairs, key=lambda pair: pair.db)]
        searched = [pair for pair in searched if limit_s and pair.worst.mse]
        partings = [
            find_parting(self._prober(pair), pair, limit_s / len(searched), progress)
            for pair in searched
        ]
        return Agreement(
            self._case.card.id,
            str(self._case.precision),
            self._case.dataset,
            {name: self._versions[name] for name in self._sessions},
            self._absent,
            pairs,
            tuple(partings),
            limit,
            *_judged(pairs, limit),
        )

    def levels(self, image: str) -> Mapping[str, Levels]:
        """Return what each runtime gives for `image`."""
        return self._levels(self._job.names.index(image))

    def _open(self, name: str) -> None:
        worker = Worker(replace(self._selection, backend=name))
        if worker.info.form not in (Form.ONNX, Form.MODULE):
            msg = f"{name} runs no ONNX file as it is, but a network that it makes"
            raise NotRunError(msg)
        session = worker.open_artefact(self._artefact, self._prepared)
        self._sessions[name] = self._stack.enter_context(session)
        self._versions[name] = worker.info.version

    def _check_two(self) -> None:
        if len(self._sessions) < 2:
            whys = "; ".join(f"{name}: {why}" for name, why in self._absent.items())
            msg = f"expected two runtimes that run the file, got {len(self._sessions)}: {whys}"
            raise NotRunError(msg)

    def _compared(self, progress: Progress) -> tuple[PairApart, ...]:
        found: dict[tuple[str, str], list[ImageApart]] = {}
        indices = images_asked(self._job, None)
        for index in indices:
            given, image = self._levels(index), self._job.names[index]
            for a, b in combinations(given, 2):
                found.setdefault((a, b), []).append(_apart(image, (a, given[a]), (b, given[b])))
            progress(index + 1, len(indices), image)
        # Without those of a runtime that failed on the way.
        there = {pair: images for pair, images in found.items() if self._sessions.keys() >= {*pair}}
        return tuple(PairApart.of(*pair, tuple(images)) for pair, images in there.items())

    def _levels(self, index: int) -> dict[str, Levels]:
        job, given = self._job, {}
        with about_images(job, [index]):
            lr = job.network_input(job.pair(index))
        for name, session in tuple(self._sessions.items()):
            try:
                given[name] = output_levels(session.run(lr), job.protocol, job.card.output)
            except SrBenchError as cause:
                self._absent[name] = " ".join(str(cause).split())
                del self._sessions[name]
                self._check_two()
        return given

    def _prober(self, pair: PairApart) -> Prober:
        """Return what runs parts of the network on the image on which `pair` is furthest apart."""
        index = self._job.names.index(pair.worst.image)
        lr = self._job.network_input(self._job.pair(index))
        prober = Prober(self._artefact, self._selection, self._prepared.reads, lr)
        prober.widen(pair.first, pair.second)
        return prober


def _apart(image: str, one: tuple[str, Levels], other: tuple[str, Levels]) -> ImageApart:
    """Return how far what two named runtimes give for `image` is apart."""
    (first, a), (second, b) = one, other
    if a.shape != b.shape:
        msg = f"{image}: {first} gives {a.shape}, {second} gives {b.shape}: expected one shape"
        raise BackendError(msg)
    apart = np.abs(np.subtract(a, b, dtype=np.float64))
    differ = np.not_equal(*(np.rint(np.clip(levels, 0, 255)) for levels in (a, b)))
    numbers = np.square(apart).mean(), apart.mean(), apart.max(), differ.mean()
    return ImageApart(image, *map(float, numbers))


def _judged(pairs: Sequence[PairApart], limit: AgreeLimit | None) -> tuple[Status, str]:
    furthest = min(pairs, key=lambda pair: pair.db)
    told = f"{furthest} are {furthest.db:.1f} dB apart" if furthest.worst.mse else "all are equal"
    if limit is None:
        return Status.NEW, f"{told}; no limit is set: --min-db, or [model.agree] of a card"
    status = Status.LOSS if furthest.db < limit.min_db else Status.WITHIN
    return status, f"{told}, expected at least {limit.min_db:g} dB"
