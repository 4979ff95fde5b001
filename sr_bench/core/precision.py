"""What arithmetic a model runs in, and for int8 which observer chose its ranges."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final

from sr_bench import discovery
from sr_bench.core.fields import Spelled

OBSERVERS = "sr_bench.precision.observers"
"""Package and entry point group whose modules offer ``clip_range(histogram, plan)``, and as
``SYNONYMS`` what else their calibration is called."""

DTYPES = ("fp32", "fp16", "int8")

_SPELLING = re.compile(r"fp32|fp16|int8_\w+")

# Formats that documents print and nothing here computes in: integers and floats of other widths,
# widths of weights and activations apart, and an int8 whose calibration nobody names.
_PRINTED = re.compile(
    r"mixed|u?int(?:[1-9]|1[0-6])|bf16|tf32|fp(?:[46]|24|64)|[fm]xfp[468]|nvfp4|nf4"
    r"|fp8(?:_e[45]m[23])?|w[1-9]\d?a[1-9]\d?(?:_mixed_(?:int|fp)\d{1,2})?|int8_(?:qat|ptq|dynamic|static)"
)
_BARE_INT8 = ("int8", "w8a8", "int8_ptq", "int8_static")
_PRINTED_SYNONYMS: Final = MappingProxyType(
    {
        **{"bfloat16": "bf16", "float8": "fp8", "float64": "fp64"},
        **{"mixed_precision": "mixed", "qat_int8": "int8_qat", "ptq_int8": "int8_ptq"},
    }
)


class Precision(str):
    """A precision as it is spelled in options, ids and records.

    It is ``fp32``, ``fp16`` or ``int8_<observer>``, and each is one object in a process, as the
    members of an enum are. Its observer may be absent: a record of it can be read nevertheless.
    What a person writes goes through `parse`, which knows the modules of `OBSERVERS`; what a
    document prints may be more, such as ``int4`` or a bare ``int8``, and goes through
    `parse_printed`. Those can be spelled and recorded, but not measured.
    """

    __slots__ = ()

    FP32: ClassVar["Precision"]
    FP16: ClassVar["Precision"]

    def __new__(cls, text: str) -> "Precision":
        """Return the precision that is spelled exactly `text`.

        Raises:
            ValueError: Nothing is; the message lists the valid spellings.
        """
        if not _SPELLING.fullmatch(text) and not _PRINTED.fullmatch(text):
            raise ValueError(_unknown(text))
        return _member(str(text))

    @classmethod
    def all(cls) -> tuple["Precision", ...]:
        """Return fp32, fp16, and int8 by each observer in the order of their names."""
        return tuple(map(_member, _names()))

    @property
    def is_full(self) -> bool:
        """Whether it is fp32, which no backend rounds."""
        return self is Precision.FP32

    @property
    def is_measured(self) -> bool:
        """Whether it is one of `all`, and not only printed."""
        return self in _names()

    @property
    def is_bare_int8(self) -> bool:
        """Whether it is int8 by whichever calibration: ``int8``, ``w8a8`` ..."""
        return self in _BARE_INT8

    @property
    def dtype(self) -> str:
        """``fp32``, ``fp16`` or ``int8``; of one that is only printed, its first word."""
        return str(self).partition("_")[0]

    @property
    def calibration(self) -> str:
        """The observer's name for int8 (``max``, ``percentile``, ``kl`` ...), else empty."""
        return str(self).partition("_")[2]

    @property
    def calibration_names(self) -> tuple[str, ...]:
        """The observer's name and what else the calibration is called; for int8 alone."""
        observer = discovery.load(OBSERVERS, self.calibration)
        return (self.calibration, *getattr(observer, "SYNONYMS", ()))

    @classmethod
    def parse(cls, text: str) -> "Precision":
        """Return the precision that `text` names.

        Case, order, separators and the synonyms that observers state do not matter:
        ``percentile int8`` and ``int8 kl_divergence`` are both understood.

        Raises:
            ValueError: `text` names none; the message lists the valid spellings.
            OptionError: An observer of a third party can't be imported.

        >>> Precision.parse("int8 kl_divergence")
        'int8_kl'
        """
        words = text.lower().replace("-", " ").replace("_", " ").split()
        # The sort is stable: int8 comes first, and other words keep their order.
        name = "_".join(sorted(words, key="int8".__ne__))
        if name not in _names() and name.startswith(("int8_", "float")):  # else none is loaded
            name = _synonyms().get(name, name)
        if name not in _names():
            raise ValueError(_unknown(text))
        return cls(name)

    @classmethod
    def named(cls, text: str) -> "Precision | None":
        """Return the precision that `text` names, as `parse` does; None if it names none."""
        with suppress(ValueError):
            return cls.parse(text)
        return None

    @classmethod
    def parse_printed(cls, text: str) -> "Precision":
        """Return the precision that a document calls `text`: as `parse`, or one only printed.

        Raises:
            ValueError: `text` names none; the message lists those that can be measured.
            OptionError: An observer of a third party can't be imported.

        >>> Precision.parse_printed("W8-A16"), Precision.parse_printed("INT8")
        ('w8a16', 'int8')
        """
        words = re.sub(r"[\s_-]+", "_", text.strip().lower())
        name = _PRINTED_SYNONYMS.get(words, re.sub(r"\Aint_?(?=\d)", "int", words))
        name = re.sub(r"\A(?:w(\d+)_a(\d+)|a(\d+)_?w(\d+))\Z", _weights_first, name)
        is_own = name not in _names() and _PRINTED.fullmatch(name)
        return cls(name) if is_own else cls.parse(text)

    @classmethod
    def parse_option(cls, text: str) -> "Precision":
        """Return the precision that an option names, where a calibration alone is of int8.

        In documents it is not: ``EDSR max`` is the name of a model. Raises as `parse`.

        >>> Precision.parse_option("minmax")
        'int8_max'
        """
        try:
            return cls.parse(f"int8 {text}")
        except ValueError:
            return cls.parse(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, Any]:
        """Let files spell it in any way that `parse` reads."""
        return Spelled(cls.parse).__get_pydantic_core_schema__(source, handler)


def agreed(first: Precision | None, second: Precision | None) -> Precision | None:
    """Return the one precision that two names mean; None if there is none, or they contradict."""
    if not (first and second):
        return first or second
    exact = [one for one in (first, second) if one != one.dtype] or [first]
    return exact[0] if first.dtype == second.dtype and len(set(exact)) == 1 else None


@cache  # one object for each, which `is` compares
def _member(name: str) -> Precision:
    return str.__new__(Precision, name)


def _weights_first(match: re.Match[str]) -> str:
    weights, activations = match[1] or match[4], match[2] or match[3]
    return f"w{weights}a{activations}"


def _unknown(text: str) -> str:
    return f"unknown precision {text!r}; the valid ones are: {', '.join(_names())}"


@cache
def _names() -> tuple[str, ...]:
    return ("fp32", "fp16", *(f"int8_{name}" for name in discovery.names(OBSERVERS)))


@cache
def _synonyms() -> Mapping[str, str]:
    """Return the names by what else they are called, spelled as `Precision.parse` spells."""
    synonyms = {"float32": "fp32", "float16": "fp16"}
    for precision in Precision.all():
        if precision.calibration:
            # Observers import numpy: they are loaded only for a word that is no name.
            synonyms |= {f"int8_{name}": precision for name in precision.calibration_names}
    return synonyms


Precision.FP32, Precision.FP16 = _member("fp32"), _member("fp16")
