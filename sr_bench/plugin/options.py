"""The options, each also an ini key."""

from dataclasses import dataclass

import pytest

from sr_bench.engine.plan.options import (
    DEFAULT_CACHE_MIB,
    DEFAULT_CALIBRATION_MIB,
    DEFAULT_EXPLAIN_S,
)

REPORTS = ("markdown", "html", "csv", "parquet", "none")


@dataclass(frozen=True)
class Option:
    """An option with a value."""

    flag: str
    ini: str
    default: str
    help: str
    metavar: str = ""


OPTIONS = (
    Option(
        "--backend",
        "sr_backend",
        "onnxruntime",
        "what runs the models; vacc is emulated, and says so, where there is no card",
        "NAME",
    ),
    Option(
        "--sr-device",
        "sr_device",
        "auto",
        "auto: the backend's card if one is ready, else an emulation; require: fail without a"
        " card; emulate: never use it",
        "MODE",
    ),
    Option(
        "--sr-record",
        "sr_record",
        "",
        "record what the networks give, to be scored elsewhere with --backend=replay",
        "DIR",
    ),
    Option("--sr-replay", "sr_replay", "", "the recording of --backend=replay", "DIR"),
    Option("--sr-models", "sr_models", "", "only these models; patterns such as 'edsr_*'", "A,B"),
    Option(
        "--sr-datasets",
        "sr_datasets",
        "",
        "only these datasets, also ones that no table has a number for",
        "A,B",
    ),
    Option(
        "--sr-precision",
        "sr_precision",
        "",
        "only these precisions, also ones that no table has a number for",
        "A,B",
    ),
    Option(
        "--sr-limit",
        "sr_limit",
        "0",
        "only the first N images of each dataset; such values are shown and never judged",
        "N",
    ),
    Option(
        "--sr-gate",
        "sr_gate",
        "fail",
        "what a loss of a low precision does where a card sets limits: off, warn or fail",
        "MODE",
    ),
    Option(
        "--sr-compare",
        "sr_compare",
        "",
        "an earlier run, by file, name, 'last' or git branch: say whether this run is worse, image"
        " by image; a loss fails the session, and gates count it",
        "RUN",
    ),
    Option(
        "--sr-explain",
        "sr_explain",
        f"{DEFAULT_EXPLAIN_S:g}",
        "seconds to search for the layers that cause a loss; 0: don't search",
        "S",
    ),
    Option(
        "--sr-calibration-memory",
        "sr_calibration_memory",
        str(DEFAULT_CALIBRATION_MIB),
        "MiB that calibration may use above plain inference",
        "MIB",
    ),
    Option(
        "--sr-keep",
        "sr_keep",
        "off",
        "keep the images of each run under the results folder, to be looked at in the HTML report"
        " and scored again: off, 8bit or 16bit",
        "MODE",
    ),
    Option(
        "--sr-update",
        "sr_update",
        "",
        "write measured values into the documents' own cells: failed (claims that differ), missing"
        " (cells without a number) or all; needs --sr-reason",
        "MODE",
    ),
    Option("--sr-reason", "sr_reason", "", "why the documents are updated, for the ledger", "TEXT"),
    Option("--sr-data", "sr_data", "", "where your datasets are", "DIR"),
    Option("--sr-weights", "sr_weights", "", "where your weight files are", "DIR"),
    Option(
        "--sr-cache",
        "sr_cache",
        "on",
        "results of images that were measured before, from the same content: on, refresh (measure"
        " them again) or off; real devices measure again each session",
        "MODE",
    ),
    Option(
        "--sr-cache-dir",
        "sr_cache_dir",
        "",
        "where results are kept, instead of the folder 'results' in the cache",
        "DIR",
    ),
    Option(
        "--sr-cache-size",
        "sr_cache_size",
        str(DEFAULT_CACHE_MIB),
        "MiB that kept results may take; those used longest ago go first",
        "MIB",
    ),
    Option(
        "--sr-threads",
        "sr_threads",
        "",
        "images at once, as N, or NxM with M threads for each; by default one for each core, which"
        " pytest-xdist's workers share",
        "N",
    ),
    Option(
        "--sr-isolate",
        "sr_isolate",
        "auto",
        "model: each model runs in a process of its own, whose crash or hang fails its items only;"
        " off; auto: model where a real device computes",
        "MODE",
    ),
    Option(
        "--sr-time-limit",
        "sr_time_limit",
        "0",
        "seconds without progress after which an isolated model is ended; 0: 600, or where the"
        " device's own compiler may be silent for hours, none",
        "S",
    ),
    Option(
        "--sr-memory-limit",
        "sr_memory_limit",
        "0",
        "MiB that an isolated model may take; 0: nine tenths of the machine's",
        "MIB",
    ),
    Option(
        "--sr-cluster",
        "sr_cluster",
        "",
        "run on a Dask cluster: the scheduler's address, or local:N to start N workers here",
        "ADDRESS",
    ),
    Option(
        "--sr-budget",
        "sr_budget",
        "",
        "time for the measuring, such as 2h or 90m: what is most at risk comes first, what is left"
        " is not run",
        "TIME",
    ),
    Option("--sr-results-path", "sr_results_path", "reports", "where reports are written", "DIR"),
    Option("--sr-report", "sr_report", "markdown", f"which reports: {', '.join(REPORTS)}", "A,B"),
)


@dataclass(frozen=True)
class Flag:
    """An option that is given or not."""

    flag: str
    ini: str
    help: str


ALLOW_BETTER = Flag(
    "--sr-allow-better",
    "sr_allow_better",
    "let a value pass that is better than the document says",
)
LATENCY = Flag(
    "--sr-latency",
    "sr_latency",
    "also time each model and precision, with pytest-benchmark",
)
FLAGS = (ALLOW_BETTER, LATENCY)


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
    for switch in FLAGS:
        group.addoption(
            switch.flag,
            action="store_true",
            default=None,
            help=f"{switch.help} (ini: {switch.ini})",
        )
        parser.addini(switch.ini, f"default of {switch.flag}", type="bool", default=False)
