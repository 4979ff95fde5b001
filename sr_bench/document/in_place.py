r"""What a reader sees of a cell, each character where the source has it: marks become blanks.

Unlike `inline.plain`, which reads names, this is for numbers: their places are needed, and what is
`\pm` in LaTeX, `&plusmn;` in HTML and `+/-` on a keyboard is one sign.
"""

import html
import re
from types import MappingProxyType
from typing import Final

from sr_bench.document.cell import BREAK
from sr_bench.document.spelling import narrow

_GROUP: Final = re.compile(
    r"(?<=\d)(?:[ _'\u2019\u202f\u2009\u00a0]|&(?:nbsp|thinsp|#160|#8239);|\{,\}|\\,)"
    r"(?=\d{3}(?!\d))"
)
_LATEX: Final = MappingProxyType(
    {"pm": "±", "times": "×", "cdot": "×", "approx": "≈", "sim": "~"}  # noqa: RUF001
    | {"uparrow": "↑", "downarrow": "↓"}
)
_SIGN: Final = re.compile(
    rf"\\(?P<latex>{'|'.join(_LATEX)})(?![a-z])|(?P<entity>&#?\w{{2,8}};)|(?P<pm>\+/?[-−]|\|pm\|)"  # noqa: RUF001
    rf"|(?P<break>{BREAK}|\\\|)",
    re.IGNORECASE,
)
MINUSES: Final = "-−–—"  # noqa: RUF001 - as people type them
FILL: Final = "\0"
"""What is in the places of ``minus;`` behind the sign, which has no blank before its number."""
_POWER: Final = re.compile(
    r"(?<=\d)[\s$]{0,9}[x×·*][\s$]{0,9}"  # noqa: RUF001
    r"10(?:(?:\^\{?|<sup>|\\?\s?:sup:`)(?P<plain>[-−]?\0{0,9}\d{1,2})(?:\}|</sup>|`)?"  # noqa: RUF001
    r"|(?P<raised>⁻?[⁰¹²³⁴-⁹]{1,2}))"
)
_LOWERED: Final = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_HIDDEN: Final = re.compile(
    r"<su[pb]>\s?\(?[\w*†‡§,]{0,5}\)?\s?</su[pb]>|:su[pb]:`[^`]{0,5}`"  # a footnote mark
    r"|\$\^\{?\d{1,2}\}?\$|\^\{?[*†‡\\a-z]{1,12}\}?|\([*†‡§]\)"
    r"|\[\^?\d{1,3}\](?!\()|\[(?:\^\w|#)\w{0,20}\]"
    r"|~~[^~]{1,40}~~|<(?P<struck>del|s|strike)>[^<>]{1,40}</(?P=struck)>"
    r"|!\[[^\[\]]{0,200}\]\([^()]{0,500}\)"  # a picture
    r"|\]\([^()]{0,500}\)"  # where a link leads
    r"|<[a-zA-Z/][^<>]{0,200}>"
    r"|\\(?:text)?color\{\w{1,20}\}"
    r"|\\(?:(?:text|math)[a-z]{0,6}|bm|boldsymbol|underline|emph|bf|rm)(?![a-zA-Z])"
    r"|\\[,;:!]|(?<=[\d{])~(?=[a-zA-Z\\])"  # blanks of LaTeX
    r"|\|[a-z][\w-]{0,20}\||:(?=\w{0,29}[a-z])\w{2,30}:"  # icons
    r"|\b(?:about|approx\.?|around|circa|ca\.)\s|[约約]"
    r"|(?!\\\.\d)[*_`\\\[\]{}$†‡§¶≈\u25a0-\u25b1\u25c0-\u27bf\u2b00-\u2bff\ufe0f\U0001f300-\U0001faff]"
)


def in_place(text: str) -> str:
    r"""Return `text` with as many characters: blanks for what isn't seen, one spelling of a sign.

    Marks between thousands are ``'``, powers of ten are of the form ``e-3``, and the break of a
    line is ``/``.

    >>> in_place(r"**30.21** $\pm$ 1&nbsp;592")
    "  30.21    ±    1''''''592"
    """
    text = _GROUP.sub(lambda match: "'" * len(match[0]), text)
    text = _SIGN.sub(_sign, text)
    text = _POWER.sub(_power, text)
    return narrow(_HIDDEN.sub(lambda match: " " * len(match[0]), text))


def _sign(match: re.Match[str]) -> str:
    sign = {"pm": "±", "break": "/"}.get(match.lastgroup or "") or _LATEX.get(match[1] or "")
    sign = sign or html.unescape(match[0])
    if sign.isalnum():  # a digit has to stand where its number does
        return match[0]
    return sign.ljust(len(match[0]), FILL if sign in MINUSES else " ")


def _power(match: re.Match[str]) -> str:
    power = match["plain"] or match["raised"].translate(_LOWERED)
    return ("e" + re.sub(f"[{MINUSES}]{FILL}*", "-", power)).ljust(len(match[0]))
