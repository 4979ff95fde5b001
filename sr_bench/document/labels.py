"""Read a row's label into the model, the backend word and the precision that it names."""

from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench import discovery
from sr_bench.core.precision import DTYPES, Precision
from sr_bench.document.inline import split_emphasis
from sr_bench.errors import DocumentError

_BACKENDS = "sr_bench.backends"
_EMULATED = "-emulated"
_MOST_WORDS = 8  # last words of a label that are tried as a precision; the longest has three


@dataclass(frozen=True)
class Label:
    """What the first cell of a row says."""

    model: str
    """The model's name without markup."""
    backend: str = ""
    """``vacc``, ``vacc-emulated``, ``onnxruntime`` ...; empty if the label names none."""
    precision: Precision = Precision.FP32
    qualified: bool = False
    """Whether the label says more than the model's name."""


def read_label(source: str, *, where: str) -> Label:
    """Read the label that a cell's `source`, as written with its markup, holds.

    Backend and precision are the words of the emphasis that the cell ends with
    (``LESRCNN_x2 **vacc percentile int8**``), in any order and case. Without emphasis they are
    the longest run of last words that reads as a precision (``LESRCNN_x2 vacc int8 max``).

    Raises:
        DocumentError: There is no name, an emphasised word is neither a backend nor part of a
            precision, or an int8 names no calibration; the message starts with `where`.
    """
    model, tail = split_emphasis(source)
    if not model:
        msg = f"{where}: expected a model's name in the first column, got an empty cell"
        raise DocumentError(msg)
    if not tail:
        return _read_plain(model, where)
    backend, precision = _read_words(tail.lower().split(), f"{where}: row label {source!r}")
    return Label(model, backend, precision, qualified=True)


def _read_plain(text: str, where: str) -> Label:
    """Read a label without emphasis: the longest tail that is a precision wins."""
    words = text.split()
    first = max(1, len(words) - _MOST_WORDS)
    cuts = [cut for cut in range(first, len(words)) if _is_precision_tail(words[cut:])]
    for cut in cuts:
        try:
            backend, precision = _read_words(words[cut:], f"{where}: row label {text!r}")
        # Words may be known and yet make no precision together: fewer of them may.
        except DocumentError:
            if cut == cuts[-1]:
                raise
        else:
            return Label(" ".join(words[:cut]), backend, precision, qualified=True)
    return Label(" ".join(words))


def _is_precision_tail(words: Sequence[str]) -> bool:
    """Whether all `words` are known and one names a dtype: ``max`` alone may end a name."""
    known = all(_is_backend(word) or _is_precision_word(word) for word in words)
    return known and any(_names_dtype(word) for word in words)


def _read_words(words: Sequence[str], what: str) -> tuple[str, Precision]:
    words = [word.lower() for word in words]
    backends = [word for word in words if _is_backend(word)]
    rest = [word for word in words if word not in backends]
    if unknown := [word for word in rest if not _is_precision_word(word)]:
        msg = (
            f"{what}: {unknown[0]!r} is neither a backend ({', '.join(discovery.names(_BACKENDS))})"
            f" nor part of a precision ({', '.join(Precision.all())}); write a model's name without"
            " emphasis"
        )
        raise DocumentError(msg)
    if len(backends) > 1:
        msg = f"{what}: expected at most one backend, got {', '.join(backends)}"
        raise DocumentError(msg)
    return backends[0] if backends else "", _read_precision(" ".join(rest), what)


def _read_precision(text: str, what: str) -> Precision:
    if text == "int8":
        modes = ", ".join(mode.calibration for mode in Precision.all() if mode.calibration)
        msg = f"{what}: int8 needs its calibration beside it, one of: {modes}"
        raise DocumentError(msg)
    try:
        return Precision.parse(text) if text else Precision.FP32
    except ValueError as error:
        msg = f"{what}: {error}"
        raise DocumentError(msg) from None


def _is_backend(word: str) -> bool:
    return word.lower().removesuffix(_EMULATED) in discovery.names(_BACKENDS)


def _names_dtype(word: str) -> bool:
    """Whether `word` is a dtype or a whole precision: ``int8``, ``fp16``, ``int8_max``."""
    return word.lower() in DTYPES or _parses(word)


def _is_precision_word(word: str) -> bool:
    """Whether `word` names a dtype, a precision, or an int8 calibration by any of its names."""
    return _names_dtype(word) or _parses(f"int8 {word}")


def _parses(text: str) -> bool:
    try:
        Precision.parse(text)
    except ValueError:
        return False
    return True
