"""Read a card's hyper-parameters into a family's frozen dataclass: declared, never guessed."""

from typing import Annotated, Literal, TypeVar

from sr_bench.core.card import Hyper
from sr_bench.core.fields import Bounds
from sr_bench.errors import CardError
from sr_bench.files.validation import validate

Count = Annotated[int, Bounds(ge=1)]
Factor = Annotated[float, Bounds(gt=0)]
"""A finite number above 0; integers are taken too."""

Colours = Literal[1, 3]
"""Channels of the input and the output: luma or RGB."""

T = TypeVar("T")


def read(kind: type[T], hyper: Hyper, *, architecture: str) -> T:
    """Return `hyper` as a `kind`, every field declared and nothing else.

    Args:
        kind: A pydantic dataclass with the configuration `sr_bench.files.validation.STRICT`;
            its ``__post_init__`` may raise a ValueError about fields that contradict each other.
        hyper: Of the card.
        architecture: For messages.

    Raises:
        CardError: Unknown, missing or invalid hyper-parameters; all of them are listed.
    """
    return validate(kind, hyper, where=f"hyper-parameters of {architecture}", error=CardError)


def check_scale(scale: int, valid: tuple[int, ...], *, architecture: str) -> None:
    """Raise a CardError unless the network exists at `scale`."""
    if scale not in valid:
        scales = ", ".join(map(str, valid))
        msg = f"{architecture} has no x{scale} form; the valid scales are: {scales}"
        raise CardError(msg)
