"""One pass over a calibration set: what any observer and any int8 plan needs of a network.

Images run in tiles, each an image of its own, on several threads. Every tile gives the same bits
on every thread, and sums of tiles are exact: the result does not depend on the order of the
images, on the number of threads or on the memory.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import ceil
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.network_io import NetworkInput
from sr_bench.errors import BackendError, DatasetError
from sr_bench.files.onnx_image import said
from sr_bench.precision.histogram import USUAL, Counting, Histogram
from sr_bench.precision.network import Network
from sr_bench.precision.segments import Array, Need, Runner, cut, memory_need
from sr_bench.precision.statistics.live import holders, live_name, with_live_values
from sr_bench.precision.statistics.moments import (
    Codes,
    Moments,
    Positions,
    Sample,
    TilePatches,
    Window,
    read_patches,
    windows,
)
from sr_bench.precision.statistics.observed import Observed
from sr_bench.precision.statistics.tails import Tails
from sr_bench.precision.tiles import ANY_SIZE, LARGEST_TILE, MIDDLE, Cutter, Tile

_MIB = 2**20
_OUTPUTS = 64  # at most so many are held, 0.8 MB each at x4


@dataclass(frozen=True)
class Statistics:
    """What one pass over the calibration set gives."""

    histograms: Mapping[str, Histogram]
    """Of each tensor that any plan may round, by its name; over all images but `stress`."""
    live: Mapping[str, Histogram]
    """Of those of which not all values matter: of the values that do."""
    tails: Mapping[str, Tails]
    """Of each tensor's values that matter, image by image in the order of their names."""
    moments: Mapping[str, NDArray[np.float64]]
    """Second moments of what weights multiply, by the name of the weights; see `Moments`. Empty
    if not collected."""
    outputs: Mapping[str, tuple[Array, Array]]
    """The first tiles of at most `MIDDLE` pixels of a side, by the image that each is all of, and
    what the network gives for them."""


def collect(
    network: Network,
    inputs: Mapping[str, Callable[[], NDArray[np.float32]]],
    *,
    memory_bytes: int,
    moments: bool,
    workers: int,
    progress: Callable[[int, int, str], None],
    given: NetworkInput = ANY_SIZE,
    stress: Collection[str] = (),
    counting: Counting = USUAL,
    largest: int = LARGEST_TILE,
) -> Statistics:
    """Run the fp32 `network` over `inputs` once, and return the statistics.

    Args:
        network: Run on tiles, as `Cutter` cuts them.
        inputs: By name of the image: a function that returns it as the network's input, of shape
            (1, C, H, W). Sizes may differ.
        memory_bytes: What may be held above what one tile takes; if tight, fewer run at once.
        moments: Whether to find the second moments too.
        workers: Tiles that run at the same time.
        progress: Called after each image with how many are done, of how many, and its name.
        given: The sizes that the network takes, as far as its card says.
        stress: Names of images that only tails and moments are collected of.
        counting: How all values are counted.
        largest: Pixels up to which a side of an image is not cut.

    Raises:
        DatasetError: There are no images, or all are `stress`.
        BackendError: An image doesn't fit the network, a tensor holds NaN or inf, or the memory
            is too small; the message names it.
    """
    if inputs.keys() <= set(stress):
        msg = "the calibration set is empty; expected at least one image, such as a photograph"
        raise DatasetError(msg)
    how = (moments, memory_bytes, workers, given, frozenset(stress), counting, largest)
    job = _Pass(network, *how)
    executor = ThreadPoolExecutor(workers, thread_name_prefix="calibrate")
    try:
        for done, name in enumerate(job.finished_images(executor, inputs), start=1):
            progress(done, len(inputs), name)
    finally:
        job.stop.set()
        executor.shutdown(cancel_futures=True)
        job.runner.close()
    return job.statistics()


_TileStatistics = tuple[Mapping[str, Histogram], TilePatches, Array | None]


class _Pass:
    """The work of one `collect`: submits tiles, and adds up what they give."""

    def __init__(
        self,
        network: Network,
        moments: bool,
        memory_bytes: int,
        workers: int,
        given: NetworkInput,
        stress: frozenset[str],
        counting: Counting,
        largest: int,
    ):
        self.stop = Event()
        self._observed = Observed.of(network)
        self._names = sorted((*self._observed.collected, *self._observed.derived))
        holding = holders(network, self._names).items()
        self._live = {name: live_name(network, holder) for name, holder in holding}
        # What is added changes no value of the network.
        network = with_live_values(network, self._names)
        self._network, self._given, self._stress = network, given, stress
        self._memory_bytes, self._workers = memory_bytes, workers
        self._counting, self._largest = counting, largest
        self._seen = self._observed.collected | set(self._live.values())
        self._sample = Sample(windows(network) if moments else {})
        self._histograms: dict[str, Histogram] = {}
        self._of_image: dict[str, Histogram] = {}
        self._tails: dict[str, Mapping[str, Tails]] = {}
        self._outputs: dict[str, tuple[Array, Array]] = {}
        self._windows: dict[str, set[Window]] = {}
        for window in self._sample.windows.values():
            self._windows.setdefault(window.input, set()).add(window)
        # Layers' inputs are always cut out, so that the moments don't change the histograms.
        inputs = {layer.input for layer in network.layers}
        segments = cut(network, self._seen | inputs)
        self.runner = Runner(network, segments)
        self._need: Callable[[tuple[int, ...]], Need] = cache(
            lambda shape: memory_need(network, segments, shape)
        )

    def finished_images(
        self, executor: ThreadPoolExecutor, inputs: Mapping[str, Callable[[], NDArray[np.float32]]]
    ) -> Iterator[str]:
        """Run all images; yield the name of each when it is done."""
        running: deque[tuple[Tile, Future[_TileStatistics]]] = deque()
        run, given = self.runner.run_through, self._given
        cutter = Cutter.of(self._network, run, given, largest=self._largest)
        for tile in cutter.tiles(inputs):
            while running and not self._fits(tile, [other for other, _ in running]):
                yield from self._finish(*running.popleft())
            self._check_memory(tile)
            running.append((tile, executor.submit(self._observe, tile)))
        while running:
            yield from self._finish(*running.popleft())

    def statistics(self) -> Statistics:
        """Return the result, when all images are done."""
        sample, images = self._sample, sorted(self._tails)
        histograms, live = self._all(self._histograms)
        tails = {
            name: Tails.joined([self._tails[image][name] for image in images])
            for name in self._names
        }
        moments = Moments(sample) if sample.windows else {}
        return Statistics(histograms, live, tails, moments, self._outputs)

    def _all(
        self, seen: Mapping[str, Histogram]
    ) -> tuple[dict[str, Histogram], dict[str, Histogram]]:
        """Return the histogram of each tensor, and those of live values by the tensor's name."""
        histograms = {name: self._observed.histogram(name, seen) for name in self._names}
        return histograms, {name: seen[live] for name, live in self._live.items()}

    def _finish(self, tile: Tile, result: "Future[_TileStatistics]") -> Iterator[str]:
        histograms, patches, output = result.result()
        is_whole = tile.is_last and not self._of_image
        if is_whole and output is not None and len(self._outputs) < _OUTPUTS:
            self._outputs[tile.image] = tile.pixels, output
        self._of_image = _merged(self._of_image, histograms)
        self._sample.add(patches)
        if tile.is_last:
            if tile.image not in self._stress:
                self._histograms = _merged(self._histograms, self._of_image)
            every, live = self._all(self._of_image)
            self._tails[tile.image] = {name: Tails.of(h) for name, h in (every | live).items()}
            self._of_image = {}
            yield tile.image

    def _observe(self, tile: Tile) -> _TileStatistics:
        """Run one tile and observe its tensors; in a thread."""
        histograms: dict[str, Histogram] = {}
        codes: dict[Window, Codes] = {}
        positions, output = Positions.of(tile.pixels), None
        for values in self._run(tile):
            if max(tile.pixels.shape[2:]) <= MIDDLE:
                output = values.get(self._network.output, output)
            for name in self._seen & values.keys():
                try:
                    histograms[name] = Histogram.of(
                        values[name], where=name, counting=self._counting
                    )
                except BackendError as error:
                    raise error.about(tile.image) from error
            for name in self._windows.keys() & values.keys():
                largest = self._observed.histogram(name, histograms).largest
                for window in self._windows[name]:
                    codes[window] = read_patches(values[name], window, largest, positions)
        return histograms, TilePatches(positions.scores, codes), output

    def _run(self, tile: Tile) -> Iterator[Mapping[str, Array]]:
        """Yield the values from each segment for `tile`."""
        try:
            for values in self.runner.run(tile.pixels):
                # cancel_futures reaches no tile that runs: that one ends at its next segment.
                if self.stop.is_set():
                    raise CancelledError
                yield values
        except (CancelledError, BackendError):  # they say what happened
            raise
        # onnxruntime's exceptions have no common base but Exception.
        except Exception as error:
            size = _size(tile.pixels)
            msg = f"{tile.image}: the network can't run on {size} pixels of it: {said(error)}"
            raise BackendError(msg) from error

    def _fits(self, tile: Tile, others: Sequence[Tile]) -> bool:
        """Return whether `tile` may be submitted while `others` wait or run."""
        shapes = [each.pixels.shape for each in (tile, *others)]
        # At most so many run at once; in the worst case the largest ones do.
        most = sorted((self._need(shape).observed for shape in shapes), reverse=True)
        together = sum(most[: self._workers]) - self._need(tile.pixels.shape).plain
        # Results are taken in the order of submission: others wait, or one slow tile idles all.
        return len(others) < 2 * self._workers and together <= self._free_bytes

    def _check_memory(self, tile: Tile) -> None:
        need = self._need(tile.pixels.shape)
        if need.observed - need.plain > self._free_bytes:
            needed = need.observed - need.plain + self._memory_bytes - self._free_bytes
            msg = (
                f"{tile.image}: calibrating with {_size(tile.pixels)} pixels at a time needs about"
                f" {ceil(needed / _MIB)} MiB above plain inference, and"
                f" {self._memory_bytes / _MIB:g} MiB are allowed; raise sr_calibration_memory"
            )
            raise BackendError(msg)

    @property
    def _free_bytes(self) -> int:
        """What tiles may take above plain inference."""
        return self._memory_bytes - self._sample.largest_bytes


def _merged(
    first: Mapping[str, Histogram], second: Mapping[str, Histogram]
) -> dict[str, Histogram]:
    """Return the histograms of the values of both, by the name of the tensor."""
    return {
        name: first[name].merged(other) if name in first else other
        for name, other in second.items()
    }


def _size(pixels: Array) -> str:
    return " x ".join(map(str, pixels.shape[2:]))
