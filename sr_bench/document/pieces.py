"""Cut a header into the pieces that mean something: the longest run of words that is known wins."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sr_bench.document.meanings import Meaning, meaning
from sr_bench.document.spelling import compact, narrow

# Scripts without blanks between words; and the sign of a difference, in front of one.
_HAN: Final = "\u0394\u2206\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN: Final = re.compile(
    rf"(?P<han>[{_HAN}])|(?P<word>[^\W\d_{_HAN}]+)|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<sign>\S)"
)
_LATEX: Final = re.compile(r"\\times[ ~]?")
_ARROWS: Final = re.compile(
    r"\\(?:up|down|right|left)arrow|:arrow_(?:up|down):|[\u2190-\u21ff\u25b2-\u25bf\u2b06\u2b07\ufe0f$]"
)
_BEHIND_METRIC: Final = re.compile(
    r"[\s.($]{0,5}(?:[\u2191\u2193\u21e7\u21e9\u25b2\u25bc\u2b06\u2b07]|\\(?:up|down)arrow|:arrow_(?:up|down):)"
    r"|@\d"
)
_POWER: Final = re.compile(
    r"(?:[x\u00d7*\u00b7]\s?)?10(?:\^\{?(?P<plain>3|6|9|12)\}?|(?P<raised>[\u00b3\u2076\u2079]|\u00b9\u00b2))"
)
_MAGNITUDES: Final = MappingProxyType(
    {"3": "K", "\u00b3": "K", "6": "M", "\u2076": "M", "9": "G", "\u2079": "G"}
)
_TIMES: Final = re.compile(r"(?<=\d)\s?[×✕✖*]\s?(?=\d)|[×✕✖](?=\s?\d)|(?<=\d)[×✕✖]")  # noqa: RUF001
_JOINTS: Final = frozenset("-_.&'’=:")  # noqa: RUF001 - inside of names
_JOINT: Final = re.compile(r"[-_&'’=:]|\.(?!\d)")  # noqa: RUF001 - no point of a number
_INSIDE: Final = _JOINTS | frozenset("@#+%~")  # of a piece, which they don't end
_BRACKETS: Final = MappingProxyType(dict.fromkeys("([{<【「", "(") | dict.fromkeys(")]}>】」", ")"))
_MOST_TOKENS: Final = 9
LONGEST: Final = 400
"""Characters of a text that are read; no header is longer."""

_Token = re.Match[str]


@dataclass(frozen=True)
class Piece:
    """A word of a header, or a few that mean one thing."""

    text: str
    """As printed."""
    meaning: Meaning
    segment: int
    """Pieces of one segment have no bracket, comma or slash between them."""
    lead: str
    """What begins the segment: nothing, ``/`` for any sign between equals, ``(`` or ``)``."""
    start: int
    end: int
    hyphenated: bool
    """Whether a hyphen or an underscore ties it to the piece before."""
    is_metric: bool = False
    """Whether what is behind it makes it a metric: an arrow, or ``@10``."""


def pieces(text: str) -> tuple[Piece, ...]:
    """Return the pieces of `text`, whose markup is gone, in its order."""
    text = _POWER.sub(_magnitude, text[:LONGEST])
    even = _ARROWS.sub(lambda match: " " * len(match[0]), narrow(text))
    even = _LATEX.sub(lambda match: "x".rjust(len(match[0])), even)
    even = _TIMES.sub(lambda match: match[0].replace(match[0].strip(), "x"), even)
    return tuple(_pieces(text, list(_TOKEN.finditer(even))))


def _magnitude(match: re.Match[str]) -> str:
    """Write a power of ten as the letter of its magnitude, in as many characters."""
    return _MAGNITUDES.get(match["plain"] or match["raised"], "T").center(len(match[0]))


def _pieces(text: str, tokens: Sequence[_Token]) -> Iterator[Piece]:
    index, segment, lead, last = 0, 0, "", -1
    while index < len(tokens):
        if ends := _segment_end(tokens, index):
            segment, lead, index = segment + 1, ends, index + 1
            continue
        if tokens[index][0] != "%" and tokens[index][0] in _INSIDE:
            index += 1
            continue
        end, said = _longest(tokens, index)
        span = tokens[index].start(), tokens[end - 1].end()
        tied = last == span[0] - 1 and text[last] in "-_"
        is_metric = bool(_BEHIND_METRIC.match(text, span[1]))
        yield Piece(text[slice(*span)], said, segment, lead, *span, tied, is_metric)
        index, last = end, span[1]


def _segment_end(tokens: Sequence[_Token], index: int) -> str:
    """Return the lead of the segment that the token ends the one before of; empty if it doesn't."""
    sign = tokens[index]["sign"]
    return "" if not sign or sign in _INSIDE else _BRACKETS.get(sign, "/")


def _longest(tokens: Sequence[_Token], index: int) -> tuple[int, Meaning]:
    """Return the end of the longest run of tokens that is known, and what it means."""
    limit = _reach(tokens, index)
    for end in range(limit, index, -1):
        if _joined(tokens, end) or tokens[end - 1]["sign"] in _JOINTS:
            continue
        if found := meaning(*_spelled(tokens[index:end])):
            return end, found
    end = index + 1
    while end < len(tokens) and (_joined(tokens, end) or _is_unknown_han(tokens, end)):
        end += 1
    return end, Meaning("unknown")


def _is_unknown_han(tokens: Sequence[_Token], index: int) -> bool:
    """Tell whether the word before `index`, of a script without blanks, goes on there."""
    before, after = tokens[index - 1], tokens[index]
    if not (before["han"] and after["han"] and before.end() == after.start()):
        return False
    ends = range(_reach(tokens, index), index, -1)
    return not any(meaning(*_spelled(tokens[index:end])) for end in ends)


def _reach(tokens: Sequence[_Token], index: int) -> int:
    """Return the end of the tokens from `index` on that may be one name."""
    others = tokens[index + 1 : index + _MOST_TOKENS]
    signs = [token["sign"] and token["sign"] not in _JOINTS for token in others]
    return index + 1 + (signs.index(True) if True in signs else len(signs))


def _joined(tokens: Sequence[_Token], index: int) -> bool:
    """Tell whether no word ends before the token at `index`: ``Set5`` is no ``Set``."""
    if index >= len(tokens):
        return False
    before, after = tokens[index - 1], tokens[index]
    words = all(token["word"] or token["number"] for token in (before, after))
    return words and before.end() == after.start()


def _spelled(tokens: Sequence[_Token]) -> tuple[str, str]:
    text = tokens[0].string[tokens[0].start() : tokens[-1].end()].lower()
    spaced = " ".join(_JOINT.sub(" ", text).split())
    return compact(spaced) or spaced, spaced
