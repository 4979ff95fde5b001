"""Which tensors of a weight file are the parameters of a network."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from sr_bench.errors import CheckpointError
from sr_bench.text.printable import some
from sr_bench.zoo.checkpoints_leaves import Leaf, Leaves, beside
from sr_bench.zoo.checkpoints_torch import kind_of

ROUNDED = "weights rounded to {} by their packager"
"""What a record says where a file holds fewer digits than weights are trained in."""

_TRIED = 32  # entries that may hold the weights: those with most tensors
_SHOWN = 8  # keys of each kind that an error lists
# BasicSR stores weights twice; its networks are tested with the averaged ones.
_AVERAGED, _LAST = "params_ema", "params"


class Wanted:
    """The tensors that a network has, by name, of which only shapes count.

    Attributes:
        of: The network.
        tensors: Parameters and buffers.
        twins: For each name, all names of the same parameter.
    """

    def __init__(self, of: str, state: Mapping[str, object]) -> None:
        self.of = of
        self.tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
        names: dict[int, list[str]] = {}
        for name, value in self.tensors.items():
            names.setdefault(id(value), []).append(name)
        self.twins = {name: names[id(value)] for name, value in self.tensors.items()}

    def missing(self, given: Collection[str]) -> list[str]:
        """Return the names that `given` has neither itself nor for a twin, but for counters."""
        return sorted(
            name
            for name, tensor in self.tensors.items()
            if not (is_counter(tensor) or any(twin in given for twin in self.twins[name]))
        )


def wanted_by(module: nn.Module) -> Wanted:
    """Return the tensors of `module`, shared ones known as such."""
    return Wanted(type(module).__name__, module.state_dict(keep_vars=True))


@dataclass(frozen=True)
class Fit:
    """How the tensors below one entry of a file fit a network."""

    entry: str
    """Dotted; empty: the whole file."""
    wanted: Wanted
    given: Mapping[str, Leaf]
    """The tensors of the file, by the network's names."""
    doubled: tuple[str, ...]
    """Names of the network that two tensors have."""

    @cached_property
    def right(self) -> list[str]:
        """Parameters whose shape is right too."""
        tensors = self.wanted.tensors
        return [n for n, leaf in self.given.items() if n in tensors and _fits(leaf, tensors[n])]

    @cached_property
    def counters(self) -> list[str]:
        """Single integers that the network doesn't have: they count training steps."""
        extra = self.given.keys() - self.wanted.tensors.keys()
        return sorted(name for name in extra if is_counter(self.given[name]))

    @cached_property
    def faults(self) -> list[str]:
        """Why it is not exactly this network; empty if it is."""
        wanted, given = self.wanted.tensors, self.given
        shapes = [
            f"{name} {tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}"
            for name in sorted(wanted.keys() & given.keys())
            if not _fits(given[name], wanted[name])
        ]
        extra = given.keys() - wanted.keys() - set(self.counters)
        return [
            *_listed("missing", self.wanted.missing(given)),
            *_listed("unexpected", sorted(extra)),
            *_listed("mis-shaped", shapes),
            *_listed("twice in the file", self.doubled),
        ]


def fitting(leaves: Leaves, forms: Sequence[Wanted], key: str, rename: Callable[[str], str]) -> Fit:
    """Return the entry of a file that is a network, in one of its `forms`.

    DataParallel puts ``module.`` before each name, ``torch.compile`` ``_orig_mod.``, whoever saves
    the model that holds the network the attribute's name, such as ``generator.``, and trainers
    save dicts of dicts: all of these are entries here, and the one that fits is found.

    Args:
        leaves: Of the file.
        forms: The network, and what it is in training if that is another.
        key: Entry to look in; empty: anywhere.
        rename: Gives the network's name of a parameter as checkpoints may call it.

    Raises:
        CheckpointError: None fits exactly, or several do; without the file's name.
    """
    names = [name for name in leaves.tensors if not key or f"{name}.".startswith(f"{key}.")]
    if not names:
        raise CheckpointError(_no_entry(leaves, key))
    entries = _entries(names, key)
    fits = [_fit(entry, leaves, wanted, rename) for wanted in forms for entry in entries]
    whole = [fit for fit in fits if not fit.faults]
    parents = {fit.entry.rpartition(".")[2]: fit for fit in whole}
    if len(whole) == 2 and parents.keys() == {_AVERAGED, _LAST}:
        return parents[_AVERAGED]
    if len(whole) > 1:
        several = " and ".join(fit.entry or "the whole file" for fit in whole[:_SHOWN])
        msg = (
            f"weights of {forms[0].of} are in the entries {several}; say which by `key` in the card"
        )
        raise CheckpointError(msg)
    if whole:
        return whole[0]
    # Of equals the innermost, whose names are shortest.
    nearest = max(fits, key=lambda fit: (len(fit.right), len(fit.given), len(fit.entry)))
    raise CheckpointError(_unfit(nearest))


def told(fit: Fit, leaves: Leaves, key: str) -> str:
    """Return what a record says about which part of the file was loaded; empty if it is all."""
    prefix = f"{fit.entry}." if fit.entry else ""
    aside = beside(leaves.tensors, fit.entry)
    plain = beside(leaves.others, fit.entry)
    inside = [name for name in leaves.others if name.startswith(prefix)]
    rest = [*(f"{name} ({count} tensors)" for name, count in aside.items())]
    rest += [_named(name, leaves) for name in sorted({*plain, *inside} - aside.keys())]
    parts = {
        "weights of entry": [fit.entry] if fit.entry != key else [],
        "left out": rest,
        "counters left out": fit.counters,
    }
    return "; ".join(f"{what} {some(names, _SHOWN)}" for what, names in parts.items() if names)


def _named(name: str, leaves: Leaves) -> str:
    kind = leaves.others.get(name, "")
    return f"{name} ({kind})" if "." in kind else name  # of a class


def rounded(fit: Fit) -> str:
    """Return what a record says of weights that the file has in half precision; else nothing."""
    kinds = {kind_of(leaf) for leaf in fit.given.values()}
    names = [
        name for name, kind in (("fp16", torch.float16), ("bf16", torch.bfloat16)) if kind in kinds
    ]
    return ROUNDED.format(" and ".join(names)) if names else ""


def is_counter(leaf: Leaf) -> bool:
    """Tell whether `leaf` is a single integer: no weight, but the state of the training."""
    kind = kind_of(leaf)
    whole = kind is not None and not (kind.is_floating_point or kind.is_complex)
    return whole and all(side == 1 for side in leaf.shape)


def _entries(names: Sequence[str], key: str) -> list[str]:
    """Return the entries below `key` that may hold the weights, those with most tensors first."""
    counts: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        counts.update(".".join(parts[:depth]) for depth in range(len(parts)))
    inside = [entry for entry in counts if not key or f"{entry}.".startswith(f"{key}.")]
    return sorted(inside, key=lambda entry: (-counts[entry], len(entry)))[:_TRIED]


def _fit(entry: str, leaves: Leaves, wanted: Wanted, rename: Callable[[str], str]) -> Fit:
    prefix = f"{entry}." if entry else ""
    given: dict[str, Leaf] = {}
    doubled = []
    for name, leaf in leaves.tensors.items():
        if name.startswith(prefix):
            if (new := rename(name.removeprefix(prefix))) in given:
                doubled.append(f"{new} ({name})")
            given[new] = leaf
    return Fit(entry, wanted, given, tuple(doubled))


def _fits(leaf: Leaf, tensor: Tensor) -> bool:
    return tuple(leaf.shape) == tuple(tensor.shape)


def _no_entry(leaves: Leaves, key: str) -> str:
    tops = dict.fromkeys(name.partition(".")[0] for name in (*leaves.tensors, *leaves.others))
    shown = ", ".join(list(tops)[:_SHOWN]) or "nothing"
    if key:
        return f"expected the weights in entry {key!r}; the file starts with: {shown}"
    return f"expected tensors by name, got none; the file starts with: {shown}"


def _unfit(fit: Fit) -> str:
    where = f"of entry {fit.entry} " if fit.entry else ""
    return (
        f"{len(fit.right)} of {len(fit.wanted.tensors)} parameters {where}fit {fit.wanted.of}; "
        f"{'; '.join(fit.faults)}. "
        "Check the card's architecture, hyper-parameters and scale, or use the right file"
    )


def _listed(kind: str, items: Sequence[str]) -> list[str]:
    """Return one phrase with the count and the first of `items`, or nothing."""
    return [f"{len(items)} {kind}: {some(items, _SHOWN)}"] if items else []
