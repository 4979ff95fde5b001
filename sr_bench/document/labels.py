"""Read a row's label into the model, the backend word and the precision that it names."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from difflib import get_close_matches
from typing import Final, NamedTuple

from sr_bench import discovery
from sr_bench.core.precision import DTYPES, Precision
from sr_bench.document.inline import split_emphasis
from sr_bench.document.meanings import backend_word, precision_word
from sr_bench.errors import DocumentError

_BACKENDS: Final = "sr_bench.backends"
_MOST_WORDS: Final = 8  # last words of a label that are tried as a precision; the longest has three
_RAISED: Final = re.compile(r"<su([pb])>([^<>]{1,20})</su\1>")
_MARK: Final = re.compile(
    r"[*†‡§¶⋆\u2605\u2606\u2728\u2b50\ufe0f\U0001f300-\U0001faff]{1,3}|[¹²³⁰⁴-⁹]{1,2}"
    r"|\[(?:\^?\d{1,2}|\^\w{1,20}|\^?[*†‡§¶]{1,2}|[a-c])\]|\([*†‡§¶]\)|:[a-z][a-z0-9_]{1,29}:"
    r"|\$?\^\{?(?:\\?(?:dagger|ddagger|ast|star)|[*†‡\d]{1,2})\}?\$?|\\(?:dagger|ddagger|ast)"
)
_RAISED_MARKS: Final = re.compile(r"\(?([*†‡§¶\d]{1,2}(?:,\s?[*†‡§¶\d]{1,2}){0,4}|[a-c])\)?")
_TAIL: Final = re.compile(r"(?P<name>.*\S)\s*[(\[（](?P<words>[^()\[\]（）]{2,60})[)\]）]")  # noqa: RUF001
_SCALE: Final = re.compile(
    # MDSRx2, EDSR_Mx2_f64b16, x4plus, x4v3, edsr_x2c64b16; but x2_0 is a width, 32x4d a group.
    r"(?<!\d)[x×](?P<behind>[1-9]|1[0-6])(?:plus|v\d|c\d+(?:b\d+)?)?"  # noqa: RUF001 - as typed
    r"(?![a-z0-9]|[_.]\d{1,2}(?![a-z0-9]))"
    r"|(?<![a-z0-9.])(?P<before>[2-9])[x×](?![a-z0-9])"  # noqa: RUF001
    r"|(?<![a-z])scale *[:=] *(?P<named>[2-9]|1[0-6])(?![\w.])",
    re.IGNORECASE,
)
_MARKED: Final = 40  # characters at a label's end that may be marks
_TIE: Final = re.compile("[-_]")
_PARTS: Final = re.compile("([-_.]+)")
_MOST_PARTS: Final = 41  # names and the signs between them
_SPLIT: Final = re.compile(r"[\s,/+&;|()\[\]（）]+")  # noqa: RUF001


class Label(NamedTuple):
    """What the first cell of a row says."""

    model: str
    """The model's name without markup and footnote marks."""
    backend: str = ""
    """``vacc``, ``vacc-emulated``, ``onnxruntime`` ...; empty if the label names none."""
    precision: Precision = Precision.FP32
    mark: str = ""
    """Footnote marks behind the name, such as ``*``: they may tell two rows apart."""
    alone: bool = False
    """Whether no other row is of its model, so that none above is missed."""

    @property
    def is_qualified(self) -> bool:
        """Whether it is of a model's precision, or of a backend: of no model row."""
        return bool(self.backend) or not self.precision.is_full


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
    label = _read_plain(name, mark, what)
    if bracketed and not label.is_qualified:  # LESRCNN_x2 int8 (ours)
        inner = _read_plain(bracketed["name"], bracketed["words"], what)
        return inner if inner.is_qualified else label
    return label


def scale_of(name: str) -> int:
    """Return the one upscaling factor that a model's name holds; 0 for none or several.

    >>> scale_of("EDSR_Mx2_f64b16"), scale_of("MDSR_x2_x3"), scale_of("PPLCNet_x2_5")
    (2, 0, 0)
    """
    found = {
        int(match["behind"] or match["before"] or match["named"]) for match in _SCALE.finditer(name)
    }
    return found.pop() if len(found) == 1 else 0


def without_scale(name: str) -> str:
    """Return `name` without the upscaling factors in it.

    >>> without_scale("EDSR_Mx2_f64b16"), without_scale("RealESRGAN_x4plus")
    ('EDSR_M_f64b16', 'RealESRGAN_')
    """
    return _SCALE.sub("", name)


def parted(label: str, names: Set[str]) -> str:
    """Return `label` with a blank before the qualifier that is tied to one of `names`, or nothing.

    A backend and a precision together are no part of any name.

    >>> parted("wren-int8", {"wren"}), parted("wren-int8", {}), parted("wren-vacc-int8", {})
    ('wren int8', '', 'wren vacc_int8')
    """
    for tie in list(_TIE.finditer(label))[-_MOST_WORDS:]:
        name, tail = label[: tie.start()], label[tie.end() :].replace("-", "_")
        is_apart = name in names or any(map(backend_word, re.split("[_ ]+", tail)))
        if is_apart and " " not in name and _is_precision_tail(_words(tail)):
            return f"{name} {tail}"
    return ""


def precision_twins(labels: Iterable[str]) -> Mapping[str, str]:
    """Return those of `labels` that differ in a precision alone, each with its own at the end.

    The first of those that do must be of fp32: the others belong to it.

    >>> precision_twins(["wren_fp32_b1", "wren_int8_b1", "gull-int8"])
    {'wren_fp32_b1': 'wren_b1 fp32', 'wren_int8_b1': 'wren_b1 int8'}
    """
    families: dict[str, dict[str, Precision]] = {}
    for label in labels:
        parts = _PARTS.split(label)
        for n in range(2, min(len(parts), _MOST_PARTS), 2):
            if precision := precision_word(parts[n]):
                family = "".join(parts[: n - 1] + parts[n + 1 :])
                families.setdefault(family, {})[label] = precision
    return {
        label: f"{family} {precision}"
        for family, found in families.items()
        if len(set(found.values())) > 1 and next(iter(found.values())).is_full
        for label, precision in found.items()
    }


def _label(name: str, backend: str, precision: Precision, mark: str = "") -> Label:
    name, own = _without_mark(name.rstrip(" -:,/") or name)
    return Label(name, backend, precision, own + mark)


def _lowered(match: re.Match[str]) -> str:
    """Write what is raised as a footnote if it is one: ``SR<sup>3</sup>Net`` has none."""
    text = match[2].strip()
    marks = _RAISED_MARKS.fullmatch(text) if match[1] == "p" else None
    ends = not match.string[match.end() : match.end() + 1].isalnum()
    return "".join(f"[^{one.strip()}]" for one in marks[1].split(",")) if marks and ends else text


def _without_mark(name: str) -> tuple[str, str]:
    """Return `name` without the footnote marks that it ends with, and those."""
    end = len(name)
    for match in reversed(list(_MARK.finditer(name, max(0, end - _MARKED)))):
        if name[match.end() : end].strip():
            break
        end = match.start()
    kept = name[:end].rstrip()
    return (kept, name[end:].strip()) if kept else (name, "")


def _words(text: str) -> list[str]:
    """Return the words of a qualifier; those with underscores are cut where it takes that."""
    words: list[str] = []
    for word in _SPLIT.split(text.lower().strip()):
        words += [word] if _is_known(word) else re.split("[_ ]+", word.strip("_"))
    return [word for word in words if word]


def _is_qualifier(words: Sequence[str]) -> bool:
    """Tell whether emphasised words are a backend or a precision, or are meant to be."""
    known = [*DTYPES, *discovery.names(_BACKENDS)]  # vac is meant to be vacc
    return len(words) <= _MOST_WORDS and any(
        _is_known(word) or get_close_matches(word, known, 1, 0.7) for word in words
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
    """Whether all `words` are known and one surely is a precision, as ``max`` and ``half`` are not.

    Those may end a name.
    """
    return all(map(_is_known, words)) and any(
        word == "float" or (any(map(str.isdecimal, word)) and precision_word(word))
        for word in words
    )


def _read_words(words: Sequence[str], what: str) -> tuple[str, Precision]:
    valid = ", ".join(Precision.all())
    backends = list(filter(backend_word, words))
    rest = [word for word in words if word not in backends]
    precision = precision_word(" ".join(rest)) if rest else Precision.FP32
    if precision and len(backends) <= 1:
        return backend_word(backends[0]) if backends else "", precision
    if precision:
        fault = f"expected at most one backend, got {', '.join(backends)}"
    elif unknown := [one for one in rest if not _is_precision_word(one)]:
        ours = ", ".join(discovery.names(_BACKENDS))
        fault = (
            f"{unknown[0]!r} is neither a backend ({ours}) nor part of a precision ({valid});"
            " write a model's name without emphasis"
        )
    else:
        fault = f"unknown precision {' '.join(rest)!r}; the valid ones are: {valid}"
    msg = f"{what}: {fault}"
    raise DocumentError(msg)


def _is_known(word: str) -> bool:
    return bool(backend_word(word)) or _is_precision_word(word)


def _is_precision_word(word: str) -> bool:
    """Whether `word` names a dtype, a precision, or an int8 calibration by any of its names."""
    return any(map(precision_word, (word, f"int8 {word}")))
