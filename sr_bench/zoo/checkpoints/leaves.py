"""What is in a weight file, by dotted name, however its dicts and modules are nested."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from sr_bench.errors import CheckpointError
from sr_bench.zoo.checkpoints.numpy import array_of
from sr_bench.zoo.checkpoints.objects import StandIn, StoredTensor

Leaf = Tensor | StoredTensor

MAX_VISITS = 200_000
"""Entries that are looked at, those that are shared each time again."""

MAX_DEPTH = 100
"""How deep dicts, lists and modules are nested."""

_NAME_LENGTH = 300  # longest name of a parameter


@dataclass(frozen=True)
class Leaves:
    """Everything in a file."""

    tensors: Mapping[str, Leaf]
    """By dotted name: entry ``a`` of entry ``params`` is ``params.a``."""
    others: Mapping[str, str]
    """Type of everything else, by dotted name."""


def leaves_of(content: object, path: Path) -> Leaves:
    """Return what `content`, of the file at `path`, holds.

    A module that was saved whole holds what its state dict would. Errors name `path`.

    Raises:
        CheckpointError: It holds nothing by name, a name that no parameter has, or itself.
    """
    tensors: dict[str, Leaf] = {}
    others: dict[str, str] = {}
    for name, value in _Walk(path).below("", content, 0):
        if name in tensors or name in others:
            msg = f"{path}: two entries have the name {name}"
            raise CheckpointError(msg)
        if isinstance(value, Leaf):
            tensors[name] = value
        else:
            others[name] = value.kind if isinstance(value, StandIn) else type(value).__name__
    if "" in tensors or "" in others:
        kind = others.get("", "Tensor")
        msg = f"{path}: expected tensors by name, got a {kind}"
        raise CheckpointError(msg)
    return Leaves(tensors, others)


@dataclass
class _Walk:
    """A walk through what may hold itself, or the same things millions of times."""

    path: Path
    visits: int = field(default=0)

    def below(self, name: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
        """Yield the leaves of `value` with their names."""
        if (children := _children(value)) is None:
            yield name, value
            return
        self.visits += len(children)
        if self.visits > MAX_VISITS or depth > MAX_DEPTH:
            what = f"nested deeper than {MAX_DEPTH} levels, or repeats itself"
            msg = f"{self.path}: its content is {what}"
            raise CheckpointError(msg)
        for key, value in children:
            child = self._array(value)
            of_child = f"{name}.{key}" if name else str(key)
            if isinstance(child, Leaf) or _children(child):
                self._check_name(of_child, key)
            yield from self.below(of_child, child, depth + 1)

    def _array(self, value: object) -> object:
        if not isinstance(value, StandIn):
            return value
        try:
            array = array_of(value)
            return value if array is None else array
        except (ValueError, TypeError) as error:
            msg = f"{self.path}: an array of numpy in it can't be read ({error})"
            raise CheckpointError(msg) from error

    def _check_name(self, name: str, key: object) -> None:
        if not isinstance(key, str | int) or len(name) > _NAME_LENGTH or not name.isprintable():
            msg = f"{self.path}: expected names of parameters, got {name[:_NAME_LENGTH]!r}"
            raise CheckpointError(msg)


def _children(value: object) -> list[tuple[object, object]] | None:
    """Return what `value` holds by key; None if it is a leaf."""
    if isinstance(value, StandIn):
        return _of_object(value)
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list | tuple) and any(isinstance(v, dict | StandIn) for v in value):
        return list(enumerate(value))
    return None


def _of_object(value: StandIn) -> list[tuple[object, object]] | None:
    """Return what a module's state dict has of it, or the entries of a kind of dict."""
    state = value.state
    if not isinstance(state, dict):
        return list(value.entries.items()) or None
    parts = [state.get(name) for name in ("_parameters", "_buffers", "_modules")]
    if not all(isinstance(part, dict) for part in parts):
        return list(value.entries.items()) or None
    passing = state.get("_non_persistent_buffers_set")
    left_out = passing if isinstance(passing, list) else ()
    both = (item for part in parts if isinstance(part, dict) for item in part.items())
    return [(key, child) for key, child in both if child is not None and key not in left_out]


def beside(names: Iterable[str], entry: str) -> dict[str, int]:
    """Return the entries that branch off the way to `entry`, each with how many `names` it has."""
    steps = entry.split(".") if entry else []
    counts: dict[str, int] = {}
    for name in names:
        parts = name.split(".")
        shared = next((i for i, s in enumerate(steps) if parts[i : i + 1] != [s]), len(steps))
        if shared < len(steps):
            branch = ".".join(parts[: shared + 1])
            counts[branch] = counts.get(branch, 0) + 1
    return counts
