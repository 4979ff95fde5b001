"""``sr-bench list``: models, precisions, datasets and metrics, what is here and what is missing."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sr_bench.cli._args.measurable import Claims, claims_of, next_steps
from sr_bench.cli._args.output import add_json_argument, print_json, print_table
from sr_bench.cli._args.suites import add_places_arguments, add_trust_argument, load_suites
from sr_bench.core.card import ModelCard
from sr_bench.core.metric import image_metrics, metric_info, not_computed
from sr_bench.errors import NotRunError, SrBenchError

HELP = "list models, precisions, datasets and metrics, and which of them are here"
EXAMPLE = "sr-bench list --weights ~/weights --data ~/datasets"


# A row by its columns; what is "here" says so, else the cell says what is missing.
_Row = dict[str, str | int | Sequence[str | int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_argument(parser)
    add_places_arguments(parser)
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the lists."""
    from sr_bench.data.locate import known_datasets, manifest_folders

    suites = load_suites(args.suites)
    models = [
        _model_row(model, {claim.precision for claim in claims}, len(claims), args.weights)
        for suite in suites
        for model, claims in suite.claims
    ]
    of_suites = (folder for suite in suites for folder in suite.card.manifest_folders)
    extra = tuple(dict.fromkeys((*of_suites, *manifest_folders(args.data))))
    datasets = [_dataset_row(slug, extra, args.data) for slug in known_datasets(extra)]
    metrics = [_metric_row(name) for name in image_metrics()]
    states = [_suite_row(one) for one in claims_of(suites, args)]
    if args.json:
        tables = {"models": models, "datasets": datasets, "metrics": metrics, "suites": states}
        print_json(tables)
        return 0
    for rows in filter(None, (models, datasets, metrics, states)):
        print_table([*rows[0]], [[_cell(cell) for cell in row.values()] for row in rows])
        print()
    return 0


def _cell(cell: str | int | Sequence[str | int]) -> str:
    return str(cell) if isinstance(cell, str | int) else " ".join(map(str, cell))


def _suite_row(claims: Claims) -> _Row:
    """Return how many claims of a suite can be measured, and what adds most to them."""
    from sr_bench.report.parts.next_step import step_text

    steps = next_steps([claims])
    best = steps[0][0] if steps else None
    return {
        "suite": claims.suite,
        "claims": claims.count,
        "here": claims.here,
        "more": len(best.numbers) if best else 0,
        "by": step_text(best) if best else "",
    }


def _metric_row(name: str) -> _Row:
    info = metric_info(name)
    return {
        "metric": name,
        "unit": info.unit,
        "better": "higher" if info.higher_is_better else "lower",
        "computed": not_computed(name) or "here",
        "headers": info.headers,
    }


def _model_row(model: ModelCard, precisions: set[str], claims: int, weights: Path | None) -> _Row:
    from sr_bench.engine.prepare.weights import weights_path

    try:
        weights_path(model, weights)
        state = "here"
    except NotRunError:
        file = model.checkpoint.name if model.checkpoint else model.onnx or "an fp32 network"
        state = f"missing: {file}" if model.has_network else "none: the card gives no network"
    except SrBenchError as cause:
        state = f"wrong: {str(cause).splitlines()[0]}"  # a cell has one line
    return {
        "model": model.name,
        "family": model.family,
        "scale": model.scale,
        "precisions": sorted(precisions),
        "claims": claims,
        "datasets": [*dict.fromkeys(item.dataset for item in model.evaluations)],
        "weights": state,
    }


def _dataset_row(slug: str, extra: tuple[Path, ...], data: Path | None) -> _Row:
    from sr_bench.data.locate import load_dataset
    from sr_bench.data.source import open_dataset

    dataset = load_dataset(slug, extra)
    scales, fault = [], ""
    for scale in dataset.scales:
        try:
            open_dataset(dataset, scale=scale, given=data)
            scales.append(scale)
        except NotRunError:
            fault = f"missing: {f'sr-bench fetch {slug}' if dataset.archives else 'your files'}"
        except SrBenchError as cause:
            fault = f"wrong: {str(cause).splitlines()[0]}"  # a cell has one line
    here = "here" if len(scales) == len(dataset.scales) else fault
    if scales and fault:
        here = f"here at {' '.join(f'x{scale}' for scale in scales)}; else {fault}"
    return {
        "dataset": slug,
        "scales": dataset.scales,
        "images": dataset.count or "as many as there are",
        "files": here,
        "title": dataset.title,
    }
