"""What a session was asked to do: its options, each declared here and checked once."""

import sys
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, get_args

from sr_bench import discovery
from sr_bench.core.modes import CacheMode, DeviceMode, GateMode, IsolateMode, KeepMode
from sr_bench.core.precision import Precision
from sr_bench.engine.plan.option import (
    FOLDER,
    LIST,
    PATH,
    PRECISIONS,
    SESSION_THREADS,
    TEXT,
    check_options,
    number,
    one_of,
    option,
    switch,
)
from sr_bench.errors import OptionError

if TYPE_CHECKING:  # each session of pytest declares these options, also one without a card
    from sr_bench.core.backend import BackendInfo, BackendOptions
    from sr_bench.core.card import ModelCard
    from sr_bench.files.kept import Kept, Spare

DEFAULT_CALIBRATION_MIB = 1024


@dataclass(frozen=True)
class Selection:
    """The options of one session, and what follows from them."""

    backend: str = option(
        "--backend",
        "NAME",
        "what runs the models; vacc is emulated without a card",
        one_of(partial(discovery.names, "sr_bench.backends")),
        "onnxruntime",
    )
    models: tuple[str, ...] = option(
        "--sr-models", "A,B", "only these models; patterns such as 'edsr_*'", LIST
    )
    datasets: tuple[str, ...] = option(
        "--sr-datasets", "A,B", "only these datasets, also ones that no table has", LIST
    )
    """With or without ``_x<scale>``; empty: those of the claims."""
    precisions: tuple[Precision, ...] = option(
        "--sr-precision", "A,B", "only these precisions, also ones that no table has", PRECISIONS
    )
    """Empty: those of the claims."""
    limit: int = option(
        "--sr-limit",
        "N",
        "only the first N images of each dataset, 0 for all; shown, never judged",
        number("images, 0 for all"),
        "0",
    )
    data: Path | None = option("--sr-data", "DIR", "where your datasets are", FOLDER)
    weights: Path | None = option("--sr-weights", "DIR", "where your weight files are", FOLDER)
    trust_code: bool = switch(
        "--sr-trust-code", "run Python code of networks that cards say to trust"
    )
    keep: KeepMode = option(
        "--sr-keep",
        "MODE",
        "keep images for the HTML report: off, 8bit or 16bit",
        one_of(lambda: get_args(KeepMode)),
        "off",
    )
    latency: bool = switch("--sr-latency", "also time each model and precision")
    device: DeviceMode = option(
        "--sr-device",
        "MODE",
        "auto: a card if one is ready, else emulate; require: fail without a card; emulate",
        one_of(lambda: get_args(DeviceMode)),
        "auto",
        rare=True,
    )
    gate: GateMode = option(
        "--sr-gate",
        "MODE",
        "what to do when a low precision loses too much: off, warn or fail",
        one_of(lambda: get_args(GateMode)),
        "fail",
        rare=True,
    )
    explain_s: float = option(
        "--sr-explain",
        "S",
        "seconds to search for layers that cause a loss",
        number("seconds, 0 for no search"),
        "30",
        rare=True,
    )
    allow_better: bool = switch(
        "--sr-allow-better", "pass values that are better than the document says", rare=True
    )
    cache: CacheMode = option(
        "--sr-cache",
        "MODE",
        "reuse results of the same content: on, refresh or off",
        one_of(lambda: get_args(CacheMode)),
        "on",
        rare=True,
    )
    isolate: IsolateMode = option(
        "--sr-isolate",
        "MODE",
        "model: each model in its own process, against crashes; off; auto: on a real device",
        one_of(lambda: get_args(IsolateMode)),
        "auto",
        rare=True,
    )
    cluster: str = option(
        "--sr-cluster",
        "ADDRESS",
        "run on a Dask cluster, or on local:N workers",
        TEXT,
        rare=True,
    )
    record: Path | None = option(
        "--sr-record", "DIR", "record network outputs, for --backend=replay", PATH, rare=True
    )
    replay: Path | None = option(
        "--sr-replay", "DIR", "the recording of --backend=replay", FOLDER, rare=True
    )
    calibration_bytes: int = option(
        "sr_calibration_memory",
        "MIB",
        "MiB that calibration may use",
        number("MiB above 0", least=1, unit=2**20),
        str(DEFAULT_CALIBRATION_MIB),
    )
    cache_dir: Path | None = option(
        "sr_cache_dir", "DIR", "folder of kept results, instead of the cache's", PATH
    )
    cache_bytes: int = option(
        "sr_cache_size",
        "MIB",
        "MiB that kept results may take",
        number("MiB above 0", least=1, unit=2**20),
        "256",
    )
    pairs_bytes: int = option(
        "sr_pairs_size",
        "MIB",
        "MiB that resized images may take; 0: keep none",
        number("MiB, 0 for none", unit=2**20),
        "1024",
    )
    stall_s: float = option(
        "sr_time_limit",
        "S",
        "seconds that an isolated model may be silent; 0: the backend's own, mostly 600",
        number("seconds, 0 for the backend's own"),
        "0",
    )
    memory_bytes: int = option(
        "sr_memory_limit",
        "MIB",
        "MiB that an isolated model may take; 0: nine tenths of the machine's",
        number("MiB, 0 for nine tenths of the machine's memory", unit=2**20),
        "0",
    )
    compare: tuple[Path, ...] = ()
    """Earlier runs, the newest first: gates also tell whether this run is worse than the newest
    record of a case in them."""
    results: Path | None = None
    """The results folder."""
    blanks: bool = False
    """Whether cells without a number, in rows that have one elsewhere, are measured too."""
    session: str = ""
    """Names this session, in whichever of its processes; empty: there is just one."""
    workers: int = 1
    """How many such sessions run beside each other: pytest-xdist's workers."""
    deadline: float | None = None
    """When the time for measuring is over, in seconds since the epoch; None: never."""
    threads: int = 1
    """Images that are worked on at the same time, each on one core."""
    session_threads: int = SESSION_THREADS
    """Threads that a network computes one image with."""

    began: float = field(default_factory=time.time, compare=False)
    """When it did, in seconds since the epoch."""

    def __post_init__(self) -> None:
        check_options(self)  # each by itself, before they are compared
        if (self.backend == "replay") != (self.replay is not None):
            msg = "--backend=replay and --sr-replay=DIR, the folder of a recording, go together"
            raise OptionError(msg)
        here = "outputs are recorded and replayed on this machine"  # workers have other disks
        clashes = (
            ("--sr-isolate=model", self.isolate == "model", "its workers are isolated"),
            ("--sr-record", self.record is not None, here),
            ("--sr-replay", self.replay is not None, here),
        )
        for name, is_given, why in clashes:
            if self.cluster and is_given:
                msg = f"--sr-cluster and {name} don't go together: {why}"
                raise OptionError(msg)

    @cached_property
    def answers(self) -> str:
        """The backend whose rows this session answers: of a replay, the one that was recorded.

        Raises:
            SrBenchError: The recording can't be read.
        """
        return self.backend if self.replay is None else self.described().answers

    @property
    def backend_module(self) -> ModuleType:
        """What offers the backend; an OptionError if its package can't be imported."""
        return discovery.load("sr_bench.backends", self.backend)

    def described(self) -> "BackendInfo":
        """Return what the backend says about itself in this process.

        Raises:
            SrBenchError: It can't be used as the options ask.
        """
        info: BackendInfo = self.backend_module.describe(self.backend_options)
        return info

    @property
    def spare(self) -> "Spare":
        """What the session has here besides the cache."""
        from sr_bench.files.kept import spare_of

        return spare_of(self.session)

    def kept_in(self, folder: Path) -> "Kept":
        """Return what can be made again and is kept in `folder`."""
        from sr_bench.files.kept import Kept

        since = self.began * (self.cache == "refresh")
        return Kept(None if self.cache == "off" else folder, self.spare, since)

    @property
    def results_cache(self) -> Path:
        """Where results are kept, which may not exist yet."""
        from sr_bench.files.cache import cache_dir

        return self.cache_dir or cache_dir() / "results"

    @property
    def backend_options(self) -> "BackendOptions":
        """The options that the backend gets."""
        from sr_bench.core.backend import BackendOptions

        return BackendOptions(self.device, self.replay)

    def isolates(self, info: "BackendInfo") -> bool:
        """Tell whether each model runs in its own process on the backend that `info` describes."""
        if self.isolate == "auto":
            return info.is_device and sys.platform == "linux"
        return self.isolate == "model"

    @property
    def precisions_named(self) -> tuple[Precision, ...]:
        """The precisions to measure a named dataset in: fp32 where none is named."""
        return self.precisions or (Precision.FP32,)

    def wants_model(self, name: str) -> bool:
        """Tell whether the model `name` is asked for."""
        return not self.models or any(fnmatchcase(name, pattern) for pattern in self.models)

    def wants_dataset(self, slug: str, scale: int) -> bool:
        """Tell whether the dataset `slug` at `scale` is asked for."""
        return not self.datasets or slug in self.datasets or f"{slug}_x{scale}" in self.datasets

    def wants_gate(self, card: "ModelCard") -> bool:
        """Tell whether low precisions of `card` are to be judged against fp32."""
        return card.gate_on(self.answers) is not None and self.gate != "off"

    def wants_precision(self, precision: Precision) -> bool:
        """Tell whether `precision` is asked for."""
        return not self.precisions or precision in self.precisions
