"""What a user's ONNX file says of its images: the tables of a card, and what a person must say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sr_bench.core.network_io import LUMAS, NetworkColour, NetworkInput, NetworkOutput
from sr_bench.errors import BackendError

if TYPE_CHECKING:  # onnx loads only when a file is opened
    from sr_bench.files.onnx_ends import ImageEnd

End = TypeVar("End", NetworkInput, NetworkOutput)


@dataclass(frozen=True)
class Ends:
    """Both ends of a network, as far as they are not RGB between 0 and a white level."""

    input: NetworkInput = field(default_factory=NetworkInput)
    output: NetworkOutput = field(default_factory=NetworkOutput)
    doubts: tuple[str, ...] = ()

    @property
    def in_levels(self) -> tuple[bool, bool]:
        """Whether each end holds whole levels, uint8."""
        return self.input.dtype == "uint8", self.output.dtype == "uint8"

    def tables(self, white: float) -> Mapping[str, Mapping[str, object]]:
        """Return the keys to write below ``[model.input]`` and ``[model.output]``.

        Ranges are among them where one `white` level does not say them.
        """
        mixed = len({*self.in_levels}) > 1
        tables: dict[str, dict[str, object]] = {"input": {}, "output": {}}
        for keys, end, levels in zip(
            tables.values(), (self.input, self.output), self.in_levels, strict=True
        ):
            if end.colour != "rgb" or self.input.colour != "rgb":
                keys["colour"] = end.colour
            if mixed:
                keys["range"] = [0, 255 if levels else white]
        if tables["output"] == tables["input"]:  # what it does not say is as the input says
            tables["output"] = {}
        if self.input.enlarged:
            tables["input"]["enlarged"] = self.input.enlarged
        return {name: keys for name, keys in tables.items() if keys}


def read_ends(file: Path, name: str) -> Ends:
    """Return what `file`, which the card calls `name`, says of its ends."""
    from sr_bench.files.onnx_canonical import look_at
    from sr_bench.files.onnx_card import Declared

    try:
        network = look_at(file, Declared())
    except BackendError as error:
        return Ends(doubts=(str(error).replace(str(file), name),))
    reads, gives = network.reads, network.gives
    doubts = tuple(
        f"{name}: {image.end} has one channel; colour = 'y_full' is a guess; it is one"
        f" of {', '.join(LUMAS)}"
        for image in (reads, gives)
        if image.channels == 1
    )
    return Ends(_end(NetworkInput, reads), _end(NetworkOutput, gives), doubts[:1])


def _end(kind: type[End], image: "ImageEnd") -> End:
    colour: NetworkColour = "y_full" if image.channels == 1 else "rgb"
    if image.end.kind == "uint8":
        return kind(colour, (0.0, 255.0), dtype="uint8")
    return kind(colour)
