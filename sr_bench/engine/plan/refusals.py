"""Why a session can't measure what a document prints, and what to declare or to do."""

import re
from fnmatch import fnmatchcase

from sr_bench import discovery
from sr_bench.core.backend import BackendInfo
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import (
    COST_METRICS,
    FILE_METRIC,
    GATE_METRIC,
    STATIC_METRICS,
    TIMED_METRICS,
    Case,
)
from sr_bench.core.claim import Blank, Claim
from sr_bench.core.metric import is_measured, metric_info
from sr_bench.core.precision import Precision
from sr_bench.engine.plan.options import Selection
from sr_bench.text import toml

_BATCH = re.compile(r"batch\D{0,20}(\d{1,6})", re.IGNORECASE)
_SIDE = re.compile(r"\d{2,}")  # of a shape; shorter numbers are a batch or channels


def why_refused(
    model: ModelCard,
    metric: str,
    precision: Precision,
    evaluation: Evaluation | None,
    cell: Claim | Blank | None = None,
) -> str:
    """Return why `metric` of `model` can't be measured, whatever the session; empty if it can.

    Args:
        model: The card.
        metric: Of any name.
        precision: As it would be measured, or as printed where nothing can.
        evaluation: What the number is about; None for a metric of the network alone, or where the
            card has none.
        cell: What prints the number; None of what only an option asks for.
    """
    if not is_measured(metric) or metric == GATE_METRIC:
        return f"sr-bench does not measure {metric!r}"
    if not model.has_network:
        return (
            "the card gives no network for this model: architecture, onnx or onnx_by_precision"
            " names one"
        )
    if metric in COST_METRICS:  # the same in any precision, on any device
        return ""
    if not precision.is_measured:
        return _of_precision(precision)
    if metric == FILE_METRIC:
        return _of_file(model, precision, cell.backend if cell else "")
    if cell and (why := _of_device(model, metric, cell)):
        return why
    return "" if evaluation else _of_dataset(metric, precision, cell.dataset if cell else "")


def why_not_here(case: Case, chosen: Selection, info: BackendInfo, cpu: str) -> str:
    """Return why a session can't measure `case`; empty if it can.

    Args:
        case: Of a metric of any name.
        chosen: The session's options.
        info: What its backend says about itself.
        cpu: The processor's name.
    """
    if case.refusal or case.metric in STATIC_METRICS:
        return case.refusal
    if why := _of_backend(case, chosen.answers, info):
        return why
    claim, timed = case.claim, case.metric in TIMED_METRICS
    if claim is None or not (timed or claim.device):
        return ""
    pattern, device = case.card.devices[claim.device], info.device.removesuffix(", replayed")
    here = cpu if info.device == "cpu" else device  # who knows which one was recorded
    if not any(fnmatchcase(name.lower(), pattern.lower()) for name in (here, device)):
        return f"this number is of {claim.device or pattern}; this session runs on {here}"
    if timed and not chosen.latency:
        return "networks are timed only on demand: rerun with --sr-latency"
    return _of_shape(case, claim) if timed else ""


def _of_backend(case: Case, backend: str, info: BackendInfo) -> str:
    word = case.word
    emulated = word == f"{backend}-emulated"
    if case.is_about(backend) and (info.emulated or not emulated):
        return ""
    if emulated:
        return f"this row claims an emulated number, but {backend} is a real device here"
    valid, name = discovery.names("sr_bench.backends"), word.removesuffix("-emulated")
    rerun = f"rerun with --backend={name}"
    if name not in valid:
        rerun = f"no backend has that name, only {', '.join(valid)}"
    return f"this row claims {'an' if word[0] in 'aeiou' else 'a'} {word} number; {rerun}"


def _of_shape(case: Case, claim: Claim) -> str:
    """Say that another size is timed than the one that the document prints, if so."""
    batch = _BATCH.search(f"{claim.variant} {claim.device}")
    if batch and int(batch[1]) > 1:
        return f"this number is of a batch of {batch[1]}, and images are timed one by one"
    sides = tuple(map(int, _SIDE.findall(claim.shape)))
    if len(sides) != 2 or sides == case.timed_size:
        return ""
    return f"this number is of {claim.shape}, and {case.shape} is timed: cost.shape sets it"


def _of_precision(precision: Precision) -> str:
    if precision.is_bare_int8:
        modes = ", ".join(mode.calibration for mode in Precision.all() if mode.calibration)
        return (
            f"the document prints {precision} and no calibration: name it in the card, observer ="
            f' "kl" under [model.int8], or another of {modes}'
        )
    valid = ", ".join(Precision.all())
    return f"nothing here computes in {precision}; what can be measured: {valid}"


def _of_device(model: ModelCard, metric: str, cell: Claim | Blank) -> str:
    """Say that the card must tell which device a number is about, if it must."""
    if cell.device in model.devices or not (cell.device or metric in TIMED_METRICS):
        return ""
    about = f"on {cell.device!r}" if cell.device else "and no device"
    return (
        f"the document prints {metric_info(metric).title} {about}: name it in the card as sessions"
        f' do, under [model.devices], such as {toml.value(cell.device)} = "cuda", a'
        ' processor\'s name, or "*" for any'
    )


def _of_file(model: ModelCard, precision: Precision, word: str) -> str:
    if word:
        return f"what {word} makes of a network is no file of the card: its size is not known"
    if (precision.is_full and model.onnx) or precision in model.onnx_by_precision:
        return ""
    return (
        f"a model's size is that of its file, and the card names no ONNX file of {precision}:"
        " onnx or onnx_by_precision does"
    )


def _of_dataset(metric: str, precision: Precision, dataset: str) -> str:
    if metric in TIMED_METRICS:
        return "timing needs an [[model.evaluation]]: its protocol says what the network is given"
    on = f" on {dataset!r}" if dataset else ""
    name = f', with printed = "{dataset}" if its folder has another name' if dataset else ""
    return (
        f"no [[model.evaluation]] of the card covers {metric_info(metric).title} of"
        f" {precision}{on}: add one{name}"
    )
