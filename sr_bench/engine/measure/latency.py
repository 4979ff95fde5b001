"""Latency: which networks are timed, on what image, and what is recorded of the times."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sr_bench.core.case import Case
from sr_bench.core.detail import Detail
from sr_bench.core.record import Measurement, Record, Status, Verdict
from sr_bench.errors import NotRunError
from sr_bench.files.hashing import sha256_json
from sr_bench.system.memory import watch_peak

if TYPE_CHECKING:  # items are collected without the image libraries
    import numpy as np
    from numpy.typing import NDArray

    from sr_bench.engine.job import Progress
    from sr_bench.engine.measure.runs import Runs

_SEED = 20240607


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
    """Statistics of the timed rounds, in ms per image."""

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


def time_network(runs: "Runs", case: Case, timer: Timer, progress: "Progress") -> Record:
    """Time one image through the network of `case`; what opens it is not timed.

    Its metric is one of `TIMED_METRICS`.

    Raises:
        NotRunError: The device is emulated or replayed, something is absent, or `timer` is off.
        SrBenchError: The network can't be made, opened or run.
    """
    from sr_bench.recording.packed import array_digest

    _check_computes(runs)  # before anything is made
    runs.jobs.check_offered(case)
    prepared = runs.jobs.prepared(case, progress)
    source, lr = _image(runs, case)
    with runs.here.open_artefact(prepared.artefact(), prepared) as session:
        setting = _setting(runs, case, session.device, source)
        # The peak counts from the first run on: a runtime that keeps its buffers takes them in its
        # first two runs and nothing afterwards. Elsewhere than in this process it is unknown.
        watch = watch_peak() if setting.device == "cpu" else None
        session.run(lr)
        times = timer(lambda: session.run(lr), setting)
        peak_bytes = watch.rise_bytes() if watch else None
        notes = session.notes  # after the runs, when it knows most
    measurement = _measurement(case.metric, times, peak_bytes)
    verdict = Verdict(Status.NEW, "measured; latency is not judged", measured=measurement.value)
    inputs = {
        **prepared.inputs,
        "data": array_digest(lr),
        "shape": setting.shape,
        "backend": f"{setting.backend} {setting.version}",
        "device": setting.device,
        "threads": str(setting.threads),
        "cpu": runs.here.cpu,
    }
    detail = Detail(shape=setting.shape, threads=setting.threads, image=setting.image)
    detail = detail.noted({**prepared.provenance, **notes})
    return case.record(
        verdict,
        measurement=measurement,
        fingerprint=sha256_json(inputs),
        device=setting.device,
        detail=detail,
        inputs=inputs,
    )


def _check_computes(runs: "Runs") -> None:
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


def _image(runs: "Runs", case: Case) -> tuple[str, "NDArray[np.float32]"]:
    """Return where the image is from, and the network's input, of the size that is timed.

    It is the start of the dataset's first image, repeated where that is too small. Without the
    dataset it is noise, the same each time.
    """
    import numpy as np

    from sr_bench.engine.score.network_io import network_input

    card, (rows, columns) = case.card, case.timed_size
    # Rounded up: what the card enlarges is as large as the input, or larger.
    height, width = -(-rows // card.input_scale), -(-columns // card.input_scale)
    try:
        job = runs.jobs.job(case)
    except NotRunError:
        source = "random"
        lr = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    else:
        source = f"{job.images.slug} {job.names[0]}"
        lr = job.pair(0).lr
    tiles = (-(-height // lr.shape[0]), -(-width // lr.shape[1]), 1)  # rounded up
    image = np.tile(lr, tiles)[:height, :width]
    planes = network_input(image, case.on_images.protocol, card.input, card.scale)
    return source, np.ascontiguousarray(planes[:, :, :rows, :columns])


def _setting(runs: "Runs", case: Case, device: str, source: str) -> Setting:
    info = runs.here.info
    return Setting(
        backend=info.name,
        version=info.version,
        device=device,
        emulated=info.emulated,
        precision=str(case.precision),
        shape=case.shape,
        threads=runs.selection.session_threads,
        image=source,
        computes=info.note,
    )


def _measurement(metric: str, times: Times, peak_bytes: int | None) -> Measurement:
    statistics = asdict(times)
    median_ms = statistics.pop("median_ms")
    notes = {"images_per_s": 1000 / median_ms, **statistics}
    if peak_bytes is not None:
        notes["peak_mb"] = peak_bytes / 1e6
    named = {"latency": median_ms, "fps": notes["images_per_s"], "memory": notes.get("peak_mb")}
    if (value := named[metric]) is None:
        msg = "the peak memory of a device is not known: only that of this machine is measured"
        raise NotRunError(msg)
    return Measurement.of(metric, value, notes=notes)
