"""Why a session can't measure what a document prints, and what to declare or to do."""

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
from sr_bench.core.latency import is_one_device, printed_size
from sr_bench.core.metric import is_measured, metric_info, not_computed
from sr_bench.core.precision import Precision
from sr_bench.engine.plan.options import Selection
from sr_bench.text import toml

_SETS = "{} under [model.latency] sets it"


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
    if evaluation or metric in TIMED_METRICS:  # noise can be timed
        return ""
    return _of_dataset(metric, precision, cell.dataset if cell else "")


def why_untimed(case: Case) -> str:
    """Return what the card must tell of a printed time: each thing that nothing says.

    It is empty where nothing is missing, and of what is not timed.
    """
    if case.metric not in TIMED_METRICS or case.cell is None:
        return ""
    pattern, title = _pattern(case.card, case.cell), metric_info(case.metric).title
    if pattern and not is_one_device(pattern):
        return (
            f"{title} is compared on one device alone, and {pattern!r} of the card is many: name"
            ' it, such as "AMD EPYC*" (sr-bench doctor names this machine\'s)'
        )
    missing = {}
    if not pattern:
        missing["no device"] = 'device = "AMD EPYC*"'
    if case.known_size is None:
        missing["no input size"] = f'shape = "{case.shape}"'
    if not missing:
        return ""
    return (
        f"the document prints {title} and {' and '.join(missing)}: say it in the card, under"
        f" [model.latency], such as {', '.join(missing.values())}"
    )


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
    return (
        _of_backend(case, chosen.answers, info)
        or _of_this_machine(case, chosen, info, cpu)
        or (not_computed(case.metric) if case.scores_images else "")
    )


def _of_this_machine(case: Case, chosen: Selection, info: BackendInfo, cpu: str) -> str:
    """Say that the number is of another device, or a time that is not taken, if so."""
    cell, timed = case.cell, case.metric in TIMED_METRICS
    if cell is None or not (timed or cell.device):
        return ""
    pattern, device = _pattern(case.card, cell), info.device.removesuffix(", replayed")
    here = info.called(cpu).removesuffix(", replayed")  # who knows which one was recorded
    # Times are of one device: "cpu" is the name of many.
    names = (here,) if timed else (here, device)
    if not any(fnmatchcase(name.lower(), pattern.lower()) for name in names):
        of = cell.device or pattern
        of += f", {pattern}" if timed and pattern != of else ""
        return f"this number is of {of}; this session runs on {here}"
    if timed and not chosen.latency:
        return "latency is measured with --sr-latency"
    return _of_conditions(case) if timed else ""


def _pattern(model: ModelCard, cell: Claim | Blank) -> str:
    """Return what the card calls the device of `cell`; empty if it does not say it."""
    return model.devices.get(cell.device, "") if cell.device else model.latency.device


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


def _of_conditions(case: Case) -> str:
    """Say that the document prints other conditions of a time than the card does, if so."""
    plan, shape = case.card.latency, case.cell.shape if case.cell else ""
    printed = printed_size(shape)
    # A document may print the width first.
    if plan.shape and printed and sorted(printed) != sorted(case.timed_size):
        return f"this number is of {shape}, and {case.shape} is timed: {_SETS.format('shape')}"
    if plan.batch and case.printed_batch not in (None, plan.batch):
        of, timed = f"a batch of {case.printed_batch}", f"one of {plan.batch}"
        return f"this number is of {of}, and {timed} is timed: {_SETS.format('batch')}"
    return ""


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
    if not cell.device or cell.device in model.devices:
        return ""
    return (
        f"the document prints {metric_info(metric).title} on {cell.device!r}: name it in the card"
        f" as sessions do, under [model.devices], such as {toml.value(cell.device)} ="
        ' "NVIDIA H200", or a processor\'s name; "*" stands for any characters'
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
    on = f" on {dataset!r}" if dataset else ""
    name = f', with printed = "{dataset}" if its folder has another name' if dataset else ""
    return (
        f"no [[model.evaluation]] of the card covers {metric_info(metric).title} of"
        f" {precision}{on}: add one{name}"
    )
