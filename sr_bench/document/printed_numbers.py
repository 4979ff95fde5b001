"""Read the numbers of one cell: ``30.21/0.8646``, ``**1,592K**``, ``30.21 ± 0.02 (+0.03)``."""

import re
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from sr_bench.core.metric import metric_infos
from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import CHANGES, Measure
from sr_bench.document.in_place import FILL, MINUSES, in_place
from sr_bench.document.inline import LONGEST
from sr_bench.document.lexicon import NOTHING
from sr_bench.document.spelling import compact, has_digit
from sr_bench.document.units import TIMES, cost_unit, is_unit, metric_power, with_printed_unit

Kind = Literal["value", "gain", "spread", "blank"]

_DIGITS: Final = (
    r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9,])"
    r"|[1-9][0-9]{0,2}(?:'+[0-9]{3})+(?:[.,][0-9]+)?(?![0-9'])"
    r"|[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+(?![0-9.,])"
    r"|[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}(?![0-9.,])"
    r"|(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)(?![0-9.,])|[0-9]+\\?\.[0-9]+|[0-9]+|\.[0-9]+"
)
_BLANK: Final = "|".join(map(re.escape, sorted(NOTHING - {"", "/"}, key=len, reverse=True)))
_ITEM: Final = re.compile(
    rf"(?P<number>{_DIGITS})(?:[eE](?P<power>[-+−]?\d{{1,2}})(?!\d))?"  # noqa: RUF001
    r"|(?P<pm>±|(?i:std|sd)\b\.?\s?[:=]?|σ\s?=?)|(?P<range>[~～∼至到]|(?i:to)\b)"  # noqa: RUF001
    rf"|(?P<blank>(?i:{_BLANK}){FILL}*)(?=\s{{0,9}}(?:[/|;,()]|$))"
    r"|(?P<times>(?<=\d)[x×](?!\w))"  # noqa: RUF001
    r"|(?P<unit>[^\W\d_]{1,12}(?:/[^\W\d_]{1,6})?|%)"
    rf"|(?P<sign>\+|[{MINUSES}]{FILL}*)|(?P<arrow>[↑↓▲▼])"
    r"|(?P<open>\()|(?P<close>\))|(?P<break>[/|;,])|(?P<other>\S)"
)
_SIMPLE: Final = re.compile(
    r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)(?:\s?/\s?(-?[0-9]{1,9}(?:\.[0-9]{1,9})?))?"
)
_THOUSANDS: Final = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_MOST_DIGITS: Final = 40
_COUNTED: Final = 10_000
_COUNTS: Final = frozenset({"params", "flops", "macs", "ops"})


class Number(NamedTuple):
    """One number of a cell."""

    cell: Cell
    """The part of the cell that is its digits and sign."""
    text: str
    """As Python reads it: no thousands marks, a point, a plain minus; empty for a blank."""
    unit: str = ""
    """As the cell prints it."""
    exponent: int = 0
    """Of a power of ten that the cell prints: 6 for ``1.2e6``."""
    kind: Kind = "value"
    """``gain``: what it is better by. ``spread``: how far values lie apart, or the lower end of a
    range. ``blank``: a dash in the place of a value, as in ``30.21 / -``."""


def read_numbers(cell: Cell) -> tuple[Number, ...]:
    """Return the numbers that `cell` prints, in its order; none if it says anything else too.

    Emphasis, links, tags, footnote marks and arrows may stand around them, units behind them, and
    signs between them: ``/``, ``|``, ``;``, a comma, or the break of a line.
    """
    if len(cell.text) > LONGEST or (cell.whole and has_digit(cell.whole.replace(cell.text, "", 1))):
        return ()
    if match := _SIMPLE.fullmatch(cell.text):  # most cells, and the rest takes ten times as long
        spans = (match.span(1), match.span(2)) if match[2] else (match.span(1),)
        return tuple([Number(part := cell.part(*span), part.text) for span in spans])
    reader = _Reader(cell)
    return tuple(reader.numbers) if all(map(reader.take, reader.items)) and reader.is_done else ()


def measured(measure: Measure, number: Number) -> Measure:
    """Return the measure of `number` in a column or row of `measure`.

    Its own unit comes first. With none anywhere, a whole number of 10,000 and more is a count.
    """
    one = _in_unit(measure.metric, number.unit) if number.unit else measure
    if one.metric in _COUNTS and not one.stated:
        count = float(f"{number.text or 0}e{number.exponent}")
        if count >= _COUNTED and count.is_integer():
            one = replace(one, exponent=-metric_power(one.metric))
    return replace(one, exponent=one.exponent + number.exponent) if number.exponent else one


def _in_unit(metric: str, unit: str) -> Measure:
    """Return the measure of a number with its own unit; a change has that of what changes."""
    of, _, end = metric.rpartition("_")
    if end not in CHANGES or of not in metric_infos():
        return with_printed_unit(Measure(metric), unit)
    one = with_printed_unit(Measure(of), unit)
    return replace(one, metric=f"{one.metric}_{end}")


class _Reader:
    """Reads items one by one; what it can't read ends it."""

    def __init__(self, cell: Cell) -> None:
        self.numbers: list[Number] = []
        self._cell = cell
        self._shown = in_place(cell.text)
        self.items = tuple(_ITEM.finditer(self._shown))
        self._awaited = True  # a number
        self._kind: Kind = "value"  # of the next number
        self._sign: re.Match[str] | None = None  # that the next number begins with
        self._is_range = self._is_inside = False

    @property
    def is_done(self) -> bool:
        """Whether the cell may end here."""
        return bool(self.numbers) and not self._awaited and not self._is_inside

    def take(self, item: re.Match[str]) -> bool:
        """Read `item`; return whether it fits to what is before it."""
        if item["number"]:
            return self._take_number(item)
        if item["unit"]:
            return self._take_unit(item["unit"])
        if item["times"] and self.numbers and "." in self.numbers[-1].text:  # 2x may be a scale
            self.numbers[-1] = self.numbers[-1]._replace(unit=TIMES)
            return not self._awaited
        if item["sign"]:
            return self._take_sign(item)
        if item["blank"] and self._awaited:
            part = self._cell.part(*item.span("blank"))
            self.numbers.append(Number(part, "", kind="blank"))
            self._awaited = False
            return True
        if item["arrow"]:
            return self._take_arrow(item.end())
        return self._take_joint(item)

    def _take_number(self, item: re.Match[str]) -> bool:
        start, end = item.span("number")
        tight = self._sign is None or self._sign.end() == start
        if not (self._awaited and tight and end - start <= _MOST_DIGITS):
            return False
        start = self._sign.start() if self._sign else start
        text = _as_python(self._shown[start:end])
        power = int(_as_python(item["power"] or "0"))
        self.numbers.append(Number(self._cell.part(start, end), text, "", power, self._kind))
        self._awaited, self._kind, self._sign = False, "value", None
        return not self._is_range or self._end_range()

    def _end_range(self) -> bool:
        low, high = self.numbers[-2:]
        self._is_range = False
        self.numbers[-2] = low._replace(kind="spread")
        return low.kind == "value" and float(low.text) <= float(high.text)

    def _take_arrow(self, end: int) -> bool:
        """Read an arrow: before a second number that is its gain, else it says what is better."""
        if not self._awaited and self._shown[end:].lstrip()[:1].isdecimal():
            self._awaited, self._kind = True, "gain"
        elif self._is_inside:
            self._kind = "gain"
        return True

    def _take_unit(self, text: str) -> bool:
        last = self.numbers[-1] if self.numbers else None
        if not last or self._awaited or last.kind == "blank":
            return False
        if last.unit:  # 1.5 M params
            text = f"{last.unit}{text}"
        if not (cost_unit(compact(text)) if last.unit else all(map(is_unit, text.split("/")))):
            return False
        unit = text.partition("/")[0]
        ends = 2 if [number.kind for number in self.numbers[-2:]] == ["spread", "value"] else 1
        self.numbers[-ends:] = [one._replace(unit=unit) for one in self.numbers[-ends:]]
        return True

    def _take_sign(self, item: re.Match[str]) -> bool:
        """Read a sign of a number, of a gain, or a range's."""
        start, end = item.span()
        tight = self._shown[end : end + 1].strip() != ""
        if not self._awaited and (item["sign"] == "+" or (tight and self._shown[start - 1] == " ")):
            self._kind = "gain"  # 30.21 +0.03
        elif not self._awaited:
            return self._take_range()
        elif self._is_inside:
            self._kind = "gain"
        self._awaited, self._sign = True, item
        return tight

    def _take_range(self) -> bool:
        self._awaited = self._is_range = True
        return not self._is_inside

    def _take_joint(self, item: re.Match[str]) -> bool:
        """Read what is between two numbers, or around them."""
        if item["range"]:  # in front of a number it says "about"
            return self._awaited or self._take_range()
        if item["close"]:
            self._is_inside, was_inside = False, self._is_inside
            return was_inside and not self._awaited
        if item["open"]:
            self._is_inside, was_inside = True, self._is_inside
            fits = not was_inside and self._awaited == (not self.numbers)
        else:
            fits = bool(item["pm"] or item["break"]) and not self._awaited
            fits = fits or bool(item["pm"] and self._is_inside)  # 30.21 (±0.02)
            self._kind = "spread" if item["pm"] else "value"
        self._awaited = True
        return fits


def _as_python(text: str) -> str:
    """Return a number without the marks that only people read."""
    text = re.sub(f"[{MINUSES}]{FILL}*", "-", text)
    text = text.replace("'", "").replace("\\", "").removeprefix("+")
    point, comma = text.rfind("."), text.rfind(",")
    if comma >= 0 and _THOUSANDS.fullmatch(text):
        return text.replace(",", "")
    if comma > point:
        return text.replace(".", "").replace(",", ".")
    return text.replace(".", "") if text.count(".") > 1 else text
