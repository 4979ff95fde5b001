"""Named protocols: one TOML file each, the file name is the name; cards may add their own."""

from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from functools import cache
from typing import get_args

from pydantic.dataclasses import dataclass
from pydantic.json_schema import SkipJsonSchema

from sr_bench import discovery
from sr_bench.core.fields import narrowed
from sr_bench.core.protocol import EvalProtocol, Resize
from sr_bench.errors import CardError
from sr_bench.files.toml import read_toml
from sr_bench.files.validation import STRICT, listed, nearest, validate

# Folder with a TOML file for each named protocol, and entry point group.
_PROTOCOLS = "sr_bench.cards.protocols"


@dataclass(config=STRICT, frozen=True)
class ProtocolTable(EvalProtocol):
    """What a protocol's file may hold."""

    name: SkipJsonSchema[str] = field(default="", init=False)
    """No key: the file's name, or that of the card's table."""
    base: str = ""
    """Named protocol whose choices hold where this table makes none."""


_MAY_BE_NONE = {choice.name for choice in fields(EvalProtocol) if choice.default is None}


def protocol_names() -> tuple[str, ...]:
    """Return the names of the protocols that are installed, sorted."""
    return discovery.names(_PROTOCOLS, ".toml")


@cache
def load_protocol(name: str) -> EvalProtocol:
    """Return the protocol `name`.

    Raises:
        CardError: There is no such protocol, and the message names the nearest one; or its file
            has faults.
        OptionError: It is a third party's, and its file is absent.
    """
    if name not in protocol_names():
        msg = f"unknown protocol {name!r}; {nearest(name, protocol_names())}"
        raise CardError(msg)
    path = discovery.file(_PROTOCOLS, name, ".toml")
    return parse_protocol(name, read_toml(path, CardError), where=str(path))


def parse_protocol(name: str, table: Mapping[str, object], *, where: str) -> EvalProtocol:
    """Return the protocol that `table` declares, by the keys of `ProtocolTable`.

    Without a key, the choice of ``base`` holds, or the default; ``"none"`` undoes a choice.
    Messages start with `where`.

    Raises:
        CardError: Keys are unknown, values are invalid or contradict each other; all are listed.
    """
    # Looked at before the table is checked, as the base's choices take part in that.
    base = table.get("base", "")
    if isinstance(base, str) and base and base not in protocol_names():
        msg = f"{where}: base: unknown protocol {base!r}; {nearest(base, protocol_names())}"
        raise CardError(msg)
    inherited = load_protocol(base).choices() if isinstance(base, str) and base else {}
    # TOML has no null; where None is no choice, "none" is one of its own, as of rounding.
    given = {k: None if v == "none" and k in _MAY_BE_NONE else v for k, v in table.items()}
    read = validate(ProtocolTable, {**inherited, **given}, where=where, error=CardError)
    protocol = narrowed(EvalProtocol, read, name=name)
    if faults := list(_contradictions(protocol)):
        raise CardError(listed(faults, where=where))
    return protocol


def _contradictions(protocol: EvalProtocol) -> Iterator[str]:
    rules = ", ".join(get_args(Resize))
    if protocol.lr_from == "hr" and protocol.lr_resize is None:
        yield f'lr_from = "hr" needs lr_resize, the rule that makes LR: {rules}'
    if protocol.lr_from == "files" and protocol.input_shape and protocol.lr_resize is None:
        yield f"input_shape needs lr_resize, the rule that brings LR to it: {rules}"
    if protocol.lr_from == "files" and protocol.lr_resize and protocol.input_shape is None:
        yield 'lr_resize needs input_shape = [height, width], or lr_from = "hr"'
    if protocol.rounding != "none" and not protocol.clip:
        yield 'rounding to 8 bits needs clip = true; or set rounding = "none"'
