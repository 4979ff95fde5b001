"""What a pickle would build and call, worked out without building or calling anything."""

import pickletools
from dataclasses import dataclass
from typing import BinaryIO

MAX_STEPS = 1_000_000
"""Steps of one pickle; a checkpoint takes some thirty for each of its tensors."""

MAX_WALK = 5_000_000
"""Objects that a walk through the content meets, those that are shared each time again."""

MAX_DEPTH = 100
"""How deep lists, tuples and dicts are nested."""

CALLED = frozenset(
    (
        "collections.Counter",
        "collections.OrderedDict",
        "torch.Size",
        "torch.device",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
    )
)
"""What may be called: that is how plain tensors and the containers of checkpoints are stored."""

# Opcodes of protocol 2, which torch.save writes; those of later ones are refused.
_VALUES = frozenset(
    ("PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2")
) | frozenset(("LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "BINPERSID", "GLOBAL"))
_CONTAINERS = frozenset(
    ("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET")
)
_PUT, _GET = ("BINPUT", "LONG_BINPUT"), ("BINGET", "LONG_BINGET")
_GROWS = frozenset(("APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD"))
_CALLS = frozenset(("REDUCE", "NEWOBJ"))
_KNOWN = _VALUES | _CONTAINERS | _GROWS | _CALLS


@dataclass
class _Object:
    """What is known of an object that the pickle would make; it grows as lists and dicts do."""

    name: str = ""  # of a global, or of what was called to make it
    walk: int = 1
    depth: int = 0

    def take(self, parts: list["_Object"]) -> None:
        """Add `parts` to what this contains.

        Raises:
            ValueError: It is larger, or nested deeper, than any checkpoint.
        """
        self.walk += sum(part.walk for part in parts)
        self.depth = max([self.depth, *(part.depth + 1 for part in parts)])
        if self.walk > MAX_WALK or self.depth > MAX_DEPTH:
            msg = f"its content is nested deeper than {MAX_DEPTH} levels, or repeats itself"
            raise ValueError(msg)


def danger(stream: BinaryIO) -> str:
    """Return what is dangerous in the pickle at which `stream` stands; empty if nothing is.

    Torch's weights-only reader runs no foreign code, but it calls more than tensors need: a
    pickle of a few bytes can have it make 8 GB of zeros, or crash the process with tuples nested
    a million deep. So only what `CALLED` names may be called. `stream` ends behind the pickle.

    Raises:
        ValueError: It is no whole pickle, or passes `MAX_STEPS`, `MAX_WALK` or `MAX_DEPTH`.
    """
    stack: list[_Object | None] = []  # None is a mark
    memo: dict[object, _Object] = {}
    for count, (code, value, _) in enumerate(pickletools.genops(stream)):
        if count > MAX_STEPS:
            msg = f"its content takes more than {MAX_STEPS:,} steps to build"
            raise ValueError(msg)
        if code.name in _PUT:
            memo[value] = _top(stack)
        elif code.name in _GET:
            if value not in memo:
                msg = f"its pickle reads entry {value}, which it never stored"
                raise ValueError(msg)
            stack.append(memo[value])
        elif refused := _step(code, value, stack):
            return refused
    return ""


def _step(code: pickletools.OpcodeInfo, value: object, stack: list[_Object | None]) -> str:
    """Do to `stack` what `code` does; return what is dangerous about it."""
    if code.name not in _KNOWN:
        return f"opcode {code.name}"
    taken = _taken(code, stack)
    called = taken[0].name if code.name in _CALLS else ""
    if code.name in _CALLS and called not in CALLED:
        return f"GLOBAL {called or code.name}"
    # It sets attributes; a state dict's OrderedDict has one, its metadata.
    if code.name == "BUILD" and taken[0].name != "collections.OrderedDict":
        return "opcode BUILD"
    if code.name in _GROWS:
        taken[0].take(taken[1:])
        stack.append(taken[0])
    elif code.name == "MARK":
        stack.append(None)
    elif code.stack_after:
        named = str(value).replace(" ", ".") if code.name == "GLOBAL" else called
        result = _Object(named)
        result.take(taken)
        stack.append(result)
    return ""


def _taken(code: pickletools.OpcodeInfo, stack: list[_Object | None]) -> list[_Object]:
    """Remove from `stack` what `code` takes: so many objects, or those above the last mark."""
    wanted = [part.name for part in code.stack_before]
    taken: list[_Object] = []
    if "mark" in wanted:
        while stack and (top := stack.pop()) is not None:
            taken.append(top)
        wanted = wanted[: wanted.index("mark")]
    for _ in wanted:
        taken.append(_top(stack))
        stack.pop()
    return taken[::-1]


def _top(stack: list[_Object | None]) -> _Object:
    if not stack or (top := stack[-1]) is None:
        msg = "its pickle takes more values than it made"
        raise ValueError(msg)
    return top
