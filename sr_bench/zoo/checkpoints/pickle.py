"""Read a pickle without running anything of it.

No class is imported and nothing is called: the result holds plain data, tensors whose values were
not read, and stand-ins for everything else.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from sr_bench.zoo.checkpoints.objects import (
    Global,
    StandIn,
    StoredTensor,
    UnsafeError,
    called,
    key_of,
    new,
    referred,
)

MAX_STEPS = 1_000_000
"""Steps of one pickle; a checkpoint takes some thirty for each of its tensors."""

MAX_COPIED = 1_000_000
"""Entries and characters that the calls of one pickle copy; each may copy all that it has."""


def read_pickle(stream: BinaryIO, refer: Callable[[object], object] = referred) -> object:
    """Return the content of the pickle at which `stream` stands, and leave it behind the pickle.

    Sets are lists here, and keys of dicts that are no plain values are stand-ins. What is returned
    may be nested to any depth and hold itself. `refer` gives what is kept outside the pickle.

    Raises:
        UnsafeError: It asks for a call that could run code elsewhere, or for one that is unknown.
        ValueError: It is no whole pickle, or asks for more than a checkpoint does.
    """
    machine = _Machine(refer)
    for count, (code, value, _) in enumerate(pickletools.genops(stream)):
        if count > MAX_STEPS:
            msg = f"its content takes more than {MAX_STEPS:,} steps to build"
            raise ValueError(msg)
        if code.name not in _ACTIONS:
            msg = f"opcode {code.name}"
            raise UnsafeError(msg)
        try:
            _ACTIONS[code.name](machine, value)
        except IndexError:
            msg = "its pickle takes more values than it made"
            raise ValueError(msg) from None
    return machine.result()


class _Machine:
    """The stack and the memory of a pickle that is read."""

    def __init__(self, refer: Callable[[object], object]) -> None:
        self._refer = refer
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []  # what is below each mark
        self._memo: dict[object, object] = {}
        self._copied = 0

    def result(self) -> object:
        if len(self.stack) != 1 or self._below:
            msg = "its pickle makes not one object"
            raise ValueError(msg)
        return self.stack[0]

    def mark(self) -> None:
        self._below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Any]:
        """Take what is above the last mark, and the mark."""
        taken, self.stack = self.stack, self._below.pop()
        return taken

    def drop(self) -> None:
        self.marked()

    def take(self, count: int) -> list[Any]:
        """Take the last `count` values."""
        return [self.stack.pop() for _ in range(count)][::-1]

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.marked()

    def get(self, key: object) -> None:
        if key not in self._memo:
            msg = f"its pickle reads entry {key}, which it never stored"
            raise ValueError(msg)
        self.push(self._memo[key])

    def put(self, key: object) -> None:
        self._memo[key] = self.stack[-1]

    def memoize(self) -> None:
        self.put(len(self._memo))

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        entries = target.entries if isinstance(target, StandIn) else target
        if not isinstance(entries, dict) or len(items) % 2:
            msg = "its pickle sets entries of what is no dict"
            raise ValueError(msg)
        entries.update(zip(map(key_of, items[::2]), items[1::2], strict=True))

    def extend(self, items: list[Any]) -> None:
        if isinstance(target := self.stack[-1], list):
            target.extend(items)
        elif not isinstance(target, StandIn):  # items of a kind of list are of no use
            msg = "its pickle appends to what is no list"
            raise ValueError(msg)

    def build(self) -> None:
        target, state = self.take(2)
        if isinstance(target, StandIn):
            target.state = state
        elif not isinstance(target, dict | StoredTensor):  # metadata of theirs is of no use
            msg = "its pickle sets attributes of what is no object"
            raise ValueError(msg)
        self.push(target)

    def new(self, parts: int) -> None:
        kind, args, *_ = self.take(parts)
        if not isinstance(kind, Global) or not isinstance(args, tuple):
            msg = "opcode NEWOBJ"
            raise UnsafeError(msg)
        self.push(new(kind.name, args))

    def name(self) -> None:
        module, name = self.take(2)
        if not isinstance(module, str) or not isinstance(name, str):
            msg = "opcode STACK_GLOBAL"
            raise UnsafeError(msg)
        self.push(Global(f"{module}.{name}"))

    def reduce(self) -> None:
        function, args = self.take(2)
        if not isinstance(function, Global) or not isinstance(args, tuple):
            msg = "GLOBAL REDUCE"
            raise UnsafeError(msg)
        self.push(called(function.name, args, self._copying))

    def refer(self) -> None:
        self.push(self._refer(self.stack.pop()))

    def _copying(self, count: int) -> None:
        self._copied += count
        if self._copied > MAX_COPIED:
            msg = "its content repeats itself"
            raise ValueError(msg)


_Action = Callable[[_Machine, Any], None]

_VALUES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"),
    *("BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
_ACTIONS: Mapping[str, _Action] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda m, v: None),
    **dict.fromkeys(_VALUES, _Machine.push),
    "NONE": lambda m, v: m.push(None),
    "NEWTRUE": lambda m, v: m.push(True),
    "NEWFALSE": lambda m, v: m.push(False),
    "MARK": lambda m, v: m.mark(),
    "POP": lambda m, v: m.pop(),
    "POP_MARK": lambda m, v: m.drop(),
    "DUP": lambda m, v: m.push(m.stack[-1]),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": lambda m, v: m.memoize(),
    "EMPTY_TUPLE": lambda m, v: m.push(()),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda m, v: m.push([])),
    "EMPTY_DICT": lambda m, v: m.push({}),
    "TUPLE": lambda m, v: m.push(tuple(m.marked())),
    "TUPLE1": lambda m, v: m.push(tuple(m.take(1))),
    "TUPLE2": lambda m, v: m.push(tuple(m.take(2))),
    "TUPLE3": lambda m, v: m.push(tuple(m.take(3))),
    **dict.fromkeys(("LIST", "FROZENSET"), lambda m, v: m.push(m.marked())),
    "APPEND": lambda m, v: m.extend(m.take(1)),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda m, v: m.extend(m.marked())),
    "SETITEM": lambda m, v: m.set_items(m.take(2)),
    "SETITEMS": lambda m, v: m.set_items(m.marked()),
    "GLOBAL": lambda m, v: m.push(Global(v.replace(" ", "."))),
    "STACK_GLOBAL": lambda m, v: m.name(),
    "REDUCE": lambda m, v: m.reduce(),
    "NEWOBJ": lambda m, v: m.new(2),
    "NEWOBJ_EX": lambda m, v: m.new(3),
    "BUILD": lambda m, v: m.build(),
    "BINPERSID": lambda m, v: m.refer(),
}
"""What each opcode of protocols 0 to 5 does; of what is not here, no checkpoint has any."""
