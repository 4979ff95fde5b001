"""What a file beside a document says about how its numbers were made, and where it says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """The kinds of files, as messages call them."""

    TABLE = "the table"
    DOCUMENT = "the document's code"
    EVALUATION = "evaluation script"
    INFERENCE = "inference script"
    DEVICE = "device file"
    BUILD = "build file"


OPEN = "open"
"""The choice of what a person must look at, as no key of a card can say it."""


@dataclass(frozen=True)
class Found:
    """One choice that a file makes."""

    choice: str
    """A key of a protocol; or ``value_range``, ``scale``, ``calibration``, ``calibrated_on``,
    ``channels``, ``noted_psnr``, ``checkpoint``, ``hr_folder``, ``lr_folder``, or `OPEN`."""
    value: object
    """As a card has it; of `OPEN`: a sentence."""
    where: str
    """``path:line``, the path as the user would type it from the document's folder."""
    origin: Origin
    why: str = ""
    """What stands there, in a few words."""

    @property
    def told(self) -> str:
        """What stands there, and where."""
        return f"{self.why} ({self.where})" if self.why else self.where


_SCRIPTS = (Origin.EVALUATION, Origin.INFERENCE)
_TEXT_FIRST = (Origin.DOCUMENT, *_SCRIPTS, Origin.DEVICE, Origin.BUILD)

# Who is asked first. What the document shows is what its authors mean; but it has one code for all
# of its code bases, whose files know better what range and size each network takes.
_TRUSTED: Mapping[str, tuple[Origin, ...]] = {
    "value_range": (Origin.BUILD, Origin.DEVICE, *_SCRIPTS, Origin.DOCUMENT),
    "input_shape": (Origin.TABLE, Origin.BUILD, Origin.DEVICE, Origin.DOCUMENT, *_SCRIPTS),
    "lr_resize": (Origin.DOCUMENT, Origin.DEVICE, *_SCRIPTS, Origin.BUILD),
    "ssim_aggregation": (Origin.INFERENCE, Origin.EVALUATION, Origin.DOCUMENT),
}


def settle(
    found: tuple[Found, ...], choice: str, first: Origin | None = None
) -> tuple[Found | None, tuple[Found, ...]]:
    """Return what is taken for `choice`, and what says otherwise, each value once.

    `first` is the script that is known to have printed the numbers: it is asked before the others,
    and then the device that it runs.
    """
    order = _TRUSTED.get(choice, _TEXT_FIRST)
    if first:
        order = (Origin.TABLE, first, Origin.DEVICE, *order)
    said = sorted((f for f in found if f.choice == choice), key=lambda f: order.index(f.origin))
    if not said:
        return None, ()
    others = {repr(f.value): f for f in reversed(said) if f.value != said[0].value}
    return said[0], tuple(f for f in said if f in others.values())
