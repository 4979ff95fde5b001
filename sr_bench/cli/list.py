"""``sr-bench list``: models, precisions, datasets and metrics, what is here and what is missing."""

import argparse
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from sr_bench.cli._args.output import add_json_argument, print_json, print_table
from sr_bench.cli._args.suites import add_places_arguments, load_suites
from sr_bench.core.card import ModelCard
from sr_bench.core.metric import image_metrics, metric_info, not_computed
from sr_bench.errors import NotRunError, SrBenchError

HELP = "list models, precisions, datasets and metrics, and what of them is here"
EXAMPLE = "sr-bench list --weights ~/weights --data ~/datasets"


@dataclass(frozen=True)
class ModelLine:
    """One model as it is listed."""

    model: str
    family: str
    scale: int
    precisions: tuple[str, ...]
    """Those that the document claims a number of."""
    claims: int
    datasets: tuple[str, ...]
    weights: str
    """``here``, or what is missing."""


@dataclass(frozen=True)
class DatasetLine:
    """One dataset as it is listed."""

    dataset: str
    scales: tuple[int, ...]
    images: int
    files: str
    """``here``, or what is missing."""
    title: str


@dataclass(frozen=True)
class MetricLine:
    """One metric of images as it is listed."""

    metric: str
    unit: str
    better: str
    """``higher`` or ``lower``."""
    computed: str
    """``here``, or why not and what to do."""
    headers: tuple[str, ...]
    """Of README columns that hold it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_argument(parser)
    add_places_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the lists."""
    from sr_bench.data.locate import known_datasets

    suites = load_suites(args.suites)
    models = [
        _model_line(model, {claim.precision for claim in claims}, len(claims), args.weights)
        for suite in suites
        for model, claims in suite.claims
    ]
    extra = tuple(dict.fromkeys(suite.card.datasets for suite in suites))
    datasets = [_dataset_line(slug, extra, args.data) for slug in known_datasets(extra)]
    metrics = [_metric_line(name) for name in image_metrics()]
    if args.json:
        print_json({"models": models, "datasets": datasets, "metrics": metrics})
        return 0
    _print(models)
    print()
    _print(datasets)
    print()
    _print(metrics)
    return 0


def _print(lines: Sequence[ModelLine] | Sequence[DatasetLine] | Sequence[MetricLine]) -> None:
    """Print a table with a column for each field."""
    rows = [[_cell(cell) for cell in astuple(line)] for line in lines]
    print_table([field.name for field in fields(lines[0])] if lines else [], rows)


def _cell(cell: str | int | Sequence[str | int]) -> str:
    return str(cell) if isinstance(cell, str | int) else " ".join(map(str, cell))


def _metric_line(name: str) -> MetricLine:
    info = metric_info(name)
    better = "higher" if info.higher_is_better else "lower"
    computed = not_computed(name) or "here"
    return MetricLine(name, info.unit, better, computed, info.headers)


def _model_line(
    model: ModelCard, precisions: set[str], claims: int, weights: Path | None
) -> ModelLine:
    from sr_bench.engine.prepare.weights import weights_path

    try:
        weights_path(model, weights)
        state = "here"
    except NotRunError:
        file = model.checkpoint.file if model.checkpoint else model.onnx
        state = f"missing: {file}"
    return ModelLine(
        model=model.name,
        family=model.family,
        scale=model.scale,
        precisions=tuple(sorted(precisions)),
        claims=claims,
        datasets=tuple(dict.fromkeys(item.dataset for item in model.evaluations)),
        weights=state,
    )


def _dataset_line(slug: str, extra: tuple[Path, ...], data: Path | None) -> DatasetLine:
    from sr_bench.data.locate import load_dataset
    from sr_bench.data.source import open_dataset

    dataset = load_dataset(slug, extra)
    scales, fault = [], ""
    for scale in dataset.scales:
        try:
            open_dataset(dataset, scale=scale, given=data)
            scales.append(scale)
        except NotRunError:
            fault = f"missing: sr-bench fetch {slug}"
        except SrBenchError as cause:
            fault = f"wrong: {str(cause).splitlines()[0]}"
    here = "here" if len(scales) == len(dataset.scales) else fault
    if scales and fault:
        here = f"here at {' '.join(f'x{scale}' for scale in scales)}; else {fault}"
    return DatasetLine(slug, dataset.scales, dataset.count, here, dataset.title)
