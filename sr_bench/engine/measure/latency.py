"""Latency: which networks are timed, on what image, and what is recorded of the times."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

from sr_bench.core.backend import Form
from sr_bench.core.case import Case
from sr_bench.core.detail import Detail
from sr_bench.core.latency import BesideFp32
from sr_bench.core.precision import Precision
from sr_bench.core.record import Measurement, Record, Status, Verdict
from sr_bench.engine.measure.in_turn import beside
from sr_bench.errors import NotRunError, SrBenchError
from sr_bench.files.hashing import sha256_json
from sr_bench.system.cpu import CoreWatch, usable_cores
from sr_bench.system.memory import watch_peak

if TYPE_CHECKING:  # items are collected without the image libraries
    import numpy as np
    from numpy.typing import NDArray

    from sr_bench.core.backend import Session
    from sr_bench.engine.job import Progress
    from sr_bench.engine.measure.runs import Runs

_SEED = 20240607
_UNCLAIMED: Final = "measured; no document claims a value for it"


@dataclass(frozen=True)
class Setting:
    """What a time is true of."""

    backend: str
    version: str
    """Of the library that computes."""
    device: str
    emulated: bool
    precision: str
    shape: str
    """Of the image, such as ``3x128x128``."""
    threads: int
    image: str
    """Where the image is from: a dataset and the image's name, or ``random``."""
    computes: str
    """How, in the backend's words: a low precision may be emulated."""


@dataclass(frozen=True)
class Times:
    """Statistics of the timed rounds, in ms: of one run, of an image or of a whole batch."""

    median_ms: float
    mean_ms: float
    stddev_ms: float
    iqr_ms: float
    """Distance of the quartiles."""
    min_ms: float
    rounds: int


Timer = Callable[[Callable[[], object], Setting], Times]
"""Runs the function as often as it likes, after a run that warmed it up, and returns the times.

It raises a NotRunError if timing is switched off.
"""


@dataclass(frozen=True)
class _Timed:
    """A network that was timed: what each record of it holds."""

    times: Times
    setting: Setting
    batch: int
    notes: Mapping[str, float]
    """Peak memory and the time beside fp32, where they are known."""
    inputs: Mapping[str, str]
    detail: Detail


class Timings:
    """The networks that a session times: each once, whichever of its numbers are asked for.

    Args:
        runs: Of the session.
        clock: Tells seconds from any start on, where a low precision is timed beside fp32.
    """

    def __init__(self, runs: "Runs", clock: Callable[[], float] = perf_counter) -> None:
        self._runs = runs
        self._clock = clock
        self._timed: dict[tuple[object, ...], _Timed] = {}

    def record(self, case: Case, timer: Timer, progress: "Progress") -> Record:
        """Time images through the network of `case`; what opens it is not timed.

        Its metric is one of `TIMED_METRICS`.

        Raises:
            NotRunError: The device is emulated or replayed, something is absent, or `timer` is off.
            SrBenchError: The network can't be made, opened or run.
        """
        _check_computes(self._runs, case)  # before anything is made
        key = (case.card.folder, case.card.name, case.precision, case.shape, case.batch)
        timed = self._timed.get(key)
        if timed is None or timed.times.rounds < rounds_of(case):
            timed = self._timed[key] = self._time(case, timer, progress)
        measurement = _measurement(case.metric, timed)
        beside_fp32, sentence = BesideFp32.of(measurement.notes), _UNCLAIMED
        if beside_fp32:
            sentence = f"{sentence}; {beside_fp32}"
        elif _imitated(self._runs, case):
            sentence = f"{sentence}; {case.precision} is emulated here, in float32"
        verdict = Verdict(Status.NEW, sentence, measurement.value)
        return case.record(
            verdict,
            measurement=measurement,
            fingerprint=sha256_json(timed.inputs),
            device=timed.setting.device,
            detail=timed.detail,
            inputs=timed.inputs,
        )

    def _time(self, case: Case, timer: Timer, progress: "Progress") -> _Timed:
        from sr_bench.recording.packed import array_digest

        runs, threads = self._runs, self._threads(case)
        runs.jobs.check_offered(case)
        prepared = runs.jobs.prepared(case, progress)
        source, lr = _image(runs, case)
        with runs.here.open_artefact(prepared.artefact(), prepared, threads) as session:
            setting = _setting(runs, case, session.device, source, threads)
            _check_device(runs, case, session.device)
            # The peak counts from the first run on: a runtime that keeps its buffers takes them in
            # its first two runs and nothing afterwards. Of another process it is unknown.
            watch = watch_peak() if setting.device == "cpu" else None
            session.run(lr)
            core = CoreWatch()
            times = timer(lambda: session.run(lr), setting)
            waited_percent = core.waited_percent()
            notes = {"peak_mb": watch.rise_bytes() / 1e6} if watch else {}
            if setting.device == "cpu" and threads == 1:  # of several, some always wait
                notes["waited_percent"] = waited_percent
            said = session.notes  # after the runs, when it knows most
            notes |= self._beside_fp32(case, session, lr, threads)
        inputs = {
            **prepared.inputs,
            "data": array_digest(lr),
            "shape": setting.shape,
            "backend": f"{setting.backend} {setting.version}",
            "device": setting.device,
            "threads": str(threads),
            "cpu": runs.here.cpu,
        }
        detail = Detail(shape=setting.shape, threads=threads, image=setting.image)
        detail = detail.noted({**prepared.provenance, **said})
        return _Timed(times, setting, case.batch, notes, inputs, detail)

    def _threads(self, case: Case) -> int:
        """Return how many the network is timed with: the card's go first."""
        threads, cores = case.card.latency.threads, usable_cores()
        if threads and self._runs.here.info.device == "cpu" and threads > cores:
            msg = f"the card times with {threads} threads, and this process may use {cores} cores"
            raise NotRunError(msg)
        return threads or self._runs.selection.session_threads

    def _beside_fp32(
        self, case: Case, session: "Session", lr: "NDArray[np.float32]", threads: int
    ) -> Mapping[str, float]:
        """Return how the time compares with that of the same network in fp32, if that runs here."""
        if case.precision.is_full or _imitated(self._runs, case):
            return {}
        full = replace(case, precision=Precision.FP32)
        with suppress(SrBenchError):  # its own item says so
            self._runs.jobs.check_offered(full)
            made = self._runs.jobs.prepared(full)
            with self._runs.here.open_artefact(made.artefact(), made, threads) as reference:
                if reference.device == session.device:
                    runs = partial(session.run, lr), partial(reference.run, lr)
                    return beside(*runs, self._clock)
        return {}


def rounds_of(case: Case) -> int:
    """Return in how many rounds `case` must be timed at least; 0: nobody says it."""
    return case.card.latency.rounds if case.cell else 0


def _imitated(runs: "Runs", case: Case) -> bool:
    """Tell whether a low precision is rounded values in float32 here, which costs time."""
    return case.precision.dtype in runs.here.info.imitates and not (
        case.precision in case.card.onnx_by_precision and runs.here.info.form is Form.ONNX
    )


def _check_computes(runs: "Runs", case: Case) -> None:
    """Raise a NotRunError if times would say nothing of the device."""
    info = runs.here.info
    if info.replays:
        msg = f"{info.name} computes nothing, so it has no latency: time on the device itself"
        raise NotRunError(msg)
    if info.emulated:
        msg = (
            f"{info.name} is emulated here, and the speed of an emulation says nothing about the"
            " card; time it where a card is ready"
        )
        raise NotRunError(msg)
    if case.cell and _imitated(runs, case):
        msg = (
            f"{info.name} emulates {case.precision} here, in float32, and the speed of an emulation"
            " says nothing about a printed one"
        )
        raise NotRunError(msg)


def _check_device(runs: "Runs", case: Case, device: str) -> None:
    """Raise a NotRunError if a printed time is not taken on the session's device."""
    if case.cell and device != runs.here.info.device:
        msg = f"{case.precision} is computed on {device} here, not on {runs.here.info.device}"
        raise NotRunError(msg)


def _image(runs: "Runs", case: Case) -> tuple[str, "NDArray[np.float32]"]:
    """Return where the image is from, and the network's input, of the size that is timed.

    It is the start of the dataset's first image, repeated where that is too small. Without a
    dataset, or its files, it is noise, the same each time.
    """
    import numpy as np

    from sr_bench.engine.score.network_io import network_input

    card, (rows, columns) = case.card, case.timed_size
    # Rounded up: what the card enlarges is as large as the input, or larger.
    height, width = -(-rows // card.input_scale), -(-columns // card.input_scale)
    source, protocol = "random", card.usual_protocol
    lr = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    if case.evaluation:
        protocol = case.evaluation.protocol
        with suppress(NotRunError):
            job = runs.jobs.job(case)
            source, lr = f"{job.images.slug} {job.names[0]}", job.pair(0).lr
    tiles = (-(-height // lr.shape[0]), -(-width // lr.shape[1]), 1)  # rounded up
    image = np.tile(lr, tiles)[:height, :width]
    planes = network_input(image, protocol, card.input, card.scale)
    planes = np.repeat(planes[:, :, :rows, :columns], case.batch, axis=0)
    return source, np.ascontiguousarray(planes)


def _setting(runs: "Runs", case: Case, device: str, source: str, threads: int) -> Setting:
    info = runs.here.info
    return Setting(
        backend=info.name,
        version=info.version,
        device=device,
        emulated=info.emulated,
        precision=str(case.precision),
        shape=case.shape if case.batch == 1 else f"{case.batch}x{case.shape}",
        threads=threads,
        image=source,
        computes=info.note,
    )


def _measurement(metric: str, timed: _Timed) -> Measurement:
    """Return the number of `metric`; FPS are the same time as ms, of all images of a batch."""
    statistics = asdict(timed.times)
    median_ms = statistics.pop("median_ms")
    notes = {"images_per_s": 1000 * timed.batch / median_ms, **statistics, **timed.notes}
    notes["spread_percent"] = 100 * timed.times.iqr_ms / median_ms
    named = {"latency": median_ms, "fps": notes["images_per_s"], "memory": notes.get("peak_mb")}
    if (value := named[metric]) is None:
        msg = "the peak memory of a device is not known: only that of this machine is measured"
        raise NotRunError(msg)
    return Measurement.of(metric, value, notes=notes)
