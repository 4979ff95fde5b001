"""Weight files: read safely, load strictly."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import takewhile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from sr_bench.core.card import ModelCard
from sr_bench.errors import CardError, CheckpointError
from sr_bench.files.hashing import sha256_file
from sr_bench.zoo.build import build, canonical_key, folded
from sr_bench.zoo.checkpoints_torch import read_torch

State = dict[str, Tensor]

# Entries that hold the weights in files of BasicSR and others, the preferred first.
_WRAPPERS = ("params_ema", "params", "state_dict", "model")
_NESTED = 3  # entries within entries, as in {"model": {"state_dict": ...}}

_SHOWN = 8  # keys of each kind that an error lists
MAX_BYTES = 2 << 30
"""Largest weight file; a network of a zoo has some hundred MB at most."""

MAX_VALUES = 1 << 28
"""Most values of all tensors together, 1 GiB in float32: a file of a few bytes can declare more."""

_NAME_LENGTH = 300  # longest name of a parameter


def load_state(path: Path, key: str = "", *, sha256: str = "") -> State:
    """Return the weights in a file as float32 tensors on the CPU, by parameter name.

    ``.safetensors`` files and torch files (also those from before the zip format) are read; no
    code in them is run. Single integers, such as ``num_batches_tracked``, are counters of the
    training and left out.

    Args:
        path: The file.
        key: Entry that holds the weights, with dots one within another, or what the names of the
            weights start with, up to a dot; empty: ``params_ema``, ``params``, ``state_dict`` or
            ``model`` if there is one, else the only entry that holds tensors, else the whole file.
        sha256: Hex digest that the file must have; empty: not checked.

    Raises:
        CheckpointError: The file is absent, empty, corrupt, unsafe or not the expected one, or
            holds weights in several entries, or something other than finite floating-point
            tensors.
    """
    _check_file(path, sha256)  # before any of it is parsed
    named_so = path.suffix.lower() == ".safetensors"
    content = _read_safetensors(path) if named_so else read_torch(path)
    weights = _unwrap(content, key, path)
    _check_values(weights, path)
    return {
        str(name): _tensor(value, str(name), path)
        for name, value in weights.items()
        if not _is_counter(value)
    }


def load_into(module: nn.Module, state: Mapping[str, Tensor], *, where: str) -> None:
    """Copy `state` into `module`, which must have exactly these parameters and shapes.

    Nothing is changed if they don't fit. Errors call the source of `state` `where`.

    Raises:
        CheckpointError: Parameters are missing, unexpected or mis-shaped.
    """
    wanted = {name: value for name, value in module.state_dict().items() if not _is_counter(value)}
    both = sorted(wanted.keys() & state.keys())
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in both
        if state[name].shape != wanted[name].shape
    ]
    faults = [
        *_listed("missing", sorted(wanted.keys() - state.keys())),
        *_listed("unexpected", sorted(state.keys() - wanted.keys())),
        *_listed("mis-shaped", shapes),
    ]
    if faults:
        msg = (
            f"{where}: {len(both) - len(shapes)} of {len(wanted)} parameters fit "
            f"{type(module).__name__}; {'; '.join(faults)}. "
            "Check the card's architecture, hyper-parameters and scale, or use the right file"
        )
        raise CheckpointError(msg)
    module.load_state_dict(dict(state), strict=False)  # counters of the training stay as they are


def load_model(card: ModelCard, weights: Path) -> nn.Module:
    """Return the card's network with the weights of a file, in eval mode, without gradients.

    Raises:
        CardError: The card names no built-in architecture, or its hyper-parameters aren't valid.
        CheckpointError: See `load_state` and `load_into`.
    """
    if not card.architecture:
        msg = f"card {card.id} names no architecture: its network is the ONNX file {card.onnx}"
        raise CardError(msg)
    # Fresh weights are drawn only to be overwritten: that must not advance the caller's seed.
    with torch.random.fork_rng(devices=[]):
        module = build(card.architecture, card.hyper, card.scale)
    declared = card.checkpoint
    key, sha256 = (declared.key, declared.sha256) if declared else ("", "")
    state = load_state(weights, key, sha256=sha256)
    names = _without_prefix(card.architecture, state, module.state_dict().keys())
    renamed, where = _rename(state, names, weights), f"{weights} (card {card.id})"
    try:
        state = dict(folded(card.architecture, card.hyper, renamed))
    except (RuntimeError, IndexError) as error:  # of shapes
        msg = f"{where}: branches of a block don't fit together ({error})"
        raise CheckpointError(msg) from error
    load_into(module, state, where=where)
    return module.eval().requires_grad_(False)


def _without_prefix(architecture: str, names: Iterable[str], wanted: Set[str]) -> dict[str, str]:
    """Return the module's name for each of `names`, which may all have a prefix in common.

    DataParallel puts ``module.`` before each name, ``torch.compile`` ``_orig_mod.``, and whoever
    saves the model that holds the network the attribute's name, such as ``generator.``. Of the
    prefixes that all names share, the shortest is removed with which most of `wanted` are there.
    """
    split = [name.split(".") for name in names]
    levels = zip(*(parts[:-1] for parts in split), strict=False)
    shared = len(list(takewhile(lambda level: len(set(level)) == 1, levels)))
    shorter = [
        {".".join(parts): canonical_key(architecture, ".".join(parts[removed:])) for parts in split}
        for removed in range(shared + 1)
    ]
    return max(shorter, key=lambda renamed: len(wanted & set(renamed.values())))


def _check_file(path: Path, sha256: str) -> None:
    if not path.is_file():
        msg = f"{path}: expected a weight file, got none"
        raise CheckpointError(msg)
    try:
        with path.open("rb") as file:
            empty, size = not file.read(1), path.stat().st_size
    except OSError as error:
        msg = f"{path}: the weight file can't be read ({error.strerror})"
        raise CheckpointError(msg) from error
    if empty:
        msg = f"{path}: the file is empty; download it again"
        raise CheckpointError(msg)
    # Before the digest, for which all of it would be read.
    if size > MAX_BYTES:
        msg = f"{path}: the file has {size:,} bytes; at most {MAX_BYTES:,} are read"
        raise CheckpointError(msg)
    if sha256 and (actual := sha256_file(path)) != sha256.lower():
        msg = f"{path}: expected sha256 {sha256.lower()}, got {actual}; download it again"
        raise CheckpointError(msg)


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except SafetensorError as error:
        msg = f"{path}: not a readable safetensors file, truncated perhaps ({error})"
        raise CheckpointError(msg) from error


def _unwrap(content: object, key: str, path: Path) -> dict[object, object]:
    # A pickled OrderedDict may carry attributes of any name: it is read by dict's own methods.
    if not isinstance(content, dict):
        msg = f"{path}: expected tensors by name, got a {type(content).__name__}"
        raise CheckpointError(msg)
    entries = dict(dict.items(content))
    if not key:
        return _innermost(entries, path)
    if inner := _entry(entries, key.split(".")) or _below(entries, f"{key}."):
        return inner
    shown = ", ".join(str(entry) for entry in list(entries)[:_SHOWN])
    msg = f"{path}: expected the weights in entry {key!r}; the file starts with: {shown}"
    raise CheckpointError(msg)


def _entry(entries: dict[object, object], names: Sequence[str]) -> dict[object, object]:
    for name in names:
        inner = entries.get(name)
        entries = dict(dict.items(inner)) if isinstance(inner, dict) else {}
    return entries


def _below(entries: dict[object, object], prefix: str) -> dict[object, object]:
    """Return the entries whose names start with `prefix`, without it."""
    named = ((str(name), value) for name, value in entries.items())
    return {name.removeprefix(prefix): value for name, value in named if name.startswith(prefix)}


def _innermost(entries: dict[object, object], path: Path) -> dict[object, object]:
    """Return the dict of tensors that `entries` is or holds."""
    for _ in range(_NESTED):
        inner = [str(name) for name, value in entries.items() if _holds_tensors(value)]
        preferred = [name for name in _WRAPPERS if name in inner] or inner
        if not preferred or any(isinstance(value, Tensor) for value in entries.values()):
            break
        if len(preferred) > 1 and preferred[0] not in _WRAPPERS:
            shown = ", ".join(preferred[:_SHOWN])
            msg = f"{path}: weights are in the entries {shown}; say which by `key` in the card"
            raise CheckpointError(msg)
        entries = _entry(entries, preferred[:1])
    return entries


def _holds_tensors(value: object, depth: int = _NESTED) -> bool:
    """Tell whether `value` is a dict of tensors by name, or holds one; states of optimizers aren't.

    Those are numbered.
    """
    if not depth or not isinstance(value, dict):
        return False
    inner = dict(dict.items(value))
    if not all(isinstance(name, str) for name in inner):
        return False
    return any(
        isinstance(entry, Tensor) or _holds_tensors(entry, depth - 1) for entry in inner.values()
    )


def _is_counter(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.numel() == 1
        and not (value.is_floating_point() or value.is_complex())
    )


def _check_values(weights: Mapping[object, object], path: Path) -> None:
    """Refuse, before anything is done to the tensors, what no network of a zoo holds."""
    for name in weights:
        if len(text := str(name)) > _NAME_LENGTH or not text.isprintable():
            msg = f"{path}: expected names of parameters, got {text[:_NAME_LENGTH]!r}"
            raise CheckpointError(msg)
    count = sum(value.numel() for value in weights.values() if isinstance(value, Tensor))
    if count > MAX_VALUES:
        msg = f"{path}: declares {count:,} values; at most {MAX_VALUES:,} are loaded"
        raise CheckpointError(msg)


def _tensor(value: object, name: str, path: Path) -> Tensor:
    if not isinstance(value, Tensor):
        msg = f"{path}: expected {name} to be a tensor, got a {type(value).__name__}"
        raise CheckpointError(msg)
    if not value.is_floating_point():
        msg = f"{path}: expected {name} to be floating point, got {value.dtype}"
        raise CheckpointError(msg)
    # Weights in fp16 too: every precision is made from fp32.
    tensor = value.detach().float()
    if not bool(tensor.isfinite().all()):
        msg = f"{path}: {name} holds NaN or infinite weights"
        raise CheckpointError(msg)
    return tensor


def _rename(state: State, names: Mapping[str, str], path: Path) -> State:
    renamed: State = {}
    for old, new in names.items():
        if new in renamed:
            msg = f"{path}: two entries are the parameter {new}; one of them is {old}"
            raise CheckpointError(msg)
        renamed[new] = state[old]
    return renamed


def _listed(kind: str, items: Sequence[str]) -> list[str]:
    """Return one phrase with the count and the first of `items`, or nothing."""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return [f"{len(items)} {kind}: {', '.join(items[:_SHOWN])}{more}"] if items else []
