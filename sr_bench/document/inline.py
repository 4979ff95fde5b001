"""What a reader sees of a cell: its text without links, emphasis and code marks."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Without any of these a text is plain already: most cells, and parsing is the slow part.
# An underscore between letters is no mark.
_MARKUP = re.compile(r"[\\`*~\[\]!<>&]|(?<![^\W_])_|_(?![^\W_])")
# Links and strong words as most are, of which nothing else can be meant.
_WORDS = r"[^\\`*~\[\]!<>&\n]"
_LINK = re.compile(rf"(?<![!\w])\[({_WORDS}+)\]\((?:https?://)?[\w./#%=&?+~,;@-]*\)(?!\w)")
_BOLD = re.compile(rf"(?<![^\s/|])\*\*([^\W_](?:{_WORDS}*[^\W_])?)\*\*(?![^\s/|])")
_BOLD_END = re.compile(rf"({_WORDS}*){_BOLD.pattern}")
_STRONG = re.compile(r"(?<![^\s>])<(b|strong)>([^<]+)</\1>(?!\S)", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^<>]*?\balt=([\"'])([^<>\"']*)\1[^<>]*>", re.IGNORECASE)
_POWER = re.compile(r"(?<=10)<sup>([-−]?\d{1,2})</sup>")  # noqa: RUF001
_RST_LINK = re.compile(r"(?::[a-zA-Z][\w:+.-]*:)?(?<!`)`([^`<]+)(?:<[^`<>]*>)?`_{0,2}(?!`)")
_RST_BLANK = re.compile(r"\\(?:\s|$)")  # which fills a first cell that is to stay blank
_RST_REFERENCE = re.compile(
    r"(?<![\w`.-])([^\W_][\w.-]*[^\W_]|[^\W_])__?(?![\w_])|\[[\w#*-]+\]_|\|[^|]+\|_?"
)

LONGEST: Final = 1000
"""Characters of a cell that are looked into: no label is longer, and for some texts, such as links
that never end, the time to read their markup grows with the square of their length."""


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("strikethrough")


@lru_cache(maxsize=1024)  # a label is read for its name and for its emphasis
def _tokens(source: str) -> Sequence[Token]:
    # GitHub turns \| into | before it looks for anything else in a cell, inside code too.
    source = source.replace("\\|", "|")
    if "<" in source:
        source = _POWER.sub(r"^\1", _STRONG.sub(_starred, _IMAGE.sub(r"\2", source)))
    block = _parser().parseInline(source)
    return block[0].children or ()


def _starred(match: re.Match[str]) -> str:
    return f"**{match[2].strip()}**" if match[2].strip() else ""


def _seen(tokens: Sequence[Token]) -> str:
    parts = (" " if token.type == "html_inline" else token.content for token in tokens)
    return " ".join("".join(parts).split())


def plain(source: str) -> str:
    r"""Return the text of a cell's `source` without markup, runs of blanks made one.

    Links and images become their label, emphasis, code and strike-through marks go, an HTML tag
    becomes a blank, backslash escapes and entities become their character. A text of more than 1000
    characters is returned with its markup.

    >>> plain(r"[**RCAN**](https://example.org) `a\|b`")
    'RCAN a|b'
    """
    return _unmarked(source) if _is_marked(source) else " ".join(source.split())


@lru_cache(maxsize=20_000)  # a cell is asked for its text many times, and links repeat
def _unmarked(source: str) -> str:
    simple = _BOLD.sub(r"\1", _unlinked(source))
    return _seen(_tokens(source)) if _MARKUP.search(simple) else " ".join(simple.split())


def _unlinked(source: str) -> str:
    """Return `source` with the text of simple links, as GitHub cuts it out of its table."""
    return _LINK.sub(r"\1", source.replace("\\|", "|"))


def split_emphasis(source: str) -> tuple[str, str]:
    """Return the plain text of `source` before, and of, the emphasis that it ends with.

    Several emphasised groups at the end count as one. The second part is empty if the cell does
    not end with emphasis, is nothing but emphasis, or has more than 1000 characters.

    >>> split_emphasis("LESRCNN_x2 **vacc percentile int8**")
    ('LESRCNN_x2', 'vacc percentile int8')
    >>> split_emphasis("**LESRCNN_x2**")
    ('LESRCNN_x2', '')
    """
    # Emphasis ends with its mark or tag; blanks behind it may be spelled as an entity.
    if not _is_marked(source) or source.rstrip()[-1:] not in ("*", "_", ">", ";"):
        return plain(source), ""
    bold = _BOLD_END.fullmatch(_unlinked(source))
    if bold and not _MARKUP.search(bold[1]) and not _MARKUP.search(bold[2]):
        head, tail = (" ".join(part.split()) for part in bold.groups())
        return (head, tail) if head else (tail, "")
    tokens = _tokens(source)
    start = _tail_start(tokens)
    head = _seen(tokens[:start])
    return (head, _seen(tokens[start:])) if head else (_seen(tokens), "")


def escaped(text: str) -> str:
    """Return the Markdown that shows `text`."""
    return re.sub(r"([\\`*_~\[\]!<>&])", r"\\\1", text)


def from_rst(source: str) -> str:
    """Return the Markdown of a line of reStructuredText; links, roles and names become text.

    Notes and substitutions go: in tables those are icons.

    >>> from_rst("`RCAN <https://example.org>`_ **int8** [1]_")
    'RCAN **int8** '
    """
    if len(source) > LONGEST:
        return source
    text = _RST_LINK.sub(lambda match: match[1].strip(), source)
    return _RST_BLANK.sub("", _RST_REFERENCE.sub(lambda match: match[1] or "", text))


def _is_marked(source: str) -> bool:
    return len(source) <= LONGEST and bool(_MARKUP.search(source))


def _tail_start(tokens: Sequence[Token]) -> int:
    """Return the index of the first token of the emphasised groups at the end."""
    start = len(tokens)
    for index, token in enumerate(tokens):
        if token.type in ("strong_open", "em_open") and not token.level:
            start = min(start, index)
        elif not (token.level or token.type in ("strong_close", "em_close") or _is_blank(token)):
            start = len(tokens)
    return start


def _is_blank(token: Token) -> bool:
    return token.type == "text" and not token.content.strip()
