"""Units as documents print them, and the power of ten from one into a metric's own."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from sr_bench.core.metric import metric_info, metric_infos
from sr_bench.document.dimensions import Measure
from sr_bench.document.spelling import by_word, compact, words

# Powers of ten of units that one number may have.
_COUNTS: Final = by_word(
    {3: "k thousand 千", 6: "m million 百万", 9: "g b billion 十亿", 12: "t 万亿"}
    | {4: "万", 7: "千万", 8: "亿"}
)
_TIMES: Final = by_word(
    {0: "s sec secs second seconds 秒", -3: "ms msec millisecond milliseconds 毫秒"}
    | {-6: "us μs 微秒", -9: "ns"}
)
# Most tools that print MB mean MiB.
_BYTES: Final = by_word(
    {0: "b byte bytes", 3: "k kb kib", 6: "m mb mib mbytes", 9: "g gb gib gbytes", 12: "tb"}
)
_FAMILIES: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {"G": _COUNTS, "M": _COUNTS, "ms": _TIMES, "MB": _BYTES, "dB": MappingProxyType({"db": 0})}
)
_RATES: Final = words("fps imgs images image img frames frame its hz inferences samples")
# These are no power of ten of a second.
_LONG_TIMES: Final = words("min mins minute minutes h hr hrs hour hours day days 小时 分钟 天")
_POWERS: Final = words("w mw kw j mj kj")
ITEMS: Final = words("img image frame sample 张 帧")
"""What a time may be of one of."""
_PER: Final = frozenset({*ITEMS, "iter", "batch"})
_SHORTEST: Final = 4
_COST_METRICS: Final = ("flops", "params", "macs", "ops")
PERCENT: Final = "%"
TIMES: Final = "x"
"""Of a number that is so many times another one."""
NAMED: Final = words("speed throughput storage 速度 推理速度 吞吐 吞吐量 吞吐率")
GENERIC: Final = NAMED | words("cost complexity size usage weight weights 大小 性能")
"""Words for a metric that only the unit tells; those of `NAMED` are one without a unit too."""
RATES: Final = frozenset({*_RATES, *_PER} - {"fps", "hz"})
"""Units that are words of their own too."""
_ALL: Final = frozenset({*_COUNTS, *_TIMES, *_BYTES, "db", *_RATES, *_PER, *_POWERS, *_LONG_TIMES})


def is_unit(text: str) -> bool:
    """Tell whether `text` may be a unit: ``M``, ``ms``, ``dB``, ``%``, ``GMac``."""
    key = compact(text)
    return text == PERCENT or key in _ALL or bool(cost_unit(key))


def cost_unit(key: str) -> Measure | None:
    """Return the cost that a word with a magnitude names: ``gmacs``, ``mparams``, ``tops``."""
    if len(key) < _SHORTEST or key[0] not in "kmgbt":
        return None
    for metric in _COST_METRICS:
        if key[1:] in metric_infos()[metric].headers or f"{key[1:]}s" == metric:
            return with_printed_unit(Measure(metric), key[0].upper())
    return None


def unit_alone(units: Sequence[str]) -> Measure | None:
    """Return the one metric that numbers with these units are of: ``ms``, ``img/s``, ``dB``."""
    first, others = compact(units[0]), {compact(unit) for unit in units[1:]}
    if first == "db":
        return Measure("psnr", stated=True)
    rate = first == "fps" or (first in _RATES and others & _TIMES.keys())
    if rate or (first in _TIMES and first != "s"):
        return with_printed_unit(Measure("speed"), units[0])
    return None


def with_printed_unit(measure: Measure, unit: str) -> Measure:
    """Return `measure` in the `unit` that a header or a cell prints beside it.

    A unit may say what is measured: ``Params (MB)`` is a size, ``Flops (GMac)`` are MACs.
    """
    key = compact(unit) or unit
    if counted := cost_unit(key):
        return counted if measure.metric in (*_COST_METRICS, *GENERIC) else measure
    if measure.metric in ("params", *GENERIC) and key in _BYTES and key not in _COUNTS:
        return with_printed_unit(Measure("model_size"), unit)
    if measure.metric in GENERIC and key in (*_TIMES, *_RATES):
        return with_printed_unit(Measure("latency" if key in _TIMES else "fps"), unit)
    own = metric_info(measure.metric).unit
    if key == TIMES and measure.metric in metric_infos():
        return Measure(f"{measure.metric}_ratio")  # 3.8x of another's latency is no time
    if key in _LONG_TIMES and own:
        return Measure(f"{measure.metric}_{key}")  # nothing here computes with it
    if (own and key == compact(own)) or (key in _RATES and measure.metric == "fps"):
        return Measure(measure.metric, stated=True)
    if _is_foreign(measure.metric, own, key):
        return measure
    return Measure(measure.metric, unit, _power(measure.metric, own, key, unit), stated=True)


def _is_foreign(metric: str, own: str, key: str) -> bool:
    """Tell whether a metric can't have a unit: SSIM has no dB, and mIoU no milliseconds."""
    if metric in metric_infos():
        return key not in (*_FAMILIES.get(own, {}), PERCENT)
    return key in (*_TIMES, "db")


def metric_power(metric: str) -> int:
    """Return the power of ten in the unit of a metric that counts: 6 for params in M."""
    return _COUNTS[compact(metric_info(metric).unit)]


def _power(metric: str, own: str, key: str, unit: str) -> int:
    family = _FAMILIES.get(own, {})
    if key in family:
        return family[key] - family[compact(own)]
    # A rate of 0 to 1, as SSIM is, may be printed in percent.
    return -2 if unit == PERCENT and metric in metric_infos() and not own else 0
