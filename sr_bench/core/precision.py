"""What arithmetic a model runs in, and for int8 which observer chose its ranges."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from sr_bench import discovery
from sr_bench.core.fields import Spelled

OBSERVERS = "sr_bench.precision.observers"
"""Package and entry point group whose modules offer ``clip_range(histogram, plan)``, and as
``SYNONYMS`` what else their calibration is called."""

DTYPES = ("fp32", "fp16", "int8")

_SPELLING = re.compile(r"fp32|fp16|int8_\w+")


class Precision(str):
    """A precision as it is spelled in options, ids and records.

    It is ``fp32``, ``fp16`` or ``int8_<observer>``, and each is one object in a process, as the
    members of an enum are. Its observer may be absent: a record of it can be read nevertheless.
    What a person writes goes through `parse`, which knows the modules of `OBSERVERS`.
    """

    __slots__ = ()

    FP32: ClassVar["Precision"]
    FP16: ClassVar["Precision"]

    def __new__(cls, text: str) -> "Precision":
        """Return the precision that is spelled exactly `text`.

        Raises:
            ValueError: Nothing is; the message lists the valid spellings.
        """
        if not _SPELLING.fullmatch(text):
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
    def dtype(self) -> str:
        """``fp32``, ``fp16`` or ``int8``."""
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


@cache  # one object for each, which `is` compares
def _member(name: str) -> Precision:
    return str.__new__(Precision, name)


def _unknown(text: str) -> str:
    return f"unknown precision {text!r}; the valid ones are: {', '.join(_names())}"


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
