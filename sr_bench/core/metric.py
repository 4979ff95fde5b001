"""What a metric is: its unit, which way is better, how it is printed, and what it is computed on.

A metric of images declares this as ``INFO`` of ``sr_bench/metrics/<name>.py``, or of a module that
another package registers in the entry-point group ``sr_bench.metrics``. Nothing lists them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from types import MappingProxyType
from typing import Final, Literal

from sr_bench import discovery
from sr_bench.core.claim import Claim
from sr_bench.errors import OptionError

PACKAGE = "sr_bench.metrics"
"""Where metrics of images are declared."""

_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class MetricInfo:
    """What a metric declares; reading it must not import what computes it."""

    title: str
    """As people write it, such as ``PSNR``."""
    unit: str
    """In which it is printed, measured and recorded; empty if it has none."""
    higher_is_better: bool | None
    """None: nobody here knows, as nothing here measures it."""
    decimals: int
    """Of a value that no document prints."""
    sentence_decimals: int
    """Of a value or a loss in a sentence."""
    headers: tuple[str, ...] = ()
    """Names of it in documents: lower case, without blanks, the unit in brackets or left out."""
    lowest: float = -inf
    highest: float = inf
    """A value outside of these is a defect, never a result."""
    allowed_loss: float = 0.0
    """How much worse the mean over the images may be than in an earlier run, in `unit`."""
    compares: Literal["pairs", "sets"] = "pairs"
    """``pairs``: each image has a value, and the dataset their mean; ``sets``: only the set of all
    images has one, which is not measured here."""
    needs_reference: bool = True
    """Whether it compares with the ground truth; if not, its ``score`` is given None for it."""
    pixels: Literal["protocol", "y", "rgb"] = "protocol"
    """What it is given: pixels in the colour of the protocol, always Y (BT.601 studio range as
    float, unless the protocol has a Y of its own), or always RGB."""
    follows_ssim_aggregation: bool = False
    """Whether the protocol's `ssim_aggregation` makes the dataset's value; if not, it is the mean
    of the images."""
    follows_psnr_aggregation: bool = False
    """The same of `psnr_aggregation`: of values in dB below a white level."""
    takes: tuple[str, ...] = ()
    """Choices of the protocol that its ``score`` takes by name, such as ``ssim_window``."""
    perfect: float | None = None
    """From this on (down to this, if lower is better) an image is as good as it can be told: such
    images are left out of mean losses. None: only infinite ones."""
    features: str = ""
    """The network whose features it compares, such as ``AlexNet``; empty: the pixels themselves."""

    def is_perfect(self, value: float) -> bool:
        """Return whether an image with this `value` is as good as it can be told."""
        if self.perfect is None:
            return value == inf
        return value >= self.perfect if self.higher_is_better else value <= self.perfect

    @property
    def drops(self) -> bool:
        """Whether a loss by it is a drop; also where nobody knows."""
        return self.higher_is_better is not False

    @property
    def perfection(self) -> str:
        """What such an image has, such as ``PSNR of 58.923 dB or more``."""
        if self.perfect is None:
            return f"infinite {self.title}"
        side = "more" if self.higher_is_better else "less"
        return f"{self.title} of {f'{self.perfect:.5g} {self.unit}'.rstrip()} or {side}"


def _cost(title: str, unit: str, decimals: int, names: str, *, higher: bool = False) -> MetricInfo:
    return MetricInfo(title, unit, higher, decimals, decimals, headers=tuple(names.split()))


# What is counted, compared with fp32, timed, or a file's: no module scores it.
_NOT_OF_IMAGES: Final = MappingProxyType(
    {
        "fidelity": MetricInfo("fidelity", "dB", True, 2, 2, allowed_loss=0.5),
        "flops": _cost(
            *("Flops", "G", 3),
            "flops(g) flops flop 计算量 浮点运算量 浮点计算量 运算量",
        ),
        "params": _cost(
            *("Params", "M", 6),
            """params(m) params param para paras parameters parameter parametercount paramcount
            numparams parametros parametri parametres параметры パラメータ パラメータ数
            파라미터 파라미터수 参数量 参数 模型参数 模型参数量 参数个数 参数数量 参数规模""",
        ),
        "macs": _cost(
            *("MACs", "G", 3),
            """macs mac maccs macc multadds multadd multiadds multiadd madds madd multiplyadds
            multiplyadd multiplyaccumulates 乘加 乘加数 乘加次数 乘加运算 乘加运算量 乘加量""",
        ),
        "ops": _cost(
            *("OPS", "G", 3),
            "ops operations",
        ),
        "latency": _cost(
            *("latency", "ms", 3),
            """latency inferencetime inferencelatency inftime runtime time runningtime
            executiontime elapsedtime timecost testtime 延迟 延时 时延 耗时 推理时间 推理耗时
            推理延迟 运行时间 时间""",
        ),
        "fps": _cost(
            *("FPS", "images/s", 1),
            "fps framerate framespersecond 帧率",
            higher=True,
        ),
        "memory": _cost(
            *("peak memory", "MB", 1),
            """memory mem peakmemory peakmem gpumemory gpumem maxmemory memoryusage
            memoryfootprint vram ram peakram gpuram peakmemoryrange estimatedpeakmemory
            estimatedpeakmemoryrange 显存 显存占用 内存 内存占用 峰值内存 峰值显存""",
        ),
        "model_size": _cost(
            *("model size", "MB", 3),
            """modelsize filesize weightsize weightssize disksize onnxsize checkpointsize
            模型大小 模型体积 模型文件大小 模型存储大小 存储大小""",
        ),
    }
)


@cache
def metric_infos() -> Mapping[str, MetricInfo]:
    """Return the declaration of every metric by name.

    Raises:
        OptionError: A module has no declaration, or an unusable name; or two have the same header.
    """
    infos = {**_NOT_OF_IMAGES, **{name: _declared(name) for name in image_metrics()}}
    owners: dict[str, str] = {}
    for name, info in infos.items():
        for header in info.headers:
            if owners.setdefault(header, name) != name:
                msg = (
                    f"metrics {owners[header]!r} and {name!r} both declare the header {header!r};"
                    " change it in one of them, or uninstall its package"
                )
                raise OptionError(msg)
    return MappingProxyType(infos)  # cached, so nobody may change it


@cache
def metric_headers() -> Mapping[str, str]:
    """Return the metric that each header of a README column means."""
    return {header: name for name, info in metric_infos().items() for header in info.headers}


def image_metrics() -> tuple[str, ...]:
    """Return the names of the metrics that modules score, sorted; none is imported."""
    return discovery.names(PACKAGE)


def metric_info(name: str) -> MetricInfo:
    """Return the declaration of the metric `name`.

    A document may print one that nothing here measures, and history may hold values of one whose
    package is not installed any more: such a one has no unit, and no side that is the better one.
    """
    return metric_infos().get(name) or MetricInfo(name, "", None, 4, 4)


def is_measured(name: str) -> bool:
    """Tell whether anything here knows the metric `name`."""
    return name in metric_infos()


def printed_metric(name: str, *, also: tuple[str, ...] = ()) -> str:
    """Return `name`, which must be that of a metric that documents print, or in `also`.

    Raises:
        ValueError: It is neither; the message lists the valid ones.
    """
    valid = (*(known for known in metric_infos() if known != "fidelity"), *also)
    if name not in valid:
        msg = f"expected one of {', '.join(valid)}"
        raise ValueError(msg)
    return name


def not_computed(name: str) -> str:
    """Return why images can't be scored by `name` here, and what to do; empty if they can.

    Raises:
        OptionError: There is no such metric of images.
    """
    module, info = discovery.load(PACKAGE, name), metric_info(name)
    if info.compares == "sets":
        return f"{info.title} compares sets of images, and only pairs of images are measured here"
    absent: str = getattr(module, "absent", str)()
    return absent and f"{info.title} can't be computed here: {absent}"


def with_unit(text: str, metric: str) -> str:
    """Return the number `text` with the unit of `metric`, if it has one."""
    return f"{text} {metric_info(metric).unit}".rstrip()


def quantity(claim: Claim) -> str:
    """Return the number with its unit as printed: ``1.370 M``, ``1370 K``."""
    return f"{claim.text} {claim.unit}" if claim.unit else with_unit(claim.text, claim.metric)


def _declared(name: str) -> MetricInfo:
    if name in _NOT_OF_IMAGES or not _NAME.fullmatch(name):
        msg = (
            f"metric {name!r}: expected a name of lower-case letters, digits and _, and none of"
            f" {', '.join(_NOT_OF_IMAGES)}; rename its entry point"
        )
        raise OptionError(msg)
    module = discovery.load(PACKAGE, name)
    info = getattr(module, "INFO", None)
    if not isinstance(info, MetricInfo):
        msg = (
            f"metric {name!r}: expected INFO, a MetricInfo, in {module.__name__},"
            f" got {type(info).__name__}; docs/how-to/extending.md shows one"
        )
        raise OptionError(msg)
    return info
