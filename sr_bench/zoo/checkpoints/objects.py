"""What pickles of checkpoints ask for: tensors, not read yet, and stand-ins for the rest."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_NAMELESS = "<no plain name>"


class UnsafeError(ValueError):
    """The pickle asks for a call that nobody needs to store weights; the message names it."""


@dataclass(frozen=True)
class Global:
    """A class or function that the pickle names."""

    name: str


@dataclass(eq=False, repr=False)
class StandIn:
    """What an object of a class would be made from; any of it may hold anything, itself included.

    Equal to itself alone, so that nothing of it is ever compared.
    """

    kind: str
    """Dotted name of its class, or of the function that would make it."""
    args: tuple[object, ...] = ()
    state: object = None
    """Of a plain object, its attributes by name."""
    entries: dict[object, object] = field(default_factory=dict)
    """Where its class is a kind of dict."""


@dataclass(frozen=True)
class Storage:
    """Where the values of tensors are in the file."""

    key: str
    kind: str
    """Name of the type of its values: ``FloatStorage``, ``bfloat16``."""
    count: int | None
    """Values that it has; None: all that the file has."""
    begin: int = 0
    """First value, where it is a part of the one that the file has."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor whose values were not read."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


Copying = Callable[[int], None]
"""Told how many entries or characters are about to be copied; raises where they are too many."""


def called(name: str, args: tuple[object, ...], copying: Copying) -> object:
    """Return what stands for the result of a call; nothing is called.

    Raises:
        UnsafeError: Nobody needs this call to store data. It would do no harm here, but whoever
            stores it means harm, or has a program where weights are expected.
    """
    if name in _BUILT:
        return _BUILT[name](args, copying)
    module, _, last = name.rpartition(".")
    root = module.partition(".")[0]
    of_users = root not in sys.stdlib_module_names and root not in ("torch", "__builtin__")
    is_class = last.lstrip("_")[:1].isupper() and of_users
    if not (is_class or name in _KNOWN or root in _DATA_MODULES):
        msg = f"GLOBAL {name}"
        raise UnsafeError(msg)
    return StandIn(name, args)


def new(name: str, args: tuple[object, ...]) -> object:
    """Return what stands for a new object of a class, whose constructor is not called."""
    return {} if name in _DICTS else StandIn(name, args)


def referred(identity: object) -> object:
    """Return what torch keeps outside the pickle: a storage, or the class of an old module.

    Raises:
        ValueError: It is neither.
    """
    match identity:
        case ("module", Global() as kind, *_):
            return kind
        case ("storage", Global(name), str(key), _, count, *rest):
            begin = 0
            if rest and isinstance(rest[0], tuple):  # a part of a storage, before torch 0.4
                _, begin, count = rest[0]
            return Storage(key, name.rpartition(".")[2], _natural(count), _natural(begin))
    msg = "its pickle refers to something that is no storage"
    raise ValueError(msg)


def key_of(key: object) -> object:
    """Return the key `key` of a dict, or a stand-in where its hash or its digits might not end."""
    plain = key is None or type(key) in (str, float, bool, bytes)
    small = type(key) is int and key.bit_length() <= 64
    return key if plain or small else StandIn(_NAMELESS)


def _natural(value: object) -> int:
    if type(value) is not int or value < 0:
        msg = "its pickle has a tensor whose size is no number"
        raise ValueError(msg)
    return value


def _tensor(args: tuple[Any, ...], _: Copying) -> StoredTensor:
    storage, offset, shape, stride, *rest = args
    if not isinstance(storage, Storage):
        msg = "its pickle has a tensor without a storage"
        raise TypeError(msg)
    if len(rest) > 2 and isinstance(rest[2], Global):  # of types that have no storage class
        storage = Storage(storage.key, rest[2].name.rpartition(".")[2], None)
    sizes, strides = (tuple(map(_natural, part)) for part in (shape, stride))
    return StoredTensor(storage, _natural(offset), sizes, strides)


def _of_type(args: tuple[Any, ...], copying: Copying) -> StoredTensor:
    function, _, inner, *_ = args
    if function.name not in _TENSORS:
        msg = f"GLOBAL {function.name}"
        raise UnsafeError(msg)
    return _tensor(inner, copying)


def _dict(args: tuple[Any, ...], copying: Copying) -> dict[object, object]:
    given = args[0] if args else ()
    if given is None or isinstance(given, Global):  # what makes the values of a defaultdict
        return {}
    copying(len(given))
    pairs = given.items() if isinstance(given, dict) else given
    return {key_of(key): value for key, value in pairs}


def _text_bytes(args: tuple[Any, ...], copying: Copying) -> bytes:
    text, *_ = args
    copying(len(text))
    return str(text).encode("latin1")


def _first(args: tuple[object, ...], _: Copying) -> object:
    return args[0] if args else []


_DICTS = frozenset(("collections.OrderedDict", "collections.Counter", "collections.defaultdict"))
_TENSORS = frozenset(f"torch._utils._rebuild_tensor{form}" for form in ("", "_v2", "_v3"))


def _each(modules: str, names: str) -> tuple[str, ...]:
    return tuple(f"{module}.{name}" for module in modules.split() for name in names.split())


_WRAPPED = (
    *("torch.Size", "torch.nn.parameter.Parameter", "torch.autograd.variable.Variable"),
    *("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
    *_each("builtins __builtin__", "set frozenset"),
)
_BUILT: Mapping[str, Callable[[tuple[Any, ...], Copying], object]] = {
    **dict.fromkeys(_DICTS, _dict),
    **dict.fromkeys(_TENSORS, _tensor),
    **dict.fromkeys(_WRAPPED, _first),
    "torch._tensor._rebuild_from_type_v2": _of_type,
    "_codecs.encode": _text_bytes,
}
"""Calls whose results weights are made of, and what gives these results."""

_KNOWN = frozenset(
    (
        *("torch.device", "torch.torch_version.TorchVersion", "numpy.dtype", "numpy.ndarray"),
        "torch.nn.backends.thnn._get_thnn_function_backend",  # in modules before torch 1.2
        *_each("numpy.core.multiarray numpy._core.multiarray", "scalar _reconstruct"),
        *_each("numpy.core.numeric numpy._core.numeric", "_frombuffer"),
        *_each("builtins __builtin__", "slice complex"),
        *_each("copyreg copy_reg", "_reconstructor"),
        *("functools.partial", "types.SimpleNamespace"),
    )
)
"""Further calls that give plain data."""

_DATA_MODULES = frozenset(("argparse", "datetime", "decimal", "fractions", "pathlib", "uuid"))
"""Modules of the standard library whose classes are plain data."""
