"""Trials: other plans of one int8 network, run on images of its dataset."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Form, Session
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.engine.explain.signs import signs
from sr_bench.engine.job import ImageResult
from sr_bench.engine.measure.fp32_outputs import Outputs, Remembered
from sr_bench.engine.measure.one_by_one import PairCache, score_image
from sr_bench.engine.measure.tried import TriedNetworks
from sr_bench.engine.measure.worker import Work, Worker
from sr_bench.engine.prepare.calibration import LEAST_EFFORT
from sr_bench.engine.prepare.int8 import Int8Maker
from sr_bench.engine.prepare.network import Prepared
from sr_bench.engine.score.network_io import output_levels
from sr_bench.files.onnx_file import load_onnx
from sr_bench.precision.constants import constant_signs
from sr_bench.precision.noise.plans import Predictor
from sr_bench.precision.statistics.calibrate import collect

_WHITE = 255.0


class Trials(TriedNetworks):
    """Opens other plans of a work and compares them with fp32."""

    def __init__(self, worker: Worker, work: Work) -> None:
        super().__init__(worker, work.prepared, cast("Prepared", work.reference))
        # A gate needs no other metric of the session's, and one such as LPIPS is slow.
        self._job = replace(work.job, metrics=IMAGE_METRICS)
        self._pairs = PairCache()
        self._outputs = Outputs()

    @property
    def observer(self) -> str:
        """The observer that chose the clip ranges of the work."""
        return self._low.precision.calibration

    @property
    def keep(self) -> tuple[str, ...]:
        """Patterns of the layers that the card leaves in float."""
        return self._low.keep

    @property
    def key(self) -> str:
        """Where the card lists these patterns."""
        return "vacc.skip" if self._low.form is Form.EMULATED else "keep"

    @property
    def possible(self) -> bool:
        """Whether other plans can be tried here: int8, and no device's compiler takes hours."""
        return self._low.calibration is not None and self._low.form is not Form.SOURCE

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """Part of the multiplications of each layer in int8, the likeliest suspects first."""
        if not self.possible:
            return {}
        network = self._maker.network
        kept = network.matching(self.keep, key=self.key)
        layers = [layer for layer in network.layers if layer not in kept]
        noise = self._maker.noise(self.observer)
        shares: dict[str, float] = {}
        for layer in sorted(layers, key=lambda layer: -noise[layer.input]):
            # Layers may share weights, and a name.
            shares[layer.name] = shares.get(layer.name, 0.0) + layer.share
        return shares

    def int8_share(self, left_out: Collection[str]) -> float:
        """Return the part of all multiplications that is int8 without the layers `left_out`."""
        return sum(share for name, share in self.shares.items() if name not in left_out)

    def predictor(self, index: int) -> Predictor | None:
        """Return the error of each layer on the part of image `index` that loses most.

        None if it is emulated: devices round by rules of their own.

        Raises:
            BackendError: Errors can't be carried to the output.
        """
        if self._low.form is not Form.ONNX:
            return None
        maker = self._maker
        lr = self._job.network_input(self._pairs.of(self._job, index))
        cutter = maker.cutter(self._reference.run, self._low.effort.memory_bytes)
        tiles = [tile.pixels for tile in cutter.tiles({"image": lambda: lr})]
        worst = tiles[0]
        if len(tiles) > 1:
            run = self._measured.run
            worst = max(tiles, key=lambda x: _squares(run(x), self._reference.run(x)))
        (predictor,) = maker.predictors([maker.ranges(self.observer)], [worst])
        return predictor

    @property
    def white(self) -> float:
        """What lies between black and white in the output, in the network's own values."""
        gives = self._job.card.output.with_white(self._job.protocol.output_range)
        return float(gives.span / np.sqrt(np.mean(np.square(gives.std or (1.0,)))))

    @property
    def is_as_made(self) -> bool:
        """Whether the file that was measured holds what the plan gives anew."""
        anew = self._low.int8_model(self._maker, self.observer, self.keep)
        return bool(anew.graph == load_onnx(self._low.onnx()).graph)

    @contextmanager
    def plan(
        self, left_out: Sequence[str], observer: str
    ) -> Iterator[Callable[[int], ImageResult]]:
        """Open the work's plan with more layers in float.

        Yields:
            A function that returns the scores and the fidelity of image number i.
        """
        model = self._low.int8_model(self._maker, observer, (*self.keep, *left_out))
        with self._opened(model) as session:
            reference = Remembered(lambda: self._reference, self._outputs, "fp32")

            def tried(index: int) -> ImageResult:
                return score_image(
                    self._job, session, reference, self._pairs.of(self._job, index), index
                )

            yield tried

    def signs(self, index: int) -> Iterator[str]:
        """Yield the signs in the error of the work's output on image `index`, causes first."""
        lr = self._job.network_input(self._pairs.of(self._job, index))
        if self._low.calibration is not None and self._low.form is Form.ONNX:
            yield from self._constant_signs(lr)

        def read(output: NDArray[np.float32]) -> NDArray[np.float32]:
            return output_levels(output, self._job.protocol, self._job.card.output)

        def compute(planes: NDArray[np.float32]) -> NDArray[np.float32]:
            return read(self._reference.run(planes))

        low = read(self._measured.run(lr))
        yield from signs(low, compute(lr), lr, compute, white=_WHITE)

    def _constant_signs(self, lr: NDArray[np.float32]) -> Iterator[str]:
        """Yield what is wrong with the file that was measured, for which `lr` is looked at."""
        network = self._maker.network
        observed = collect(
            network,
            {"image": lambda: lr},
            moments=False,
            given=self._low.card.input,
            **vars(LEAST_EFFORT),
        )
        yield from constant_signs(load_onnx(self._low.onnx()), network, observed.histograms)

    @cached_property
    def _measured(self) -> Session:
        """The work's network in low precision; to open one of 351 layers takes seconds."""
        return self._open.enter_context(self._worker.open(self._low))

    @cached_property
    def _maker(self) -> Int8Maker:
        return self._low.int8_maker()


def _squares(low: NDArray[np.float32], full: NDArray[np.float32]) -> float:
    return float(np.square(low - full, dtype=np.float64).mean())
