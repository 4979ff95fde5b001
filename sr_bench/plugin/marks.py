"""The marks of an item: what ``-m "psnr and int8_max and set5"`` selects it by."""

import re
from collections.abc import Iterator, Mapping
from keyword import iskeyword

from sr_bench.core.case import COST_METRICS, GATE_METRIC, LATENCY_METRIC, Case
from sr_bench.core.metric import image_metrics
from sr_bench.core.precision import Precision

CLAIM, GATE = "claim", "gate"

_KINDS = {
    CLAIM: "a number that a document prints",
    GATE: "a check that a low precision is close enough to fp32",
}

_TAKEN = ("filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail")
"""Marks by which pytest changes what an item does."""


def marks(case: Case) -> tuple[str, ...]:
    """Return the names of the marks that the item of `case` carries."""
    named = [case.card.name, case.card.family, str(case.precision), case.metric]
    if case.evaluation and case.dataset:
        named += (case.evaluation.dataset, case.dataset)
    kinds = ((CLAIM, case.claim is not None), (GATE, case.metric == GATE_METRIC))
    names = [name for name, applies in kinds if applies]
    names += (spelled for name in named for spelled in _spellings(name))
    return tuple(dict.fromkeys(names))


def known_marks() -> Mapping[str, str]:
    """Return all marks but those of models, and of the datasets that only a zoo has, by name."""
    from sr_bench.data.locate import known_datasets  # brings the image libraries along

    metrics = (*COST_METRICS, *image_metrics(), GATE_METRIC, LATENCY_METRIC)
    named = {
        **dict.fromkeys(metrics, "a metric"),
        **dict.fromkeys(map(str, Precision.all()), "a precision"),
        **dict.fromkeys(known_datasets(), "a dataset, at any scale"),
    }
    return _KINDS | {s: text for name, text in named.items() for s in _spellings(name)}


def describe(name: str) -> str:
    """Return what ``pytest --markers`` says of the mark `name` of an item."""
    return _KINDS.get(name, "a name that items of this session are selected by")


def _spellings(name: str) -> Iterator[str]:
    """Yield how `name` may stand behind ``-m``: as it is if pytest can read that, and as a word."""
    for spelled in dict.fromkeys((name, re.sub(r"\W", "_", name))):
        readable = re.fullmatch(r"[^\W_][\w.+-]*", spelled)
        if readable and spelled not in _TAKEN and not iskeyword(spelled):
            yield spelled
