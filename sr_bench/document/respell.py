"""Spell a new number with the marks that people read in the old one: ``1,592``, ``30,21``."""

import re
from typing import Final

_MARK: Final = re.compile(r"(?<=\d)\\?\D(?=\d)")
_MINUS: Final = re.compile("[−–—]")  # noqa: RUF001 - signs that people type for a minus
_WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001


def respelled(printed: str, old: str, new: str) -> str:
    """Return the number `new` as its cell prints numbers.

    Args:
        printed: The cell's number as it stands there, or what stands in its place.
        old: That number as Python reads it.
        new: Another number as Python reads it.

    >>> respelled("1,592", "1592", "1601"), respelled("30,21", "30.21", "30.25")
    ('1,601', '30,25')
    """
    if printed == old or not re.search(r"\d", printed):
        return new
    marks = _MARK.findall(printed)
    point = marks.pop() if "." in old and marks else "."
    sign, digits = ("-", new[1:]) if new.startswith("-") else ("", new)
    whole, dot, rest = digits.partition(".")
    if marks:
        whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", marks[0].replace("\\", r"\\"), whole)
    if sign and (minus := _MINUS.match(printed)):
        sign = minus[0]
    plus = "+" if printed.startswith("+") and not sign else ""
    text = f"{plus}{sign}{whole}{dot and point}{rest}"
    return text.translate(_WIDE) if re.search("[０-９]", printed) else text  # noqa: RUF001
