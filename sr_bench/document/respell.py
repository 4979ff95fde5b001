"""Spell a new number with the marks that people read in the old one: ``1,592``, ``30,21``."""

import re
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.printed_numbers import read_numbers

_MARK: Final = re.compile(r"(?<=\d)(?:&#?\w{2,8};|\D{1,3})(?=\d)")
_MINUS: Final = re.compile("[−–—]|&(?:minus|[nm]dash|#\\d{2,5});")  # noqa: RUF001 - typed for a minus
_WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001


def respelled(printed: str, old: str, new: str) -> str:
    """Return the number `new` as its cell prints numbers, if that is read as `new` again.

    With the marks of ``0,864`` 1.125 would be read as a thousand: then it gets none.

    Args:
        printed: The cell's number as it stands there, or what stands in its place.
        old: That number as Python reads it.
        new: Another number as Python reads it.

    >>> respelled("1,592", "1592", "1601"), respelled("30,21", "30.21", "30.25")
    ('1,601', '30,25')
    """
    if printed == old or not re.search(r"\d", printed):
        return new
    minus = _MINUS.match(printed)
    marks = _MARK.findall(printed, minus.end() if minus else 0)
    point = marks.pop() if "." in old and marks else "."
    sign, digits = ("-", new[1:]) if new.startswith("-") else ("", new)
    whole, dot, rest = digits.partition(".")
    if marks:
        whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", marks[0].replace("\\", r"\\"), whole)
    sign = minus[0] if sign and minus else sign
    plus = "+" if printed.startswith("+") and not sign else ""
    text = f"{plus}{sign}{whole}{dot and point}{rest}"
    text = text.translate(_WIDE) if re.search("[０-９]", printed) else text  # noqa: RUF001
    read = read_numbers(Cell(text, 1, 1, 0, len(text)))
    return text if [number.text for number in read] == [new] else new
