"""Read a row's label into the model, the backend word and the precision that it names."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from sr_bench import discovery
from sr_bench.core.precision import DTYPES, Precision
from sr_bench.document.inline import split_emphasis
from sr_bench.document.meanings import backend_word, precision_word
from sr_bench.errors import DocumentError

_BACKENDS: Final = "sr_bench.backends"
_MOST_WORDS: Final = 8  # last words of a label that are tried as a precision; the longest has three
_RAISED: Final = re.compile(r"<su([pb])>([^<>]{1,20})</su\1>")
_MARK: Final = re.compile(
    r"[*†‡§¶]{1,3}|[\u2605\u2606\u2728\u2b50\ufe0f\U0001f300-\U0001faff]{1,3}|[¹²³⁰⁴-⁹]{1,2}|\[(?:\^?\d{1,2}|\^\w{1,20}|\^?[*†‡§¶]{1,2}|[a-c])\]"
    r"|\$?\^\{?(?:\\?(?:dagger|ddagger|ast|star)|[*†‡\d]{1,2})\}?\$?|\\(?:dagger|ddagger|ast)"
)
_TAIL: Final = re.compile(r"(?P<name>.*\S)\s*[(\[（](?P<words>[^()\[\]（）]{2,60})[)\]）]")  # noqa: RUF001
_SCALE: Final = re.compile(
    # MDSRx2, EDSR_Mx2_f64b16, x4plus, x4v3, edsr_x2c64b16; but x2_0 is a width, 32x4d a group.
    r"(?<!\d)[x×](?P<behind>[1-9]|1[0-6])(?:plus|v\d|c\d+(?:b\d+)?)?"  # noqa: RUF001 - as typed
    r"(?![a-z0-9]|[_.]\d{1,2}(?![a-z0-9]))"
    r"|(?<![a-z0-9.])(?P<before>[2-9])[x×](?![a-z0-9])",  # noqa: RUF001
    re.IGNORECASE,
)
_MARKED: Final = 40  # characters at a label's end that may be marks
_TIE: Final = re.compile("[-_]")
_SPLIT: Final = re.compile(r"[\s,/+&;|]+")


@dataclass(frozen=True)
class Label:
    """What the first cell of a row says."""

    model: str
    """The model's name without markup and footnote marks."""
    backend: str = ""
    """``vacc``, ``vacc-emulated``, ``onnxruntime`` ...; empty if the label names none."""
    precision: Precision = Precision.FP32
    qualified: bool = False
    """Whether the label says more than the model's name."""
    mark: str = ""
    """Footnote marks behind the name, such as ``*``: they may tell two rows apart."""


def read_label(source: str, *, where: str) -> Label:
    """Read the label that a cell's `source`, as written with its markup, holds.

    Backend and precision are the words of the emphasis or the brackets that the cell ends with
    (``LESRCNN_x2 **vacc percentile int8**``, ``LESRCNN_x2 (int8)``), in any order and case, with
    blanks or underscores between. Without those they are the longest run of last words that reads
    as a precision (``LESRCNN_x2 vacc int8 max``). Other emphasis is part of the name.

    Raises:
        DocumentError: There is no name, or an emphasised word is neither a backend nor part of a
            precision though others are; the message starts with `where`.
    """
    name, tail = split_emphasis(_RAISED.sub(_lowered, source))
    if not name:
        msg = f"{where}: expected a model's name in the first column, got an empty cell"
        raise DocumentError(msg)
    what = f"{where}: row label {source!r}"
    words = _words(tail)
    if words and _is_qualifier(words):
        return _label(name, *_read_words(words, what))
    name = f"{name} {tail}" if tail else name
    name, mark = _without_mark(name)
    bracketed = _TAIL.fullmatch(name)
    if bracketed and _is_precision_tail(_words(bracketed["words"])):
        return _label(bracketed["name"], *_read_words(_words(bracketed["words"]), what), mark)
    return _read_plain(name, mark, what)


def scale_of(name: str) -> int:
    """Return the one upscaling factor that a model's name holds; 0 for none or several.

    >>> scale_of("EDSR_Mx2_f64b16"), scale_of("MDSR_x2_x3"), scale_of("PPLCNet_x2_5")
    (2, 0, 0)
    """
    found = {int(match["behind"] or match["before"]) for match in _SCALE.finditer(name)}
    return found.pop() if len(found) == 1 else 0


def parted(label: str, names: Set[str]) -> str:
    """Return `label` with a blank before the qualifier that is tied to one of `names`, or nothing.

    >>> parted("wren-vacc-int8", {"wren"})
    'wren vacc_int8'
    """
    for tie in list(_TIE.finditer(label))[-_MOST_WORDS:]:
        name, tail = label[: tie.start()], label[tie.end() :].replace("-", "_")
        if name in names and " " not in name and _is_precision_tail(_words(tail)):
            return f"{name} {tail}"
    return ""


def _label(name: str, backend: str, precision: Precision, mark: str = "") -> Label:
    name, own = _without_mark(name.rstrip(" -:,/") or name)
    return Label(name, backend, precision, True, own + mark)


def _lowered(match: re.Match[str]) -> str:
    """Write what is raised as a footnote if it is one: ``SR<sup>3</sup>Net`` has none."""
    text = match[2].strip()
    is_mark = re.fullmatch(r"[*†‡§¶\d]{1,2}|[a-c]", text) and match[1] == "p"
    ends = not match.string[match.end() : match.end() + 1].isalnum()
    return f"[^{text}]" if is_mark and ends else text


def _without_mark(name: str) -> tuple[str, str]:
    """Return `name` without the footnote marks that it ends with, and those."""
    marks = list(_MARK.finditer(name, max(0, len(name) - _MARKED)))
    end = len(name)
    for match in reversed(marks):
        if name[match.end() : end].strip():
            break
        end = match.start()
    kept = name[:end].rstrip()
    return (kept, name[end:].strip()) if kept else (name, "")


def _words(text: str) -> list[str]:
    """Return the words of a qualifier; those with underscores are cut where it takes that."""
    words: list[str] = []
    for word in _SPLIT.split(text.lower().strip()):
        is_one = _is_backend(word) or _is_precision_word(word)
        words += [word] if is_one else re.split("[_ ]+", word.strip("_"))
    return [word for word in words if word]


def _is_qualifier(words: Sequence[str]) -> bool:
    """Tell whether emphasised words are a backend or a precision, or are meant to be."""
    known = [*DTYPES, *discovery.names(_BACKENDS)]  # vac is meant to be vacc
    return len(words) <= _MOST_WORDS and any(
        _is_backend(word) or _is_precision_word(word) or get_close_matches(word, known, 1, 0.7)
        for word in words
    )


def _read_plain(name: str, mark: str, what: str) -> Label:
    """Read a label without emphasis: the longest tail that is a precision wins."""
    words = name.split()
    for cut in range(max(1, len(words) - _MOST_WORDS), len(words)):
        tail = _words(" ".join(words[cut:]))
        if _is_precision_tail(tail):
            try:
                backend, precision = _read_words(tail, what)
            # Words may be known and yet make no precision together: fewer of them may.
            except DocumentError:
                continue
            return _label(" ".join(words[:cut]), backend, precision, mark)
    return Label(" ".join(words), mark=mark)


def _is_precision_tail(words: Sequence[str]) -> bool:
    """Whether all `words` are known and one names a dtype: ``max`` alone may end a name."""
    known = all(_is_backend(word) or _is_precision_word(word) for word in words)
    return known and any(word == "float" or _names_width(word) for word in words)


def _read_words(words: Sequence[str], what: str) -> tuple[str, Precision]:
    valid = ", ".join(Precision.all())
    backends = list(filter(_is_backend, words))
    rest = [word for word in words if word not in backends]
    precision = precision_word(" ".join(rest)) if rest else Precision.FP32
    if precision is None and (unknown := [one for one in rest if not _is_precision_word(one)]):
        ours = ", ".join(discovery.names(_BACKENDS))
        msg = (
            f"{what}: {unknown[0]!r} is neither a backend ({ours})"
            f" nor part of a precision ({valid}); write a model's name without"
            " emphasis"
        )
        raise DocumentError(msg)
    if precision is None:
        msg = f"{what}: unknown precision {' '.join(rest)!r}; the valid ones are: {valid}"
        raise DocumentError(msg)
    if len(backends) > 1:
        msg = f"{what}: expected at most one backend, got {', '.join(backends)}"
        raise DocumentError(msg)
    return backend_word(backends[0]) if backends else "", precision


def _is_backend(word: str) -> bool:
    return bool(backend_word(word))


def _names_width(word: str) -> bool:
    """Whether `word` is a precision and surely nothing else, as ``half`` and ``mixed`` may be."""
    return any(map(str.isdecimal, word)) and _names_dtype(word)


def _names_dtype(word: str) -> bool:
    """Whether `word` is a dtype or a whole precision: ``int8``, ``w8a8``, ``int8_max``."""
    return precision_word(word) is not None


def _is_precision_word(word: str) -> bool:
    """Whether `word` names a dtype, a precision, or an int8 calibration by any of its names."""
    return _names_dtype(word) or precision_word(f"int8 {word}") is not None
