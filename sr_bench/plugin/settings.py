"""What becomes of the options: parsed and checked, before anything is collected."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args
from uuid import uuid4

import pytest

from sr_bench.core.device import DeviceMode
from sr_bench.core.update import UpdateMode
from sr_bench.engine.plan.options import (
    CacheMode,
    GateMode,
    IsolateMode,
    KeepMode,
    Selection,
    parse_duration,
    parse_precisions,
    parse_threads,
    split_list,
)
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from sr_bench.history.environment import usable_cores
from sr_bench.plugin.options import ALLOW_BETTER, LATENCY, OPTIONS, REPORTS, Flag, Option
from sr_bench.text.printable import printable


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


def read_settings(config: pytest.Config) -> Settings:
    """Return the checked options of `config`.

    Raises:
        pytest.UsageError: A value isn't valid; the message lists the valid ones.
    """
    try:
        return _settings(config)
    except SrBenchError as cause:
        raise pytest.UsageError(printable(str(cause))) from None


def _settings(config: pytest.Config) -> Settings:
    texts = {option.flag: _text(config, option) for option in OPTIONS}
    results = _results_base(config) / texts["--sr-results-path"]
    update = _update(texts["--sr-update"], texts["--sr-reason"])
    threads, session_threads = parse_threads(texts["--sr-threads"])
    worker = getattr(config, "workerinput", None)  # of pytest-xdist
    workers = worker["workercount"] if worker else 1
    budget = parse_duration("--sr-budget", texts["--sr-budget"])
    if texts["--sr-cluster"] and getattr(config.option, "numprocesses", None):
        msg = "--sr-cluster and -n don't go together: each worker would start what all are to do"
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
        cache=cast("CacheMode", texts["--sr-cache"]),
        cache_dir=_path(config, texts["--sr-cache-dir"]),
        cache_bytes=_number("--sr-cache-size", texts["--sr-cache-size"]) * 2**20,
        session=worker["testrunuid"] if worker else uuid4().hex,
        isolate=cast("IsolateMode", texts["--sr-isolate"]),
        stall_s=_number("--sr-time-limit", texts["--sr-time-limit"]),
        memory_bytes=_number("--sr-memory-limit", texts["--sr-memory-limit"]) * 2**20,
        workers=workers,
        cluster=texts["--sr-cluster"],
        deadline=budget and time.time() + budget,
        gate=cast("GateMode", texts["--sr-gate"]),
        compare=_earlier(config, texts["--sr-compare"], results),
        keep=cast("KeepMode", texts["--sr-keep"]),
        results=results,
        blanks=update in ("missing", "all"),
        latency=_is_set(config, LATENCY),
        explain_s=_number("--sr-explain", texts["--sr-explain"]),
        calibration_bytes=_number("--sr-calibration-memory", texts["--sr-calibration-memory"])
        * 2**20,
        threads=threads or max(1, usable_cores() // workers),
        session_threads=session_threads,
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
    from sr_bench.history.find_run import LAST, find_run

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


def _text(config: pytest.Config, option: Option) -> str:
    given = config.getoption(option.flag)
    return str(config.getini(option.ini) if given is None else given)


def _is_set(config: pytest.Config, switch: Flag) -> bool:
    return bool(config.getoption(switch.flag) or config.getini(switch.ini))


def _number(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        msg = f"{flag}={text}: expected a whole number"
        raise OptionError(msg) from None


def _path(config: pytest.Config, text: str) -> Path | None:
    return config.invocation_params.dir / Path(text).expanduser() if text else None
