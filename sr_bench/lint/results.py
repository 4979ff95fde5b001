"""Read the results that a text prints outside of its tables: ``mean psnr: 30.1, mean ssim: 0.9``.

Logs, code blocks and prose are read alike: a number behind the name of a metric, as in
``PSNR = 30.12 dB``, ``{'psnr': 30.12}`` or ``PSNR/SSIM: 30.12/0.87``. The precision is what the
words before it say, or a line above it in the same section, such as ``# int8``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from sr_bench.core.claim import Source
from sr_bench.core.precision import Precision
from sr_bench.document.spelling import words
from sr_bench.document.tables import Document
from sr_bench.lint.pages import HEADING

_NUMBER: Final = re.compile(
    r"(?<![\w.])(?P<digits>[0-9]{1,9}(?:\.[0-9]{1,40})?)(?=dB|db|%|[^\w.]|\.?$|\.\s)"
)
_BEFORE: Final = 80
"""Characters before a number in which its name stands."""
# What stands between a name and its number.
_SEPARATOR: Final = re.compile(
    r"""(\([^()]{0,20}\))?["'*`]{0,3}[ \t]*([:=：＝]|[ \t])[ \t]*(\*\*|["'`(\[]|tensor\()?$"""  # noqa: RUF001 - as typed
)
_CLAUSE: Final = re.compile(r"[,;|{}\[\]()<>，；。、]")  # noqa: RUF001 - as typed
_WORD: Final = re.compile(r"[a-z0-9]+|[^\W\d_a-z]+")
# What COCO's evaluation prints: the mean over all thresholds, and that of 0.5.
_COCO: Final = re.compile(
    r"\(AP\) @\[ IoU=0\.50(?P<range>:0\.95)? {1,9}\| area= {0,9}all \| maxDets= {0,9}100 \] = "
    r"(?P<digits>[01]\.[0-9]{1,40})"
)
_FENCE: Final = re.compile(r"[ \t>]*(```|~~~)")
_TABLE: Final = re.compile(r"[ \t>]*(\||<t[dhr]\b)")
_DTYPE: Final = re.compile(
    r"(?<![a-z0-9])(fp32|float32|fp16|float16|bf16|int8|int4|w8a8|w8a16)(?![0-9a-z])"
)
_CALIBRATIONS: Final = (
    re.compile(r"int8[ _*-]{1,3}([a-z_]{2,20})"),
    re.compile(r"([a-z_]{2,20})[ _*-]{1,3}int8"),
)
# Words of a name that don't change what the number is.
_IDLE: Final = words(
    """mean average avg ave val valid validation test eval final overall total rate score value acc
    accuracy result results bbox segm vacc the is 平均 精度 结果 测试 评估 平均值 准确率 指标"""
)


@dataclass(frozen=True)
class Result:
    """A number that a text prints of a metric."""

    metric: str
    text: str
    """The number as printed."""
    about: str
    """The words beside the metric's name: lower case, without blanks; usually empty."""
    dtype: str
    """``fp16``, ``int8`` ...; empty if the text doesn't say it."""
    calibration: str
    """Of int8, where the text says it."""
    source: Source
    section: int
    """The line of the heading above; 0 if there is none."""

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def half_step(self) -> float:
        """Half a unit of its last digit."""
        return 0.5 * 10.0 ** int(Decimal(self.text).as_tuple().exponent)


@dataclass
class _Place:
    """What the lines above say of the numbers below them."""

    section: int = 0
    fenced: bool = False
    printed: bool = False
    """Whether the code block has results."""
    said: tuple[str, str] = ("", "")
    """Type and calibration of the nearest line that names one precision."""
    outside: tuple[str, str] = field(default=("", ""))
    """The same before the code block."""

    def enter(self, number: int, line: str) -> None:
        """Take the line of this number, from 1, into account."""
        if _FENCE.match(line):
            if not self.fenced:
                self.outside, self.printed = self.said, False
            elif self.printed:
                self.said = self.outside  # what its comments say ends with it
            self.fenced = not self.fenced
        elif not self.fenced and HEADING.match(line):
            self.section, self.said = number, ("", "")
        if (said := _precision(line)) is not None:
            self.said = said


def read_results(document: Document, metrics: Mapping[str, str]) -> tuple[Result, ...]:
    """Return the results that `document` prints outside of tables, in reading order.

    Args:
        document: Any text.
        metrics: The metric that each name stands for; names in lower case, without blanks and
            signs.
    """
    place = _Place()
    results: list[Result] = []
    for number, line in enumerate(re.split(r"\r\n?|\n", document.text), 1):
        place.enter(number, line.lower())
        if not _TABLE.match(line):
            found = list(_in_line(document.path, number, line, metrics, place))
            place.printed |= bool(found)
            results += found
    return tuple(results)


def _in_line(
    path: str, number: int, line: str, metrics: Mapping[str, str], place: _Place
) -> Iterator[Result]:
    said, end, names, words_before = place.said, 0, list[tuple[str, str]](), ""
    if coco := _COCO.search(line):
        metric = metrics.get("map5095" if coco["range"] else "map50")
        source = Source(path, number, coco.start("digits") + 1)
        if metric:
            yield Result(metric, coco["digits"], "", *said, source, place.section)
        return
    for match in _NUMBER.finditer(line):
        before = line[max(end, match.start() - _BEFORE) : match.start()]
        if not (names and before.strip() == "/"):  # 30.12/0.87 continues what PSNR/SSIM began
            names = list(_names(before, metrics))
            said = _precision(before.lower()) or said
        if names:
            (metric, about), end = names.pop(0), match.end()
            source = Source(path, number, match.start("digits") + 1)
            words_before = about or words_before
            yield Result(metric, match["digits"], words_before, *said, source, place.section)


def _names(before: str, metrics: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each metric that the text before a number names, and the words beside it."""
    separator = _SEPARATOR.search(before)
    name = _CLAUSE.split(before[: separator.start()])[-1] if separator else ""
    for part in name.split("/"):
        said = _WORD.findall(_DTYPE.sub(" ", part.lower()))
        for start in range(len(said)):  # the longest name first
            telling = (word for word in said[start:] if word not in _IDLE)
            metric = metrics.get("".join(said[start:])) or metrics.get("".join(telling))
            if metric:
                yield metric, "".join(word for word in said[:start] if word not in _IDLE)
                break
        else:
            return


def _precision(text: str) -> tuple[str, str] | None:
    """Return the one precision that a text in lower case names; no words if it names several."""
    dtypes = {word.replace("float", "fp") for word in _DTYPE.findall(text)}
    if not dtypes:
        return None
    if len(dtypes) > 1:
        return "", ""
    words_beside = (word.strip("_") for pattern in _CALIBRATIONS for word in pattern.findall(text))
    known = filter(None, (Precision.named(f"int8 {word}") for word in words_beside))  # no int8_mod
    return dtypes.pop(), next((one.calibration for one in known), "")
