"""Build a network from what a card declares."""

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

from torch import nn

from sr_bench import discovery
from sr_bench.core.card import Hyper, ModelCard
from sr_bench.errors import CardError
from sr_bench.zoo.blocks import Foldable
from sr_bench.zoo.own_code import build_own

_FAMILIES = "sr_bench.zoo.families"


def architectures() -> tuple[str, ...]:
    """Return the sorted names that a card's `architecture` may have."""
    return discovery.names(_FAMILIES)


def build_network(card: ModelCard) -> nn.Module:
    """Return the network of `card`, by its own class or by an architecture; see `build`.

    Raises:
        CardError: As `build` and `build_own`.
        NotRunError: It is a class that this session may not run, or that needs what is absent.
    """
    if card.own_class:
        return build_own(card)
    return build(card.architecture, card.hyper, card.network_scale)


def build(architecture: str, hyper: Hyper, scale: int) -> nn.Module:
    """Return the network with fresh random weights, in training mode, on torch's default device.

    The module maps float (N, 3, H, W) to (N, 3, scale * H, scale * W). Under
    ``torch.device("meta")`` nothing is allocated.

    Raises:
        CardError: There is no such architecture or scale, or a hyper-parameter is unknown,
            missing or invalid; the message lists the valid ones.
    """
    module = _family(architecture).build(hyper, scale)
    if not isinstance(module, nn.Module):
        msg = f"build() of architecture {architecture!r} gave a {type(module).__name__}, no Module"
        raise CardError(msg)
    return module


def size_multiple(architecture: str, hyper: Hyper, scale: int) -> int:
    """Return what the input's height and width must be multiples of.

    At other sizes the network runs, but its output is not `scale` times the input: a stride-2
    head rounds an odd side up, so that the output is 2 pixels too long there.

    Raises:
        CardError: As `build`.
    """
    asked = _offered(architecture, "size_multiple")
    return int(asked(hyper, scale)) if asked else 1


def canonical_key(architecture: str, key: str) -> str:
    """Return the name that the module gives to the parameter that a checkpoint calls `key`.

    Raises:
        CardError: There is no such architecture.
    """
    renamed = _offered(architecture, "canonical_key")
    return str(renamed(key)) if renamed else key


def trained_form(card: ModelCard) -> Foldable | None:
    """Return the network of `card` as it is trained; None where that is `build_network`'s.

    Raises:
        CardError: As `build`.
    """
    trained = _offered(card.architecture, "trained")
    module: Foldable | None = trained and trained(card.hyper, card.network_scale)
    return module


def _offered(architecture: str, function: str) -> Callable[..., Any] | None:
    """Return the `function` that a family may have; None of a user's class: it offers none."""
    return None if ":" in architecture else getattr(_family(architecture), function, None)


@cache
def _family(architecture: str) -> ModuleType:
    # Cached, because looking for third parties' entry points takes 20 ms.
    if architecture not in architectures():
        valid = ", ".join(architectures())
        msg = f"unknown architecture {architecture!r}; the valid ones are: {valid}"
        raise CardError(msg)
    return discovery.load(_FAMILIES, architecture)
