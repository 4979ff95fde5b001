"""Know what one word of a header means, or a few that belong together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final, Literal

from sr_bench import discovery
from sr_bench.core.metric import metric_headers
from sr_bench.core.precision import Precision
from sr_bench.document import lexicon
from sr_bench.document.dimensions import Measure
from sr_bench.document.spelling import by_word, compact
from sr_bench.document.units import GENERIC, cost_unit, is_unit

Kind = (
    Literal["measure", "metric word", "generic", "change", "colour", "unit", "qualifier", "filler"]
    | Literal["dataset", "precision", "backend", "device", "scale", "shape", "unknown"]
)

_BACKENDS: Final = "sr_bench.backends"
_SCALE: Final = re.compile(
    r"(?:sr|lr)?[x×](?P<behind>\d{1,2})|(?P<before>\d{1,2})[x×]"  # noqa: RUF001 - the sign of multiplication
    r"|(?:sr)?(?:scale|upscale|scalefactor|upscaling|factor|放大)x?(?P<named>\d{1,2})[x倍]?"
    r"|(?P<times>\d{1,2})倍(?:超分|放大)?"
)
_DEGRADED: Final = re.compile(r"(?:bi|bd|dn)x(\d)")
_SHAPE: Final = re.compile(r"\d{1,5}(?:x\d{1,5}){1,3}")
_DTYPE: Final = re.compile(
    r"fp|int|float|bf16|tf32|half|w\d{1,2}a\d|a\d{1,2}w\d|full|quant|mixed|nf4|浮点|半精|单精|全精|量化"
)
_WIDTHS: Final = re.compile(
    r"(?:int|w)(?P<w>\d{1,2})w?(?:int|act)(?P<a>\d{1,2})(?:a|act)?"
    r"|a(?P<first>\d{1,2})w(?P<last>\d{1,2})"
)
"""Of weights and activations: INT8/ACT16, int4w int8a, A8W16."""
_DTYPE_WORDS: Final = by_word(
    {
        "fp32": """float fullprecision floatingpoint floatprecision 浮点 浮点精度 单精度 全精度
            量化前""",
        "fp16": "half halfprecision 半精度",
        "int8": "quant quantized quantised 量化后 量化",
    }
)
_REMARK: Final = re.compile(
    r"(?<=\S)\s*(?:[(（][^()（）]{1,60}[)）]|基线|基准)\s{0,9}$"  # noqa: RUF001
)
_DATASET_END: Final = re.compile(
    rf"\d{{0,6}}(?:(?:{'|'.join(lexicon.DATASET_PARTS)})\d{{0,6}}){{0,2}}"
)
_CHIP: Final = re.compile(r"(?:rk|rv|bm|cv|sg|qcs|sm|mt|imx|rtx|gtx)\d{3,4}[a-z]{0,3}")
_LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class Meaning:
    """What a word says."""

    kind: Kind
    measure: Measure | None = None
    precision: Precision | None = None
    word: str = ""
    """The backend, the colour, or how a value changed: ``loss`` or ``gain``."""
    scale: int = 0


@lru_cache(maxsize=20_000)  # a document repeats its words, and each is tried in many spans
def meaning(key: str, spaced: str) -> Meaning | None:
    """Return what a word means; None if nothing here knows it.

    Args:
        key: The word, or several that belong together, as `spelling.compact` spells them.
        spaced: The same in lower case with blanks between words.
    """
    if len(key) > _LONGEST_NAME:
        return None
    return _metric(key) or _precision(key, spaced) or _place(key, spaced) or _small(key, spaced)


def _metric(key: str) -> Meaning | None:
    if name := metrics_by_name().get(key):
        return Meaning("measure", Measure(name))
    if (counted := cost_unit(key)) and key not in metrics_by_name():
        return Meaning("measure", counted)
    if change := lexicon.CHANGES.get(key):
        return Meaning("change", word=change)
    if key in GENERIC:
        return Meaning("generic")
    is_word = key.rstrip("0123456789") in lexicon.METRIC_WORDS or key in lexicon.METRIC_WORDS
    return Meaning("metric word") if is_word else None


def _precision(key: str, spaced: str) -> Meaning | None:
    precision = precision_word(spaced) if _DTYPE.search(key) else None
    return Meaning("precision", precision=precision) if precision else None


@lru_cache(maxsize=1000)  # labels repeat their words
def precision_word(text: str) -> Precision | None:
    """Return the precision that a document calls `text`; None if it is not one.

    >>> precision_word("INT8/ACT16"), precision_word("half")
    ('w8a16', 'fp16')
    """
    key = compact(text)
    if widths := _WIDTHS.fullmatch(key):
        text = f"w{widths['w'] or widths['last']}a{widths['a'] or widths['first']}"
    try:
        return Precision.parse_printed(_DTYPE_WORDS.get(key, text))
    except ValueError:
        return None


def precision_label(text: str) -> Precision | None:
    """Return the precision that is all of a label but for a remark; None if it is not one.

    >>> precision_label("FP32 baseline"), precision_label("INT8 weights + bias (ours)")
    ('fp32', 'int8')
    """
    text = _REMARK.sub("", text)
    first, *others = text.split() or [""]
    said = others and {compact(word) for word in others} <= lexicon.PRECISION_REMARKS
    return precision_word(first if said else text)


@lru_cache(maxsize=1000)
def backend_word(text: str) -> str:
    """Return the backend that a document calls `text`, in lower case; empty if it is not one."""
    key = compact(text)
    return _backends().get(key) or _backends().get(key.rstrip("0123456789"), "")


def _place(key: str, spaced: str) -> Meaning | None:
    """Read what ran a model, how far it upscales, and on what."""
    if match := _DEGRADED.fullmatch(key):  # BIx4 and BDx4 are made by other kernels
        return Meaning("unknown", scale=int(match[1]))
    is_whole = "." not in spaced  # x1.5 is no scale
    if is_whole and (match := _SCALE.fullmatch(key)):
        return Meaning("scale", scale=int(match[match.lastgroup or 0]))
    if is_whole and _SHAPE.fullmatch(key):
        return Meaning("shape")
    if backend := backend_word(key):
        return Meaning("backend", word=backend)
    if key in lexicon.DEVICES or _CHIP.fullmatch(key):
        return Meaning("device")
    return Meaning("dataset") if is_dataset(key) else None


def _small(key: str, spaced: str) -> Meaning | None:
    """Read words that say something beside others only."""
    if colour := lexicon.COLOURS.get(key):
        return Meaning("colour", word=colour)
    if is_unit(spaced):
        return Meaning("unit")
    if key in lexicon.QUALIFIERS:
        return Meaning("qualifier")
    return Meaning("filler") if key in lexicon.FILLERS else None


def is_dataset(key: str) -> bool:
    """Tell whether `key` begins like a dataset's name, and goes on with digits or a part."""
    for cut in range(len(key), 0, -1):
        name, rest = key[:cut], key[cut:]
        if name in lexicon.DATASETS and _DATASET_END.fullmatch(rest):
            return bool(rest[:1].isdecimal() or name not in lexicon.NUMBERED)
    return False


@cache
def metrics_by_name() -> Mapping[str, str]:
    """Return the metrics by what documents call them, without signs."""
    return MappingProxyType({compact(name): metric for name, metric in metric_headers().items()})


@cache
def _backends() -> Mapping[str, str]:
    ours = {compact(name): name for name in discovery.names(_BACKENDS)}
    emulated = {f"{name}emulated": f"{name}-emulated" for name in ours}
    return MappingProxyType({**lexicon.BACKENDS, **ours, **emulated})
