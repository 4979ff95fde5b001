"""What a session was asked to do: the options, parsed and checked once."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from sr_bench import discovery
from sr_bench.core.backend import BackendOptions
from sr_bench.core.card import ModelCard
from sr_bench.core.device import DeviceMode
from sr_bench.core.precision import Precision
from sr_bench.errors import OptionError
from sr_bench.files.cache import cache_dir

KeepMode = Literal["off", "8bit", "16bit"]

GateMode = Literal["off", "warn", "fail"]

CacheMode = Literal["on", "refresh", "off"]

IsolateMode = Literal["auto", "model", "off"]

SESSION_THREADS = 1
"""Threads that a network computes with; images are worked on side by side instead."""

DEFAULT_EXPLAIN_S = 30.0
DEFAULT_CALIBRATION_MIB = 1024
DEFAULT_CACHE_MIB = 256

_THREADS = re.compile(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?")
_DURATION = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s?)?")
_WITH_SCALE = re.compile(r"(.+)_x(\d+)")


@dataclass(frozen=True)
class Selection:
    """The options of one session."""

    backend: str = "onnxruntime"
    device: DeviceMode = "auto"
    """Whether the backend's device is used, required, or emulated."""
    replay: Path | None = None
    """For the backend ``replay``: the folder of the recording."""
    record: Path | None = None
    """Where the networks' outputs are recorded."""
    models: tuple[str, ...] = ()
    """Glob patterns on model names; empty: all."""
    datasets: tuple[str, ...] = ()
    """Dataset slugs, with or without ``_x<scale>``; empty: those of the claims."""
    precisions: tuple[Precision, ...] = ()
    """Empty: those of the claims."""
    limit: int = 0
    """Images per dataset; 0: all. A limited measurement is never judged."""
    data: Path | None = None
    """Where the user keeps datasets."""
    weights: Path | None = None
    """Where the user keeps weight files."""
    allow_better: bool = False
    """Whether a value outside the band on the good side passes."""
    gate: GateMode = "fail"
    """What a loss found by a gate does; with ``off`` there are no gates."""
    compare: Path | None = None
    """An earlier run's records: gates also tell whether this run is worse."""
    keep: KeepMode = "off"
    """Whether the images of each run are kept in `results`, and with how many bits."""
    results: Path | None = None
    """The results folder."""
    blanks: bool = False
    """Whether cells without a number, in rows that have one elsewhere, are measured too."""
    latency: bool = False
    """Whether models are also timed."""
    cache: CacheMode = "on"
    """Whether results of earlier sessions are used; ``refresh``: only written."""
    cache_dir: Path | None = None
    """Where results are kept; None: in the cache folder."""
    cache_bytes: int = DEFAULT_CACHE_MIB * 2**20
    """What they may take."""
    session: str = ""
    """Names this session, in whichever of its processes; empty: there is just one."""
    isolate: IsolateMode = "auto"
    """Whether each model runs in a process of its own; ``auto``: where a real device computes."""
    stall_s: float = 0
    """Seconds without progress after which such a process is ended; 0: as the backend needs."""
    memory_bytes: int = 0
    """What it may take; 0: nine tenths of the machine's, shared out among the workers."""
    workers: int = 1
    """How many such sessions run beside each other: pytest-xdist's workers."""
    cluster: str = ""
    """Address of a Dask scheduler, or ``local:N``; empty: this machine alone."""
    deadline: float | None = None
    """When the time for measuring is over, in seconds since the epoch; None: never."""
    explain_s: float = DEFAULT_EXPLAIN_S
    """Seconds that the search for the cause of a loss may take; 0: no search."""
    calibration_bytes: int = DEFAULT_CALIBRATION_MIB * 2**20
    """Memory that calibration may use above plain inference."""
    threads: int = 1
    """Images that are worked on at the same time, each on one core."""
    session_threads: int = SESSION_THREADS
    """Threads that a network computes one image with."""

    def __post_init__(self) -> None:
        valid = discovery.names("sr_bench.backends")
        if self.backend not in valid:
            msg = f"--backend={self.backend}: no such backend; the valid ones are: "
            raise OptionError(msg + ", ".join(valid))
        if self.device not in get_args(DeviceMode):
            msg = f"--sr-device={self.device}: expected one of {', '.join(get_args(DeviceMode))}"
            raise OptionError(msg)
        if (self.backend == "replay") != (self.replay is not None):
            msg = "--backend=replay and --sr-replay=DIR, the folder of a recording, go together"
            raise OptionError(msg)
        if self.limit < 0:
            msg = f"--sr-limit={self.limit}: expected a number of images, 0 for all"
            raise OptionError(msg)
        if self.gate not in get_args(GateMode):
            msg = f"--sr-gate={self.gate}: expected one of {', '.join(get_args(GateMode))}"
            raise OptionError(msg)
        if self.keep not in get_args(KeepMode):
            msg = f"--sr-keep={self.keep}: expected one of {', '.join(get_args(KeepMode))}"
            raise OptionError(msg)
        if self.cache not in get_args(CacheMode):
            msg = f"--sr-cache={self.cache}: expected one of {', '.join(get_args(CacheMode))}"
            raise OptionError(msg)
        if self.cache_bytes <= 0:
            msg = "--sr-cache-size: expected a number of MiB above 0"
            raise OptionError(msg)
        if self.isolate not in get_args(IsolateMode):
            msg = f"--sr-isolate={self.isolate}: expected one of {', '.join(get_args(IsolateMode))}"
            raise OptionError(msg)
        if self.cluster and self.isolate == "model":
            msg = "--sr-cluster and --sr-isolate=model don't go together: its workers are isolated"
            raise OptionError(msg)
        if self.stall_s < 0:
            msg = f"--sr-time-limit={self.stall_s:g}: expected seconds, 0 for the backend's own"
            raise OptionError(msg)
        if self.memory_bytes < 0:
            mib = self.memory_bytes // 2**20
            msg = f"--sr-memory-limit={mib}: expected a number of MiB, 0 for nine tenths of all"
            raise OptionError(msg)
        if self.explain_s < 0:
            msg = f"--sr-explain={self.explain_s:g}: expected seconds, 0 for no search"
            raise OptionError(msg)
        if self.calibration_bytes <= 0:
            msg = "--sr-calibration-memory: expected a number of MiB above 0"
            raise OptionError(msg)
        folders = {
            "--sr-data": self.data,
            "--sr-weights": self.weights,
            "--sr-replay": self.replay,
        }
        for option, folder in folders.items():
            if folder is not None and not folder.is_dir():
                msg = f"{option}={folder}: expected a folder, found none there"
                raise OptionError(msg)

    @cached_property
    def answers(self) -> str:
        """The backend whose rows this session answers: of a replay, the one that was recorded.

        Raises:
            SrBenchError: The recording can't be read.
        """
        if self.replay is None:
            return self.backend
        replay = discovery.load("sr_bench.backends", self.backend)
        return str(replay.describe(self.backend_options).answers)

    @property
    def results_cache(self) -> Path:
        """Where results are kept, which may not exist yet."""
        return self.cache_dir or cache_dir() / "results"

    @property
    def backend_options(self) -> BackendOptions:
        """What the backend is told."""
        return BackendOptions(self.device, self.replay)

    def wants_model(self, name: str) -> bool:
        """Tell whether the model `name` is asked for."""
        return not self.models or any(fnmatchcase(name, pattern) for pattern in self.models)

    def wants_dataset(self, slug: str, scale: int) -> bool:
        """Tell whether the dataset `slug` at `scale` is asked for."""
        return not self.datasets or slug in self.datasets or f"{slug}_x{scale}" in self.datasets

    def wants_gate(self, card: ModelCard) -> bool:
        """Tell whether low precisions of `card` are to be judged against fp32."""
        return card.gate_on(self.answers) is not None and self.gate != "off"

    def wants_precision(self, precision: Precision) -> bool:
        """Tell whether `precision` is asked for."""
        return not self.precisions or precision in self.precisions


def parse_precisions(text: str) -> tuple[Precision, ...]:
    """Return the precisions in a comma-separated list.

    Raises:
        OptionError: One is unknown; the message lists the valid ones.
    """
    try:
        return tuple(Precision.parse_option(word) for word in split_list(text))
    except ValueError as cause:
        msg = f"--sr-precision={text}: {cause}"
        raise OptionError(msg) from None


def parse_threads(text: str) -> tuple[int, int]:
    """Return the images at once, 0 if that is not said, and the threads for each.

    Raises:
        OptionError: `text` is neither empty nor ``N`` nor ``NxM``, both at least 1.

    >>> parse_threads("4"), parse_threads("2x8"), parse_threads("")
    ((4, 1), (2, 8), (0, 1))
    """
    if not text:
        return 0, SESSION_THREADS
    match = _THREADS.fullmatch(text)
    if match is None:
        msg = f"--sr-threads={text}: expected N images at once, or NxM with M threads for each"
        raise OptionError(msg)
    return int(match[1]), int(match[2] or SESSION_THREADS)


def parse_duration(option: str, text: str) -> float | None:
    """Return the seconds that `text` spells; None if it is empty.

    Raises:
        OptionError: It spells no time above 0; the message names `option`.

    >>> parse_duration("--sr-budget", "1h30m"), parse_duration("--sr-budget", "45")
    (5400.0, 45.0)
    """
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (float(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        msg = f"{option}={text}: expected a time such as 2h, 90m, 1h30m or 45s"
        raise OptionError(msg)
    return total


def split_scale(name: str) -> tuple[str, int]:
    """Return the slug and the scale in a dataset's name, 0 if it has none.

    >>> split_scale("div2k_valid_x2"), split_scale("set5")
    (('div2k_valid', 2), ('set5', 0))
    """
    match = _WITH_SCALE.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 0)


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list, without blanks and empty parts."""
    return tuple(part for part in (word.strip() for word in text.split(",")) if part)
