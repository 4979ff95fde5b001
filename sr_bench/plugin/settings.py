"""The options of a session: declared to pytest, read, and checked before anything is collected."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import uuid4

import pytest

from sr_bench.core.modes import UpdateMode
from sr_bench.engine.plan.option import (
    DURATION,
    TEXT,
    THREADS,
    Kind,
    Option,
    check_options,
    one_of,
    option,
    options_of,
    some_of,
    switch,
)
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import OptionError, SrBenchError
from sr_bench.system.cpu import usable_cores
from sr_bench.text.printable import printable

_RESULTS = Kind(Path, lambda: "a path")
REPORTS = ("markdown", "html", "csv", "parquet", "none")


@dataclass(frozen=True)
class Settings:
    """The options of this session: those of the bench, and those of what is done around it."""

    selection: Selection
    reports: tuple[str, ...] = option(
        "--sr-report",
        "A,B",
        f"which reports: {', '.join(REPORTS)}",
        some_of(REPORTS),
        "markdown",
    )
    results: Path = option("--sr-results-path", "DIR", "where reports go", _RESULTS, "reports")
    """Absolute."""
    verbose: bool = switch("--sr-verbose", "print a row for each value that was measured")
    compare: str = option(
        "--sr-compare",
        "RUN",
        "fail if worse than an earlier run (file, name, git branch or 'last'), image by image",
        TEXT,
    )
    update: UpdateMode | Literal[""] = option(
        "--sr-update",
        "MODE",
        "write measured values into the documents: failed, missing (empty cells) or all",
        one_of(lambda: ("", *get_args(UpdateMode))),
    )
    reason: str = option("--sr-reason", "TEXT", "why documents are updated, for the ledger", TEXT)
    budget: float | None = option(
        "--sr-budget",
        "TIME",
        "time limit, such as 2h or 90m: runs most at risk come first",
        DURATION,
        rare=True,
    )
    threads: tuple[int, int] = option(
        "--sr-threads",
        "N",
        "images at once: N, or NxM with M threads for each; default: one for each core",
        THREADS,
        rare=True,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.update and not self.reason.strip():
            msg = "--sr-update: say why the documents change with --sr-reason, for the ledger"
            raise OptionError(msg)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option: flags, those of every day first, and ini keys."""
    group = parser.getgroup("sr-bench", "super-resolution benchmark (sr-bench)")
    for declared in sorted(_declared(), key=lambda option: option.rare):
        name, metavar, default = declared.name, declared.metavar, declared.default
        text = declared.help + f" (default: {default})" * bool(default)
        if not declared.is_flag:
            parser.addini(name, text, default=default)
        elif metavar:  # None tells that it is not given
            group.addoption(name, metavar=metavar, default=None, help=text)
        else:
            group.addoption(name, action="store_true", help=text)


def is_asked(config: pytest.Config) -> bool:
    """Tell whether the command line or the ini file gives an option another value than it has."""
    return any(
        _given(config, declared) not in (declared.default, False) for declared in _declared()
    )


def _declared() -> tuple[Option[Any], ...]:
    return (*options_of(Selection).values(), *options_of(Settings).values())


def _given(config: pytest.Config, declared: Option[Any]) -> Any:
    value = config.getoption(declared.name) if declared.is_flag else config.getini(declared.name)
    return declared.default if value is None else value


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
    here = config.invocation_params.dir
    around, chosen = _values(config, Settings), _values(config, Selection)
    # As typed: pytest may take a folder above for its root.
    chosen |= {k: here / path for k, path in chosen.items() if isinstance(path, Path)}
    around["reports"] = tuple(kind for kind in around["reports"] if kind != "none")
    around["results"] = _results_base(config) / around["results"]
    worker = getattr(config, "workerinput", None)  # of pytest-xdist
    workers = worker["workercount"] if worker else 1
    threads, session_threads = around["threads"]
    selection = Selection(
        **chosen,
        session=worker["testrunuid"] if worker else uuid4().hex,
        workers=workers,
        deadline=around["budget"] and time.time() + around["budget"],
        compare=_earlier(config, around["compare"], around["results"]),
        results=around["results"],
        blanks=around["update"] in ("missing", "all"),
        threads=threads or max(1, usable_cores() // workers),
        session_threads=session_threads,
    )
    if selection.cluster and getattr(config.option, "numprocesses", None):
        msg = "--sr-cluster and -n don't go together: each worker would start what all are to do"
        raise OptionError(msg)
    return Settings(selection=selection, **around)


def _values(config: pytest.Config, cls: type[object]) -> dict[str, Any]:
    """Return the values of the options that `cls` declares, by field."""
    values = {}
    for name, declared in options_of(cls).items():
        value = _given(config, declared)
        values[name] = declared.read(str(value)) if declared.metavar else value
    return values


def _earlier(config: pytest.Config, spec: str, results: Path) -> tuple[Path, ...]:
    """Return the file of the run that `spec` names; for the last, those with the last of any case.

    There may be none of these: the session ends by saying so.
    """
    if not spec:
        return ()
    from sr_bench.history.find_run import LAST, find_run
    from sr_bench.history.newest import newest_files

    here = config.invocation_params.dir
    if spec == LAST and not (here / LAST).is_file():
        return newest_files(results)
    return (find_run(spec, results, here),)


def _results_base(config: pytest.Config) -> Path:
    """Return what the results path is relative to: the project if there is one, else here."""
    given = config.getoption("--sr-results-path") is not None
    return config.invocation_params.dir if given or config.inipath is None else config.rootpath
