"""``sr-bench doctor``: what this machine can run, and what would be skipped, and why."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sr_bench import discovery
from sr_bench.cli._args.measurable import Claims, claims_of, lacking_lines, next_steps
from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.cli._args.suites import add_places_arguments, add_trust_argument, load_suites
from sr_bench.core.backend import BackendInfo
from sr_bench.core.card import ModelCard
from sr_bench.errors import NotRunError, OptionError, SrBenchError
from sr_bench.text.printable import counted, sized

if TYPE_CHECKING:
    from sr_bench.engine.plan.suite import Suite

HELP = "show the environment, the devices, the cache, and what would be skipped and why"
EXAMPLE = "sr-bench doctor --weights ~/weights --data ~/datasets"

_STEPS_SHOWN = 5

# Starts the reasons that are no mere absence; with one of them the command ends in 1.
_FAULT = "FAULT "
_NOT_OFFERED = ": no backend of this version offers it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_argument(parser)
    add_places_arguments(parser)
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is here."""
    from sr_bench.backends.vacc.run.state import DeviceState
    from sr_bench.files.cache import cache_dir, cached_files
    from sr_bench.history.environment import read_environment

    environment = read_environment(Path.cwd())
    backends, broken = _described()
    cache = cache_dir()
    size = sum(size for _, size, _ in cached_files(cache))
    quarantined = DeviceState().quarantine()
    suites, absent = _suites(args)
    skips = absent or _skips(suites, args)
    # What is merely absent is no error: a machine without datasets is a sound one.
    code = int(bool(broken) or any(reason.startswith(_FAULT) for reason in skips))
    claims = claims_of(suites, args)
    value = {
        "environment": environment,
        "backends": backends,
        "broken_backends": broken,
        "cache": {"folder": str(cache), "bytes": size},
        "quarantine": quarantined,
        "would_skip": skips,
        "next": _steps(claims),
    }
    lines = [
        f"python    {environment.python} on {environment.system}",
        f"cpu       {environment.cpu}, {environment.cores} cores for this process",
        "packages  " + ", ".join(f"{n} {v}" for n, v in environment.packages.items()),
        f"cache     {cache} ({sized(size)})",
    ]
    for info in backends.values():
        state = "EMULATED " if info.emulated else ""
        lines.append(f"backend   {info.name} {info.version}: {state}{info.note}")
    lines += [f"backend   {name}: {_FAULT}{reason}" for name, reason in broken.items()]
    if quarantined:
        lines.append(f"quarantine {', '.join(quarantined)}: see sr-bench vacc clear --help")
    print_result(value, [*lines, "", *absent, *_of_claims(claims, skips)], as_json=args.json)
    return code


def _of_claims(claims: "Sequence[Claims]", skips: Mapping[str, int]) -> Iterator[str]:
    """Yield what claims lack, each thing once, and what makes most of them measurable."""
    never = {w: n for w, n in skips.items() if w.startswith(_FAULT) or w.endswith(_NOT_OFFERED)}
    lacking = [*(f"{count:3d} x {why}" for why, count in never.items()), *lacking_lines(claims)]
    count, here = (sum(getattr(one, name) for one in claims) for name in ("count", "here"))
    if claims:
        yield f"{here} of {counted(count, 'claim')} can be measured here" + ":" * bool(lacking)
    yield from (f"  {line}" for line in lacking)
    if steps := _steps(claims):
        yield "\nnext, each after those above it:"
        for step in steps[:_STEPS_SHOWN]:
            number = counted(step["claims"], "claim")
            yield f"  {number} of {counted(step['suites'], 'suite')}: {step['step']}"
        if (more := len(steps) - _STEPS_SHOWN) > 0:
            yield f"  and {more} more: sr-bench list shows that of each suite"


def _steps(claims: "Sequence[Claims]") -> list[dict[str, Any]]:
    from sr_bench.report.parts.next_step import step_text

    return [
        {"step": step_text(offer), "claims": len(offer.numbers), "suites": len(suites)}
        for offer, suites in next_steps(claims)
    ]


def _suites(args: argparse.Namespace) -> "tuple[Sequence[Suite], dict[str, int]]":
    """Return the suites; without any, or with a faulty one, why: the rest is worth showing."""
    try:
        return load_suites(args.suites), {}
    except OptionError as cause:
        return (), {str(cause): 1}
    except SrBenchError as cause:
        return (), {f"{_FAULT}{cause}": 1}


def _described() -> tuple[dict[str, BackendInfo], dict[str, str]]:
    """Return what the backends say about themselves, and why others can't."""
    described: dict[str, BackendInfo] = {}
    broken: dict[str, str] = {}
    for name, backend in _backends().items():
        try:
            described[name] = backend.describe()
        except SrBenchError as cause:
            broken[name] = str(cause)
    return described, broken


def _skips(suites: "Sequence[Suite]", args: argparse.Namespace) -> dict[str, int]:
    """Count what keeps models from being measured, by what to do about it."""
    models = (model for suite in suites for model in suite.card.models)
    reasons = Counter(reason for model in models if (reason := _lacking(model, args)))
    offered = {precision for backend in _backends().values() for precision in backend.precisions()}
    claims = (claim for suite in suites for _, claims in suite.claims for claim in claims)
    for claim in claims:
        if claim.precision not in offered:
            reasons[f"{claim.precision}{_NOT_OFFERED}"] += 1
    return dict(reasons.most_common())


def _lacking(model: ModelCard, args: argparse.Namespace) -> str:
    """Return what of `model` is absent or wrong; empty if nothing is."""
    from sr_bench.data.locate import load_dataset, manifest_folders
    from sr_bench.data.source import open_dataset
    from sr_bench.engine.prepare.weights import weights_path

    try:
        weights_path(model, args.weights)
        for item in model.evaluations:
            folders = (*model.manifest_folders, *manifest_folders(args.data))
            dataset = load_dataset(item.dataset, folders)
            lr_from = item.protocol.lr_source
            open_dataset(dataset, scale=model.scale, given=args.data, lr_from=lr_from)
    except NotRunError as cause:
        return str(cause)
    except SrBenchError as cause:
        return f"{_FAULT}{cause}"
    return ""


def _backends() -> dict[str, ModuleType]:
    names = discovery.names("sr_bench.backends")
    return {name: discovery.load("sr_bench.backends", name) for name in names}
