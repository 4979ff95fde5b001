"""The options, each also an ini key, and what becomes of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from sr_bench.core.device import DeviceMode
from sr_bench.engine.selection import (
    DEFAULT_CALIBRATION_MIB,
    DEFAULT_EXPLAIN_S,
    GateMode,
    Selection,
    parse_precisions,
    split_list,
)
from sr_bench.errors import OptionError, SrBenchError
from sr_bench.history.environment import usable_cores

REPORTS = ("markdown", "none")


@dataclass(frozen=True)
class _Option:
    flag: str
    ini: str
    default: str
    help: str
    metavar: str = ""


OPTIONS = (
    _Option(
        "--backend",
        "sr_backend",
        "onnxruntime",
        "what runs the models; vacc is emulated, and says so, where there is no card",
        "NAME",
    ),
    _Option(
        "--sr-device",
        "sr_device",
        "auto",
        "auto: the backend's card if one is ready, else an emulation; require: fail without a"
        " card; emulate: never use it",
        "MODE",
    ),
    _Option(
        "--sr-record",
        "sr_record",
        "",
        "record what the networks give, to be scored elsewhere with --backend=replay",
        "DIR",
    ),
    _Option("--sr-replay", "sr_replay", "", "the recording of --backend=replay", "DIR"),
    _Option("--sr-models", "sr_models", "", "only these models; patterns such as 'edsr_*'", "A,B"),
    _Option(
        "--sr-datasets",
        "sr_datasets",
        "",
        "only these datasets, also ones that no table has a number for",
        "A,B",
    ),
    _Option(
        "--sr-precision",
        "sr_precision",
        "",
        "only these precisions, also ones that no table has a number for",
        "A,B",
    ),
    _Option(
        "--sr-limit",
        "sr_limit",
        "0",
        "only the first N images of each dataset; such values are shown and never judged",
        "N",
    ),
    _Option(
        "--sr-gate",
        "sr_gate",
        "fail",
        "what a loss of a low precision does where a card sets limits: off, warn or fail",
        "MODE",
    ),
    _Option(
        "--sr-compare",
        "sr_compare",
        "",
        "an earlier run's latest.json: gates also ask whether this run is worse, image by image",
        "FILE",
    ),
    _Option(
        "--sr-explain",
        "sr_explain",
        f"{DEFAULT_EXPLAIN_S:g}",
        "seconds to search for the layers that cause a loss; 0: don't search",
        "S",
    ),
    _Option(
        "--sr-calibration-memory",
        "sr_calibration_memory",
        str(DEFAULT_CALIBRATION_MIB),
        "MiB that calibration may use above plain inference",
        "MIB",
    ),
    _Option("--sr-data", "sr_data", "", "where your datasets are", "DIR"),
    _Option("--sr-weights", "sr_weights", "", "where your weight files are", "DIR"),
    _Option("--sr-results-path", "sr_results_path", "reports", "where reports are written", "DIR"),
    _Option(
        "--sr-report", "sr_report", "markdown", f"which report: {' or '.join(REPORTS)}", "KIND"
    ),
)


@dataclass(frozen=True)
class _Flag:
    flag: str
    ini: str
    help: str


ALLOW_BETTER = _Flag(
    "--sr-allow-better",
    "sr_allow_better",
    "let a value pass that is better than the document says",
)
FRESH = _Flag(
    "--sr-fresh",
    "sr_fresh",
    "measure again what is in the cache: by default an emulated or CPU run over the same network,"
    " images and code is made once",
)


@dataclass(frozen=True)
class Settings:
    """The options of this session."""

    selection: Selection
    results: Path
    """Absolute."""
    report: str


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini key."""
    group = parser.getgroup("sr-bench", "super-resolution benchmark (sr-bench)")
    for option in OPTIONS:
        group.addoption(
            option.flag,
            default=None,
            metavar=option.metavar,
            help=f"{option.help} (default: {option.default or 'all'}; ini: {option.ini})",
        )
        parser.addini(option.ini, f"default of {option.flag}", default=option.default)
    for switch in (ALLOW_BETTER, FRESH):
        group.addoption(
            switch.flag,
            action="store_true",
            default=None,
            help=f"{switch.help} (ini: {switch.ini})",
        )
        parser.addini(switch.ini, f"default of {switch.flag}", type="bool", default=False)


def read_settings(config: pytest.Config) -> Settings:
    """Return the checked options of `config`.

    Raises:
        pytest.UsageError: A value isn't valid; the message lists the valid ones.
    """
    try:
        return _settings(config)
    except SrBenchError as cause:
        raise pytest.UsageError(str(cause)) from None


def _settings(config: pytest.Config) -> Settings:
    texts = {option.flag: _text(config, option) for option in OPTIONS}
    if texts["--sr-report"] not in REPORTS:
        msg = f"--sr-report={texts['--sr-report']}: expected {' or '.join(REPORTS)}"
        raise OptionError(msg)
    selection = Selection(
        backend=texts["--backend"],
        device=cast("DeviceMode", texts["--sr-device"]),
        replay=_path(config, texts["--sr-replay"]),
        record=_path(config, texts["--sr-record"]),
        models=split_list(texts["--sr-models"]),
        datasets=split_list(texts["--sr-datasets"]),
        precisions=parse_precisions(texts["--sr-precision"]),
        limit=_number("--sr-limit", texts["--sr-limit"]),
        data=_path(config, texts["--sr-data"]),
        weights=_path(config, texts["--sr-weights"]),
        allow_better=_is_set(config, ALLOW_BETTER),
        fresh=_is_set(config, FRESH),
        gate=cast("GateMode", texts["--sr-gate"]),
        compare=_path(config, texts["--sr-compare"]),
        explain_s=_number("--sr-explain", texts["--sr-explain"]),
        calibration_bytes=_number("--sr-calibration-memory", texts["--sr-calibration-memory"])
        * 2**20,
        threads=_threads(config),
    )
    results = _results_base(config) / texts["--sr-results-path"]
    return Settings(selection, results, texts["--sr-report"])


def _results_base(config: pytest.Config) -> Path:
    """Return what the results path is relative to: the project if there is one, else here."""
    given = config.getoption("--sr-results-path") is not None
    return config.invocation_params.dir if given or config.inipath is None else config.rootpath


def _threads(config: pytest.Config) -> int:
    """Return this process's share of the cores: pytest-xdist's workers divide them."""
    worker = getattr(config, "workerinput", None)
    return max(1, usable_cores() // worker["workercount"]) if worker else usable_cores()


def _text(config: pytest.Config, option: _Option) -> str:
    given = config.getoption(option.flag)
    return str(config.getini(option.ini) if given is None else given)


def _is_set(config: pytest.Config, switch: _Flag) -> bool:
    return bool(config.getoption(switch.flag) or config.getini(switch.ini))


def _number(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        msg = f"{flag}={text}: expected a whole number"
        raise OptionError(msg) from None


def _path(config: pytest.Config, text: str) -> Path | None:
    return config.invocation_params.dir / Path(text).expanduser() if text else None
