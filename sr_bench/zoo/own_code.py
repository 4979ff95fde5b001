"""A card's own PyTorch network: the one place that runs Python code which a card names."""

import importlib
import inspect
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from sr_bench.core.card import ModelCard
from sr_bench.discovery import drop_old_bytecode
from sr_bench.errors import BackendError, CardError, NotRunError
from sr_bench.files.folder_modules import own_modules
from sr_bench.files.validation import nearest
from sr_bench.text.raised import code_place, what_raised

_RAISED = (Exception, SystemExit)  # a script parses its arguments when it is imported


def build_own(card: ModelCard) -> nn.Module:
    """Return what the class of `card`, or a function, makes of its hyper-parameters, by name.

    The module is looked for in the card's folder, then in the environment. No scale is passed but
    one of the hyper-parameters.

    Raises:
        NotRunError: The card or the session does not trust the code, or what it imports is absent.
        CardError: There is no such module or class, it takes other arguments, raises, or makes no
            torch module; the message names its line.
    """
    _refuse_untrusted(card)
    module, _, name = card.own_class.partition(":")
    factory = _load(card.folder, module, name)
    _check_arguments(card, factory)
    with own_modules(card.folder, module):
        try:
            network = factory(**deepcopy(dict(card.hyper)))  # it may change a list
        except _RAISED as error:
            msg = f"{card.id}: {name}({_shown(card)}) fails: {what_raised(error)}"
            raise CardError(msg) from error
    if not isinstance(network, nn.Module):
        msg = (
            f"{card.id}: expected {card.own_class} to make a torch.nn.Module, got a"
            f" {type(network).__name__} ({_place(factory)})"
        )
        raise CardError(msg)
    network.register_forward_hook(_check_output)
    return network


def _refuse_untrusted(card: ModelCard) -> None:
    if not card.code.trust:
        msg = (
            f"{card.id}: {card.own_class} is Python code, and the card does not say to run it:"
            " add trust = true under [model.code]"
        )
        raise NotRunError(msg)
    if not card.trusted:
        first = card.own_class.partition(":")[0].partition(".")[0]
        beside = any((card.folder / name).exists() for name in (first, f"{first}.py"))
        place = f"of {card.folder}" if beside else "of an installed package"
        msg = (
            f"{card.id}: this would run {card.own_class}, Python code {place}: allow it with"
            " --sr-trust-code (of a command: --trust-code)"
        )
        raise NotRunError(msg)


@cache
def _load(folder: Path, module: str, name: str) -> Callable[..., object]:
    drop_old_bytecode(module.partition(".")[0])  # where an installed package is worked on
    with own_modules(folder, module):
        try:
            loaded = importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise _absent(error, folder, module) from error
        except _RAISED as error:
            msg = f"{module} can't be imported: {what_raised(error)}"
            raise CardError(msg) from error
    try:
        factory: object = attrgetter(name)(loaded)
    except AttributeError:
        classes = [each for each, value in vars(loaded).items() if inspect.isclass(value)]
        own = [each for each in classes if getattr(loaded, each).__module__ == module]
        msg = f"{loaded.__file__}: has no {name!r}; {nearest(name, tuple(own) or ('none',))}"
        raise CardError(msg) from None
    if not callable(factory):
        msg = f"{loaded.__file__}: expected {name} to be a class, got a {type(factory).__name__}"
        raise CardError(msg)
    return factory


def _absent(error: ModuleNotFoundError, folder: Path, module: str) -> CardError | NotRunError:
    if error.name and f"{module}.".startswith(f"{error.name}."):
        msg = (
            f"no module {module!r}: expected {module.replace('.', '/')}.py in {folder}, or an"
            " installed package"
        )
        return CardError(msg)
    msg = f"{what_raised(error)}: {module} needs it: install it, or put it beside the card"
    return NotRunError(msg)


def _check_arguments(card: ModelCard, factory: Callable[..., object]) -> None:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # of compiled code: the call says what is wrong
        return
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {each.name: each for each in parameters if each.kind in by_name}
    needed = [name for name, each in named.items() if each.default is inspect.Parameter.empty]
    faults = [
        f"{name} is missing: write it into hyper" for name in needed if name not in card.hyper
    ]
    if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters):
        unknown = [name for name in card.hyper if name not in named]
        faults += [f"{name} is unknown; {nearest(name, tuple(named))}" for name in unknown]
    if faults:
        where = f"{card.own_class} ({_place(factory)})"
        msg = f"{card.id}: hyper does not fit {where}: {'; '.join(faults)}"
        raise CardError(msg)


def _check_output(network: nn.Module, _args: object, output: object) -> None:
    """Refuse, as a hook of `network`, what is not one image."""
    if not isinstance(output, Tensor):
        size = f" of {len(output)}" if isinstance(output, tuple | list | dict) else ""
        msg = (
            f"{type(network).__name__} returns a {type(output).__name__}{size}: expected one image"
            f" tensor; return that alone in eval mode ({_place(type(network).forward)})"
        )
        raise BackendError(msg)


def _place(code: Any) -> str:
    """Return where a class's constructor, or a function, is written."""
    function = inspect.unwrap(code.__init__ if inspect.isclass(code) else code)
    return code_place(function) if inspect.isfunction(function) else repr(code)


def _shown(card: ModelCard) -> str:
    return ", ".join(f"{name}={value!r:.30}" for name, value in card.hyper.items())
