"""What arithmetic a model runs in, and for int8 which calibration chose its ranges."""

from enum import StrEnum
from typing import Any

from sr_bench.core.fields import Spelled

_SYNONYMS = {
    "kl_divergence": "kl",
    "entropy": "kl",
    "minmax": "max",
    "float32": "fp32",
    "float16": "fp16",
}


class Precision(StrEnum):
    """A precision as it is spelled in options, ids and records."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8_MAX = "int8_max"
    INT8_PERCENTILE = "int8_percentile"
    INT8_KL = "int8_kl"
    INT8_MSE = "int8_mse"

    @property
    def dtype(self) -> str:
        """``fp32``, ``fp16`` or ``int8``."""
        return self.value.partition("_")[0]

    @property
    def calibration(self) -> str:
        """The observer's name for int8 (``max``, ``percentile``, ``kl``, ``mse``), else empty."""
        return self.value.partition("_")[2]

    @classmethod
    def parse(cls, text: str) -> "Precision":
        """Return the precision that `text` names.

        Case, order, separators and the synonyms ``kl_divergence``, ``entropy`` and ``minmax``
        do not matter: ``percentile int8`` and ``int8 kl_divergence`` are both understood.

        Raises:
            ValueError: `text` names none; the message lists the valid spellings.

        >>> Precision.parse("vacc-free")
        Traceback (most recent call last):
            ...
        ValueError: unknown precision 'vacc-free'; the valid ones are: fp32, fp16, int8_max, \
int8_percentile, int8_kl, int8_mse
        >>> str(Precision.parse("int8 kl_divergence"))
        'int8_kl'
        """
        words = text.strip().lower()
        for synonym, name in _SYNONYMS.items():
            words = words.replace(synonym, name)
        parts = sorted(words.replace("-", " ").replace("_", " ").split(), key="int8".__ne__)
        try:
            return cls("_".join(parts))
        except ValueError:
            msg = f"unknown precision {text!r}; the valid ones are: {', '.join(cls)}"
            raise ValueError(msg) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, Any]:
        """Let files spell it in any way that `parse` reads."""
        return Spelled(cls.parse).__get_pydantic_core_schema__(source, handler)

    @classmethod
    def parse_option(cls, text: str) -> "Precision":
        """Return the precision that an option names, where a calibration alone is of int8.

        In documents it is not: ``EDSR max`` is the name of a model.

        Raises:
            ValueError: As `parse`.

        >>> str(Precision.parse_option("minmax"))
        'int8_max'
        """
        try:
            return cls.parse(f"int8 {text}")
        except ValueError:
            return cls.parse(text)
