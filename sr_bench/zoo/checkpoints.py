"""Weight files: read safely, load strictly."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from sr_bench.core.card import ModelCard
from sr_bench.errors import CardError, CheckpointError
from sr_bench.files.hashing import sha256_file
from sr_bench.files.weight_files import NCNN, weight_files
from sr_bench.zoo.build import build_network, canonical_key, trained_form
from sr_bench.zoo.checkpoints_fit import Fit, Wanted, fitting, rounded, told, wanted_by
from sr_bench.zoo.checkpoints_leaves import Leaf, Leaves, leaves_of
from sr_bench.zoo.checkpoints_ncnn import read_ncnn
from sr_bench.zoo.checkpoints_torch import TorchFile

State = dict[str, Tensor]

MAX_BYTES = 2 << 30
"""Largest weight file; a network of a zoo has some hundred MB at most."""


def load_network(card: ModelCard, weights: Path) -> tuple[nn.Module, Mapping[str, str]]:
    """Return the card's network with the weights of a file, and notes on how that was read.

    The network is in eval mode, without gradients. ``.safetensors`` files, torch files of any
    version (also modules that were saved whole), and ncnn's ``.param`` with its ``.bin`` beside it
    are read; no code in them is run. Weights in half precision become float32. The notes are for
    a record.

    Raises:
        CardError: The card names no architecture, or its hyper-parameters aren't valid.
        NotRunError: See `build_network`.
        CheckpointError: The file is absent, empty, corrupt, unsafe or not the expected one; or
            what it holds is not exactly this network in finite numbers.
    """
    if not card.architecture:
        msg = f"card {card.id} names no architecture: its network is the ONNX file {card.onnx}"
        raise CardError(msg)
    # Fresh weights are drawn only to be overwritten: that must not advance the caller's seed.
    with torch.random.fork_rng(devices=[]):
        module = build_network(card).eval()
    check_file(weights, card.checkpoint.sha256_of(weights.name) if card.checkpoint else "")
    is_ncnn = weights.suffix.lower() == NCNN
    state, notes = (read_ncnn if is_ncnn else _read_named)(card, module, weights)
    for name, value in state.items():
        if not bool(value.isfinite().all()):
            msg = f"{weights}: {name} holds NaN or infinite weights"
            raise CheckpointError(msg)
    module.load_state_dict(state, strict=False)  # counters of the training stay as they are
    return module.requires_grad_(False), notes


def _read_named(card: ModelCard, module: nn.Module, path: Path) -> tuple[State, Mapping[str, str]]:
    """Return the weights for `module` from a file that holds them by name, and notes on them."""
    leaves, value_of = open_weights(path)
    key = card.checkpoint.key if card.checkpoint else ""
    forms = [wanted_by(module)]
    with torch.random.fork_rng(devices=[]):  # as in `load_network`
        trained = trained_form(card)
    if trained is not None:
        forms.append(Wanted(f"{forms[0].of} in training", trained.state_dict()))
    try:
        fit = fitting(leaves, forms, key, partial(canonical_key, card.architecture))
        state = _state(fit, value_of)
    except CheckpointError as error:
        msg = f"{path} (card {card.id}): {error}"
        raise CheckpointError(msg) from error
    notes = {"weights_file": told(fit, leaves, key), "weights": rounded(fit)}
    if trained is not None and fit.wanted is not forms[0]:
        trained.load_state_dict(state, strict=False)  # as in `load_network`
        state = trained.folded()
        notes["folded"] = "weights of the training folded into one layer each"
    return state, {name: note for name, note in notes.items() if note}


def check_file(path: Path, sha256: str) -> None:
    """Refuse a file that need not be parsed.

    Raises:
        CheckpointError: It is absent, empty, too large, or not the one with this digest; an empty
            `sha256` is not checked.
    """
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
    if sha256 and (actual := sha256_file(*weight_files(path))) != sha256.lower():
        msg = f"{path}: expected sha256 {sha256.lower()}, got {actual}; download it again"
        raise CheckpointError(msg)


def open_weights(path: Path) -> tuple[Leaves, Callable[[Leaf], Tensor]]:
    """Return what is in the file at `path`, and what gives the values of a tensor of it.

    Raises:
        CheckpointError: It is corrupt or unsafe, or holds no tensors by name.
    """
    with path.open("rb") as file:
        is_safetensors = file.read(9)[8:] == b"{"
    if not is_safetensors and path.suffix.lower() != ".safetensors":
        torch_file = TorchFile(path)
        return leaves_of(torch_file.content, path), torch_file.values
    try:
        content = load_file(path)
    except SafetensorError as error:
        msg = f"{path}: not a readable safetensors file, truncated perhaps ({error})"
        raise CheckpointError(msg) from error
    return leaves_of(content, path), _as_it_is


def _as_it_is(leaf: Leaf) -> Tensor:
    if isinstance(leaf, Tensor):
        return leaf
    raise TypeError(leaf)


def _state(fit: Fit, value_of: Callable[[Leaf], Tensor]) -> State:
    """Return the tensors of `fit` by the network's names, by each name of a shared one."""
    wanted = fit.wanted
    state: State = {}
    for name in fit.given.keys() & wanted.tensors.keys():
        value = value_of(fit.given[name])
        if wanted.tensors[name].is_floating_point():
            value = _float32(value, name)
        state[name] = value
        for twin in wanted.twins[name]:
            if twin != name and not torch.equal(state.setdefault(twin, value), value):
                msg = f"{twin} and {name} are one parameter of {wanted.of}, but differ in the file"
                raise CheckpointError(msg)
    return state


def _float32(value: Tensor, name: str) -> Tensor:
    if not value.is_floating_point():
        msg = f"expected {name} to be floating point, got {value.dtype}"
        raise CheckpointError(msg)
    # Weights in fp16 too: every precision is made from fp32.
    return value.detach().float()
