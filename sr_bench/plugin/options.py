"""The options, each also an ini key, and what becomes of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import pytest

from sr_bench.core.device import DeviceMode
from sr_bench.core.update import UpdateMode
from sr_bench.engine.selection import (
    DEFAULT_CALIBRATION_MIB,
    DEFAULT_EXPLAIN_S,
    GateMode,
    KeepMode,
    Selection,
    parse_precisions,
    split_list,
)
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from sr_bench.history.environment import usable_cores

REPORTS = ("markdown", "html", "csv", "parquet", "none")


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
        "an earlier run, by file, name, 'last' or git branch: say whether this run is worse, image"
        " by image; a loss fails the session, and gates count it",
        "RUN",
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
    _Option(
        "--sr-keep",
        "sr_keep",
        "off",
        "keep the images of each run under the results folder, to be looked at in the HTML report"
        " and scored again: off, 8bit or 16bit",
        "MODE",
    ),
    _Option(
        "--sr-update",
        "sr_update",
        "",
        "write measured values into the documents' own cells: failed (claims that differ), missing"
        " (cells without a number) or all; needs --sr-reason",
        "MODE",
    ),
    _Option(
        "--sr-reason", "sr_reason", "", "why the documents are updated, for the ledger", "TEXT"
    ),
    _Option("--sr-data", "sr_data", "", "where your datasets are", "DIR"),
    _Option("--sr-weights", "sr_weights", "", "where your weight files are", "DIR"),
    _Option("--sr-results-path", "sr_results_path", "reports", "where reports are written", "DIR"),
    _Option("--sr-report", "sr_report", "markdown", f"which reports: {', '.join(REPORTS)}", "A,B"),
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


LATENCY = _Flag(
    "--sr-latency",
    "sr_latency",
    "also time each model and precision, with pytest-benchmark",
)


@dataclass(frozen=True)
class Settings:
    """The options of this session."""

    selection: Selection
    results: Path
    """Absolute."""
    reports: tuple[str, ...]
    """Of `REPORTS`; empty for none."""
    update: UpdateMode | None
    """Which cells of the documents take this run's values."""
    reason: str
    """Why they do."""
    is_first: bool
    """Whether a comparison with the last run was asked for, and there is none yet."""


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
    for switch in (ALLOW_BETTER, FRESH, LATENCY):
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
    results = _results_base(config) / texts["--sr-results-path"]
    update = _update(texts["--sr-update"], texts["--sr-reason"])
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
        compare=_earlier(config, texts["--sr-compare"], results),
        keep=cast("KeepMode", texts["--sr-keep"]),
        results=results,
        blanks=update in ("missing", "all"),
        latency=_is_set(config, LATENCY),
        explain_s=_number("--sr-explain", texts["--sr-explain"]),
        calibration_bytes=_number("--sr-calibration-memory", texts["--sr-calibration-memory"])
        * 2**20,
        threads=_threads(config),
    )
    return Settings(
        selection=selection,
        results=results,
        reports=_reports(texts["--sr-report"]),
        update=update,
        reason=texts["--sr-reason"],
        is_first=bool(texts["--sr-compare"]) and selection.compare is None,
    )


def _reports(text: str) -> tuple[str, ...]:
    kinds = split_list(text)
    if not kinds or not set(kinds) <= set(REPORTS):
        msg = f"--sr-report={text}: expected one or more of {', '.join(REPORTS)}"
        raise OptionError(msg)
    return tuple(kind for kind in kinds if kind != "none")


def _update(mode: str, reason: str) -> UpdateMode | None:
    if mode and mode not in get_args(UpdateMode):
        msg = f"--sr-update={mode}: expected one of {', '.join(get_args(UpdateMode))}"
        raise OptionError(msg)
    if mode and not reason.strip():
        msg = "--sr-update: say why the documents change with --sr-reason, for the ledger"
        raise OptionError(msg)
    return cast("UpdateMode", mode) if mode else None


def _earlier(config: pytest.Config, spec: str, results: Path) -> Path | None:
    """Return the file of the run that `spec` names; None for the last one of none at all."""
    if not spec:
        return None
    from sr_bench.engine.find_run import LAST, find_run

    try:
        return find_run(spec, results, config.invocation_params.dir)
    except NotRunError:
        if spec != LAST:
            raise
        return None  # the first night of a nightly job


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
