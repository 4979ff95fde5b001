"""The tables ``[model.input]`` and ``[model.output]`` of a card."""

from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sr_bench.core.fields import Bounds
from sr_bench.core.network_io import LUMAS, NetworkColour, NetworkEnd, NetworkInput, NetworkOutput
from sr_bench.core.protocol import EvalProtocol, Resize
from sr_bench.files.validation import Table
from sr_bench.text.printable import either

End = TypeVar("End", NetworkInput, NetworkOutput)


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        msg = "expected the values of black and of white, such as [0, 1], [0, 255] or [-1, 1]"
        raise ValueError(msg)
    return ends


def _which_luma(colour: object) -> object:
    if colour == "y":
        msg = f"say which luma the network takes: {either(LUMAS)}"
        raise ValueError(msg)
    return colour


_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Bounds(gt=0)]
_Side = Annotated[int, Bounds(ge=1, le=16384)]


class EndTable(Table):
    """What both ends declare; each key has its meaning in `NetworkEnd`."""

    channels: Literal[1, 3] | None = None
    """1 of luma, else 3: `colour` tells it."""
    colour: Annotated[NetworkColour | None, BeforeValidator(_which_luma)] = None
    range: Annotated[tuple[_Finite, _Finite], AfterValidator(_rising)] | None = None
    mean: tuple[_Finite, ...] = ()
    std: tuple[_Positive, ...] = ()
    layout: Literal["nchw", "nhwc"] | None = None
    dtype: Literal["float32", "float16", "uint8"] | None = None
    name: str = ""


class InputTable(EndTable):
    """What the network reads."""

    multiple_of: _Side = 1
    padding: Literal["reflect", "replicate"] = "reflect"
    size: tuple[_Side, _Side] | None = None
    overlap: Annotated[int, Bounds(ge=0, le=16384)] | None = None
    enlarged: Resize | None = None

    @model_validator(mode="after")
    def _tiles_fit(self) -> "InputTable":
        if self.overlap is not None and self.size is None:
            msg = "overlap goes with size = [height, width], that of the tiles"
            raise ValueError(msg)
        if self.overlap is not None and self.size and 2 * self.overlap >= min(self.size):
            msg = f"expected an overlap below half of the tiles' size, {min(self.size)}"
            raise ValueError(msg)
        if self.size and self.multiple_of > 1:
            msg = "give either size, the only one that the network takes, or multiple_of"
            raise ValueError(msg)
        return self


class OutputTable(EndTable):
    """What the network gives; what it does not say is as the input says."""


def read_ends(
    given: InputTable, gives: OutputTable, value_range: float | None
) -> tuple[NetworkInput, NetworkOutput]:
    """Return both ends of a network; `value_range` is white at both, where a table has no range.

    Raises:
        ValueError: The tables contradict themselves or each other.
    """
    for key, table in (("input", given), ("output", gives)):
        if value_range is not None and table.range is not None:
            msg = f"give either value_range or {key}.range"
            raise ValueError(msg)
    plain = (0.0, 255.0 if given.dtype == "uint8" else 1.0)
    usual = plain if value_range is None else (0.0, value_range)
    reads = _end(NetworkInput, given, "input", NetworkInput(range=usual))
    return reads, _end(NetworkOutput, gives, "output", reads)


def protocol_faults(
    reads: NetworkInput, gives: NetworkOutput, protocol: EvalProtocol, enlarged_by: int
) -> Iterator[str]:
    """Yield where `protocol` wants what can't be with a network that `reads` and `gives` this.

    LR is `enlarged_by` this factor before the network.
    """
    whites = (("input", reads, protocol.input_range), ("output", gives, protocol.output_range))
    for key, end, white in whites:
        if white is not None and not end.is_scaled_only:
            yield (
                f"its {key}_range = {white:g} is white where black is 0, and the network has"
                f" {key}.range = {list(end.range)}{' with mean or std' * bool(end.mean or end.std)}"
            )
    if protocol.channel_order == "bgr" and reads.channels == 1:
        yield f'its channel_order = "bgr" is of RGB networks, and input.colour = {reads.colour!r}'
    if protocol.input_shape and reads.size and reads.overlap is None:
        made = tuple(side * enlarged_by for side in protocol.input_shape)
        if made != reads.size:
            yield (
                f"its input_shape makes inputs of {list(made)}, and the network takes input.size ="
                f" {list(reads.size)} alone: give input.overlap to cut images into tiles"
            )


def _end(kind: type[End], table: EndTable, key: str, usual: NetworkEnd) -> End:
    said = table.model_dump(exclude_unset=True, exclude={"channels"})
    colour = said.pop("colour", None) or usual.colour
    end = kind(**{"range": usual.range, **said, "colour": colour})
    if table.channels not in (None, end.channels):
        needed = either(LUMAS if table.channels == 1 else ("rgb", "bgr"))
        msg = f"{key}.channels = {table.channels} needs {key}.colour, {needed}; got {colour!r}"
        raise ValueError(msg)
    for name, values in (("mean", end.mean), ("std", end.std)):
        if len(values) not in (0, 1, end.channels):
            msg = f"{key}.{name}: expected 1 or {end.channels} numbers, got {len(values)}"
            raise ValueError(msg)
    return end
