"""Read a header, a caption or a heading into what it says about the numbers near it."""

import re
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final

from sr_bench.core.metric import metric_info
from sr_bench.core.precision import Precision
from sr_bench.document.beside import settled
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.lexicon import COLOURS, DATASET_PARTS, ROLES
from sr_bench.document.meanings import metrics_by_name
from sr_bench.document.measures import measure_name, read_measures
from sr_bench.document.pieces import LONGEST, Piece, pieces
from sr_bench.document.spelling import compact, narrow, words

_AGAINST: Final = re.compile(
    r"\b(?:vs|versus|over|against|than|from|compared|relative)\b|相比|相对", re.IGNORECASE
)
_NETWORK: Final = re.compile(
    r"[A-Za-z0-9+-]{0,40}?(?:SR|CNN|Net|GAN|[Ff]ormer|YOLO|VGG|[A-Z]DN)[A-Za-z0-9+-]{0,40}"
)
# Roles of columns that tables of results have, and few others.
_OF_RESULTS: Final = frozenset({"model", "dataset", "metric", "precision", "runtime", "scale"})
# What lists of files, options and packages have too.
WEAK: Final = words(
    "name names net variant experiment data factor engine platform framework bits 名称"
)
_SHORTEST_NAME: Final = 4
UNNAMED: Final = "value"
"""Name of a metric that nothing names."""
_SINGLE: Final = ("dataset", "backend", "precision")
_UNSAID: Final = frozenset({"unknown", "qualifier"})


@lru_cache(maxsize=20_000)  # documents repeat their headers
def read_phrase(text: str) -> Dimensions:
    """Return what `text`, without its markup, says about numbers.

    Only its first 400 characters are read. A metric that no module declares is named by its words.

    >>> read_phrase("Set5 PSNR/SSIM x2").dataset
    'Set5'
    >>> read_phrase("MACs(M)").measures
    (Measure(metric='macs', unit='M', exponent=-3),)
    """
    said, against = _compared(text)
    found = settled(pieces(said))
    measures, naming = read_measures(found)
    precision = _precision(found)
    told = {kind: _told(found, kind) for kind in _SINGLE}
    others = {kind for kind in _SINGLE if len(told[kind]) > 1}  # of which neither holds
    others -= {"precision"} if precision else set()
    unsaid = [one for one in found if one.segment not in naming]
    rest = _rest(said, unsaid, {*_UNSAID, *others})
    if not {one.meaning.kind for one in found} - {"filler"}:
        rest = said.strip()
    return Dimensions(
        measures=measures,
        precision=precision,
        backend="" if "backend" in others else "".join(told["backend"]),
        device=" ".join(_texts(found, "device")),
        dataset="" if "dataset" in others else _dataset(said, found),
        scale=_scale(found),
        shape="".join(_texts(found, "shape")[:1]),
        rest=" ".join(filter(None, (rest, against, text[LONGEST:]))),
    )


def column_role(text: str) -> str:
    """Return what a column below the header `text` holds.

    A ``Precision``, ``精度`` or ``Runtime`` column may hold numbers too: then it is what
    `read_phrase` says. ``value``: numbers of a metric that something else names; the header may
    say what they are about (``Set5``, ``INT8``, ``x2``).
    """
    said = read_phrase(text)
    if any(measure.stated for measure in said.measures):
        return "number"
    roles = {ROLES.get(compact(part)) for part in narrow(text).split("/")}
    if role := ROLES.get(compact(narrow(text))) or (roles.pop() if len(roles) == 1 else None):
        return role
    if said.measures:
        return "number"
    about = said.precision or said.backend or said.dataset or said.scale or said.device
    bare = not said.rest or compact(said.rest) in COLOURS  # Vid4 (Y)
    return "value" if about and bare else "unknown"


def names_network(text: str) -> bool:
    """Tell whether `text` is built as names of networks are: ``EDSR``, ``SwinFormer-L``."""
    return bool(_NETWORK.fullmatch(text))


def names_result(text: str) -> bool:
    """Tell whether a header says what results are of."""
    if any(map(names_network, re.split(r"[^\w+-]+", text))):
        return True
    said = read_phrase(text)
    named = column_role(text) in _OF_RESULTS and compact(text) not in WEAK
    about = said.measures or said.precision or said.dataset or said.scale
    return named or bool(about) or "bicubic" in compact(text)


def is_remark(label: str) -> bool:
    """Tell whether a row's label names a size, a source, a version or the like, and no metric."""
    return column_role(label) not in ("number", "value", "metric", "precision", "unknown")


def fallback_measure(text: str) -> Measure:
    """Return the measure that a header names which `read_phrase` finds none in: ``Foo (ms)``."""
    found = pieces(text)
    behind = (*(piece.segment for piece in found[1:]), -1)
    pairs = zip(found, behind, strict=False)  # of no piece there is one behind
    # Batch is none in "FPS (Batch Size=1)".
    units = [one for one, next_ in pairs if one.meaning.kind == "unit" and one.segment != next_]
    named = [piece for piece in found if piece not in units]
    unit = units[-1].text if units else ""
    if not (name := measure_name(named, "unit")) and compact(unit):  # Images
        return Measure(compact(unit))
    return Measure(name or UNNAMED, unit)


def misspelt(text: str) -> str:
    """Return the metric whose name a header nearly has, as ``PSRN(dB)`` has; empty if none."""
    for piece in pieces(text):
        word = compact(piece.text)
        if piece.meaning.kind == "unknown" and word.isascii() and len(word) >= _SHORTEST_NAME:
            for header, name in metrics_by_name().items():
                if len(header) >= _SHORTEST_NAME and _is_near(word, header):
                    return metric_info(name).title
    return ""


def _is_near(word: str, header: str) -> bool:
    """Tell whether two words have the same letters, or all but one."""
    if len(word) == len(header):
        return word[0] == header[0] and sorted(word) == sorted(header)
    long, short = sorted((word, header), key=len, reverse=True)
    cuts = (long[:cut] + long[cut + 1 :] for cut in range(1, len(long)))
    return word[0] == header[0] and short in cuts


def _texts(found: Iterable[Piece], kind: str) -> list[str]:
    return [piece.text for piece in found if piece.meaning.kind == kind]


def _compared(text: str) -> tuple[str, str]:
    """Return what a text says before and after ``vs``, if it is of a difference."""
    match = _AGAINST.search(text, 0, LONGEST)
    if match and any(piece.meaning.kind == "change" for piece in pieces(text[: match.start()])):
        return text[: match.start()], text[match.start() : LONGEST]
    return text[:LONGEST], ""


def _told(found: Iterable[Piece], kind: str) -> list[str]:
    """Return what pieces of one kind say, each once."""
    said = [one for one in found if one.meaning.kind == kind]
    words = (one.meaning.precision or one.meaning.word or compact(one.text) for one in said)
    return list(dict.fromkeys(words))


def _precision(found: Sequence[Piece]) -> Precision | None:
    """Return the one precision that is named; a calibration may stand apart from its int8."""
    named = {one.meaning.precision for one in found if one.meaning.precision}
    exact = {one for one in named if not one.is_bare_int8} or named
    only = next(iter(exact)) if len(exact) == 1 else None
    return only if len(named) == 1 or (only and only.calibration) else None


def _dataset(text: str, found: Sequence[Piece]) -> str:
    """Return the first dataset as printed, with the part of it in brackets: ``DIV2K (val)``."""
    for piece in found:
        if piece.meaning.kind == "dataset":
            parts = [one for one in found if one.segment == piece.segment + 1 and one.lead == "("]
            if len(parts) == 1 and compact(parts[0].text) in DATASET_PARTS:
                return text[piece.start : parts[0].end + 1]
            return piece.text
    return ""


def _scale(found: Iterable[Piece]) -> int:
    """Return the one scale that is named; 0 for none, and for several."""
    scales = {piece.meaning.scale for piece in found if piece.meaning.scale}
    return scales.pop() if len(scales) == 1 else 0


def _rest(text: str, found: Sequence[Piece], kinds: Container[str]) -> str:
    """Return the words that nothing here knows, those side by side with what is between them."""
    groups = groupby(found, key=lambda piece: (piece.segment, piece.meaning.kind in kinds))
    spans = [list(group) for (_, unsaid), group in groups if unsaid]
    return " ".join(text[span[0].start : span[-1].end] for span in spans)
