"""A claim: one number that a document prints, and where it prints it."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from sr_bench.core.precision import Precision

_WITH_SCALE = re.compile(r"(.+)_x(\d+)")


@lru_cache(maxsize=1000)  # a document asks for each of its numbers
def dataset_key(text: str) -> str:
    """Return what is equal for all spellings of a name: ``Set5``, ``SET 5`` and ``set_5``."""
    return "".join(filter(str.isalnum, text.casefold()))


def split_scale(name: str) -> tuple[str, int]:
    """Return the slug and the scale in a dataset's name, 0 if it has none.

    >>> split_scale("div2k_valid_x2"), split_scale("set5")
    (('div2k_valid', 2), ('set5', 0))
    """
    match = _WITH_SCALE.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 0)


@dataclass(frozen=True, order=True, slots=True)  # sorted, they are in a document's order
class Source:
    """A place in a document."""

    path: str
    """As the user would type it: relative to the working directory where possible."""
    line: int
    """1-based."""
    column: int
    """1-based, in characters, of the cell's first character that is not blank."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Blank:
    """A cell for a number, in a row that may print others, that holds none; fields as a claim's."""

    metric: str
    precision: Precision
    backend: str
    dataset: str
    source: Source
    scale: int = 0
    device: str = ""
    variant: str = ""
    exponent: int = 0
    shape: str = ""


def in_print(value: float, exponent: int) -> float:
    """Return `value`, in the metric's unit, in that of a print; it may be infinite.

    >>> in_print(1.592, -3)
    1592.0
    """
    # As a decimal: 1.592 M are 1592 K, and not 1592.0000000000002.
    return float(Decimal(repr(value)).scaleb(-exponent)) if exponent else value


@dataclass(frozen=True, slots=True)
class Claim:
    """One printed number."""

    metric: str
    text: str
    """The number exactly as printed, such as ``0.7740``."""
    row: str
    """The label of the model row that the number belongs to, without markup."""
    row_source: str
    """The text of the model row's Source column, without markup; empty if there is none."""
    precision: Precision
    backend: str
    """The word that names a backend in the row's label: empty, ``vacc``, ``vacc-emulated``, ..."""
    shape: str
    """The Shape cell of the row, such as ``3x128x128``, ``multi-shape`` or ``-``."""
    dataset: str
    """The Dataset cell of the row; empty if the table has no such column."""
    source: Source
    scale: int = 0
    """The upscaling factor that a column, a row or a heading names; 0: none does. What the label
    names is a part of the label."""
    device: str = ""
    """What the number was measured on, as the document calls it; empty if it names nothing."""
    variant: str = ""
    """What tells it from a claim that is equal in all else, such as its shape; usually empty."""
    unit: str = ""
    """As printed, where it is another than the metric's: ``K``, ``s``, ``KB``; else empty."""
    exponent: int = 0
    """The printed number times ten to this power is in the metric's unit: -3 for K of Params(M)."""

    @property
    def value(self) -> float:
        """The number, in the metric's unit."""
        return float(f"{self.text}e{self.exponent}")  # rounded once: 1592 K are 1.592 M

    @property
    def text_in_unit(self) -> str:
        """The number with its printed digits, in the metric's unit: ``0.8646`` of ``86.46`` %."""
        return f"{Decimal(self.text).scaleb(self.exponent):f}"

    def as_printed(self, value: float) -> float:
        """Return `value`, in the metric's unit, in that of the print."""
        return in_print(value, self.exponent)

    @property
    def half_step(self) -> float:
        """Half a unit of the last printed digit, in the metric's unit: what rounding may hide."""
        # From the text, as a float doesn't tell 0.774 from 0.7740.
        digit = Decimal(self.text).as_tuple().exponent
        return 0.5 * 10.0 ** (int(digit) + self.exponent)
