"""Markers: what items are selected by with ``-m``, and what ``pytest --markers`` says of each."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every session of pytest loads this module
    from sr_bench.core.case import Case
    from sr_bench.core.precision import Precision

KINDS = {
    "claim": "a number that a document prints",
    "gate": "whether a low precision is close enough to fp32",
}
"""Markers by what an item is, with what they mean."""

# What pytest or a plug-in acts on wherever it stands, and words of an expression of -m.
_TAKEN = {*KINDS, "skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"}
_TAKEN |= {"benchmark", "xdist_group", "and", "or", "not"}


def marker_name(name: str) -> str:
    """Return the marker of a model, suite, precision, dataset or metric called `name`.

    It is an identifier: letters, digits and ``_`` stay, all else becomes ``_``. What would begin
    with ``_`` gets an ``x`` before it, and what has a meaning to pytest or is one of `KINDS` an
    ``_`` behind it.

    >>> marker_name("set5"), marker_name("real-sr.v2"), marker_name("_old"), marker_name("skip")
    ('set5', 'real_sr_v2', 'x_old', 'skip_')
    """
    plain = re.sub(r"\W", "_", name)
    if plain.startswith("_") or not plain:
        return f"x{plain}"
    return f"{plain}_" if plain in _TAKEN else plain


def declare(config: pytest.Config) -> None:
    """Declare `KINDS`, and for ``pytest --markers`` all that is known before a card is read.

    Raises:
        SrBenchError: A metric of another package has no usable declaration.
    """
    add_markers(config, KINDS)
    if config.getoption("markers"):
        add_markers(config, _all(config))


def add_markers(config: pytest.Config, markers: Mapping[str, str]) -> None:
    """Declare those of `markers`, which say what they mean, that are not declared yet."""
    lines = config.getini("markers")
    declared = {re.split(r"[:(]", line, maxsplit=1)[0].strip() for line in lines}
    for name in [name for name in markers if name not in declared]:
        config.addinivalue_line("markers", f"{name}: {markers[name]} (sr-bench)")


def marks(case: "Case") -> Mapping[str, str]:
    """Return the markers that the item of `case` carries, with what they mean."""
    from sr_bench.core.case import GATE_METRIC

    kinds = {"claim": case.claim is not None, "gate": case.metric == GATE_METRIC}
    named = {
        case.card.family: f"numbers of the suite {case.card.family}",
        case.card.name: f"numbers of the model {case.card.name}",
        str(case.precision): _precision(case.precision),
        case.metric: _metric(case.metric),
    }
    if case.claim:  # what it prints may be another: int8 without a calibration
        named |= {str(case.claim.precision): _precision(case.claim.precision)}
    if case.evaluation and case.dataset:
        named[case.evaluation.dataset] = _dataset(case.evaluation.dataset)
        named[case.dataset] = _dataset(case.dataset)
    return {name: KINDS[name] for name in KINDS if kinds[name]} | _markers(named)


def _all(config: pytest.Config) -> Mapping[str, str]:
    from sr_bench.core.metric import metric_infos
    from sr_bench.core.precision import Precision
    from sr_bench.data.locate import known_datasets

    named = {name: _metric(name) for name in metric_infos()}
    named |= {str(precision): _precision(precision) for precision in Precision.all()}
    folders = tuple(dict.fromkeys(_dataset_folders(config)))
    return _markers(named | {slug: _dataset(slug) for slug in known_datasets(folders)})


def _dataset_folders(config: pytest.Config) -> Iterator[Path]:
    """Yield where manifests may be of the suites that are asked for, or lie around here."""
    here = config.invocation_params.dir
    for place in (here, *(here / argument.partition("::")[0] for argument in config.args)):
        for folder in (place, *place.parents[:2]):
            yield from (folder / "datasets", folder)


def _markers(named: Mapping[str, str]) -> dict[str, str]:
    return {marker_name(name): meaning for name, meaning in named.items()}


def _metric(name: str) -> str:
    from sr_bench.core.metric import metric_info

    info = metric_info(name)
    return f"numbers of {info.title}{f', in {info.unit}' if info.unit else ''}"


def _precision(precision: "Precision") -> str:
    how = f", calibrated by {precision.calibration}" if precision.calibration else ""
    return f"numbers in {precision.dtype}{how}"


def _dataset(slug: str) -> str:
    return f"numbers on the dataset {slug}"
