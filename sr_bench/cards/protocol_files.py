"""Named protocols: one TOML file each, the file name is the name; cards may add their own."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Literal, get_args

from pydantic import Field

from sr_bench import discovery
from sr_bench.core.protocol import Colour, EvalProtocol, Resize
from sr_bench.errors import CardError
from sr_bench.files.validation import Table, listed, nearest, read_toml, validate

_PROTOCOLS = "sr_bench.cards.protocols"
"""Folder with a TOML file for each named protocol, and entry point group."""

_None = Literal["none"]
_White = Annotated[float, Field(gt=0)]
_Sides = Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=2, max_length=2)]


class ProtocolTable(Table):
    """The keys of a protocol, each as in `EvalProtocol`; ``"none"`` undoes what `base` set."""

    base: str = ""
    """Named protocol whose choices hold where this table makes none."""
    lr_from: Literal["files", "hr"] = "files"
    lr_resize: Resize | _None = "none"
    input_shape: _Sides | _None = "none"
    gt_resize: Resize | _None = "none"
    channel_order: Literal["rgb", "bgr"] = "rgb"
    input_range: _White | _None = "none"
    output_range: _White | _None = "none"
    clip: bool = True
    rounding: Literal["none", "round", "truncate"] = "round"
    border: Literal["none", "scale", "scale+6"] | Annotated[int, Field(ge=0)] = "none"
    colour: Colour = "rgb"
    ssim_aggregation: Literal["mean", "last_image"] = "mean"
    source: str = ""


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
    """Return the protocol that `table` declares.

    Args:
        name: What the protocol is called in reports.
        table: Keys of `ProtocolTable`. With ``base``, the named protocol's choices hold for the
            keys that are left out; without, the defaults do.
        where: File and key of the table, for messages.

    Raises:
        CardError: Keys are unknown, values are invalid or contradict each other; all are listed.
    """
    given = validate(ProtocolTable, table, where=where, error=CardError)
    if given.base and given.base not in protocol_names():
        advice = nearest(given.base, protocol_names())
        msg = f"{where}: base: unknown protocol {given.base!r}; {advice}"
        raise CardError(msg)
    choices: dict[str, object] = load_protocol(given.base).choices() if given.base else {}
    for key in given.model_fields_set - {"base"}:
        choices[key] = _value(key, getattr(given, key))
    protocol = EvalProtocol(**{**choices, "name": name})  # type: ignore[arg-type] # validated above
    faults = list(_contradictions(protocol))
    if faults:
        raise CardError(listed(faults, where=where))
    return protocol


def _value(key: str, value: object) -> object:
    if value == "none" and key not in {"rounding", "border"}:
        return None
    return tuple(value) if isinstance(value, list) else value


def _contradictions(protocol: EvalProtocol) -> Iterator[str]:
    """Yield what no single key shows."""
    rules = ", ".join(get_args(Resize))
    if protocol.lr_from == "hr" and protocol.lr_resize is None:
        yield f'lr_from = "hr" needs lr_resize, the rule that makes LR: {rules}'
    if protocol.lr_from == "files" and protocol.input_shape and protocol.lr_resize is None:
        yield f"input_shape needs lr_resize, the rule that brings LR to it: {rules}"
    if protocol.lr_from == "files" and protocol.lr_resize and protocol.input_shape is None:
        yield 'lr_resize needs input_shape = [height, width], or lr_from = "hr"'
    if protocol.rounding != "none" and not protocol.clip:
        yield 'rounding to 8 bits needs clip = true; or set rounding = "none"'
