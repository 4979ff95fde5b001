"""Latency: which networks are timed, on what image, and what is recorded of the times."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from sr_bench.core.backend import BackendInfo, Form
from sr_bench.core.case import LATENCY_METRIC, Case
from sr_bench.core.detail import Detail
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Measurement, Status, Verdict
from sr_bench.engine.plan.cases import same_backend
from sr_bench.errors import NotRunError
from sr_bench.files.hashing import sha256_json
from sr_bench.history.environment import cpu_model
from sr_bench.system.memory import watch_peak

if TYPE_CHECKING:  # cases are planned without the image libraries
    import numpy as np
    from numpy.typing import NDArray

    from sr_bench.core.backend import Session
    from sr_bench.engine.job import Progress
    from sr_bench.engine.measure.run import Answer
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.engine.prepare.network import Prepared

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


def latency_cases(cases: Iterable[Case], answers: str) -> Iterator[Case]:
    """Yield what to time: once, each network and precision that is scored on images.

    Args:
        cases: The plan of one suite.
        answers: The backend whose rows the session answers.
    """
    seen = set()
    for case in cases:
        word = case.claim.backend if case.claim else ""
        key = (case.card.name, case.precision)
        if case.evaluation and same_backend(word, answers) and key not in seen:
            seen.add(key)
            yield replace(case, metric=LATENCY_METRIC, claim=None, blank=None)


def time_network(runs: "Runs", case: Case, timer: Timer, progress: "Progress") -> "Answer":
    """Time one image through the network of `case`; what opens it is not timed.

    Raises:
        NotRunError: The device is emulated or replayed, something is absent, or `timer` is off.
        SrBenchError: The network can't be made, opened or run.
    """
    from sr_bench.engine.measure.run import Answer
    from sr_bench.recording.packed import array_digest

    _check_computes(runs.here.info)
    runs.jobs.check_offered(case)
    prepared = runs.jobs.prepared(case, progress)
    source, lr = _image(runs, case)
    with runs.here.open_artefact(prepared.artefact()) as session:
        setting = _setting(runs, case, session, source)
        # The peak counts from the first run on: a runtime that keeps its buffers takes them in its
        # first two runs and nothing afterwards. Elsewhere than in this process it is unknown.
        watch = watch_peak() if setting.device == "cpu" else None
        session.run(lr)
        times = timer(lambda: session.run(lr), setting)
        peak_bytes = watch.rise_bytes() if watch else None
        notes = session.notes
    measurement = _measurement(times, peak_bytes)
    verdict = Verdict(Status.NEW, "measured; latency is not judged", measured=measurement.value)
    inputs = _inputs(prepared, setting, array_digest(lr))
    detail = Detail(shape=setting.shape, threads=setting.threads, image=setting.image)
    detail = detail.noted({**prepared.provenance, **notes})
    return Answer(measurement, verdict, sha256_json(inputs), setting.device, detail, inputs)


def _check_computes(info: BackendInfo) -> None:
    """Raise a NotRunError if times would say nothing of the device."""
    if info.form is Form.RECORDED:
        msg = f"{info.name} computes nothing, so it has no latency: time on the device itself"
        raise NotRunError(msg)
    if info.emulated:
        msg = (
            f"{info.name} is emulated here, and the speed of an emulation says nothing about the"
            " card; time it where a card is ready"
        )
        raise NotRunError(msg)


def _image(runs: "Runs", case: Case) -> tuple[str, "NDArray[np.float32]"]:
    """Return where the image is from, and the network's input, 1 x 3 x height x width.

    It is the start of the dataset's first image, repeated where that is too small. Without the
    dataset it is noise, the same each time.
    """
    import numpy as np

    from sr_bench.engine.measure.jobs import evaluation_of
    from sr_bench.engine.measure.one_by_one import load_pair
    from sr_bench.engine.score.protocol import network_input

    height, width = case.timed_size
    try:
        job = runs.jobs.job(case)
    except NotRunError:
        source = "random"
        lr = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    else:
        source = f"{job.images.slug} {job.names[0]}"
        lr = load_pair(job, 0).lr
    tiles = (-(-height // lr.shape[0]), -(-width // lr.shape[1]), 1)
    image = np.tile(lr, tiles)[:height, :width]
    return source, network_input(image, evaluation_of(case).protocol, case.card.value_range)


def _setting(runs: "Runs", case: Case, session: "Session", source: str) -> Setting:
    info = runs.here.info
    return Setting(
        backend=info.name,
        version=info.version,
        device=session.device,
        emulated=info.emulated,
        precision=str(case.precision),
        shape=case.shape,
        threads=runs.selection.session_threads,
        image=source,
        computes=info.note,
    )


def _measurement(times: Times, peak_bytes: int | None) -> Measurement:
    statistics = asdict(times)
    value = statistics.pop("median_ms")
    notes = {"images_per_s": 1000 / value, **statistics}
    if peak_bytes is not None:
        notes["peak_mb"] = peak_bytes / 1e6
    return Measurement(LATENCY_METRIC, metric_info(LATENCY_METRIC).unit, value, notes=notes)


def _inputs(prepared: "Prepared", setting: Setting, image: str) -> Mapping[str, str]:
    return {
        **prepared.inputs,
        "data": image,
        "shape": setting.shape,
        "backend": f"{setting.backend} {setting.version}",
        "device": setting.device,
        "threads": str(setting.threads),
        "cpu": cpu_model(),
    }
