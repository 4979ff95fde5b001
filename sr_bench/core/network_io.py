"""What a network reads and gives: declared in its card, never assumed."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Literal, Self, get_args

from sr_bench.core.fields import Bounds
from sr_bench.core.int8 import ClipRange
from sr_bench.core.protocol import Resize

NetworkColour = Literal["rgb", "bgr", "y_float", "y_rounded", "y_full"]
"""Channels of a network: three, or luma alone. ``y_float`` is BT.601 luma of studio range (16-235)
as MATLAB's rgb2ycbcr makes it of doubles, ``y_rounded`` the same in whole levels, and ``y_full``
luma of full range (0-255) in whole levels, as OpenCV and Pillow make it."""
LUMAS = tuple(name for name in get_args(NetworkColour) if name.startswith("y_"))

_Positive = Annotated[float, Bounds(gt=0)]
_Side = Annotated[int, Bounds(ge=1)]


@dataclass(frozen=True)
class NetworkEnd:
    """The input or the output of a network. By default it is RGB from 0 to 1."""

    colour: NetworkColour = "rgb"
    """Order of the channels, or which luma: of studio range, as float or in levels, or of full."""
    range: tuple[float, float] = (0.0, 1.0)
    """The values of black and of white."""
    mean: tuple[float, ...] = ()
    """For each channel, what is subtracted from values in `range`; none: 0."""
    std: tuple[_Positive, ...] = ()
    """For each channel, what they are then divided by; none: 1."""
    layout: Literal["nchw", "nhwc"] | None = None
    """Order of the axes in an ONNX file; None: as the file says. Modules read and give NCHW."""
    dtype: Literal["float32", "float16", "uint8"] | None = None
    """Of the elements in an ONNX file; None: as the file says. Modules compute in float32."""
    name: str = ""
    """Which input or output of an ONNX file that has several; empty: it has one."""

    @property
    def channels(self) -> int:
        """1 of luma, else 3."""
        return 1 if self.colour in LUMAS else 3

    @property
    def span(self) -> float:
        """What lies between black and white."""
        return self.range[1] - self.range[0]

    @property
    def is_scaled_only(self) -> bool:
        """Whether black is 0, and white alone makes values from 8-bit levels."""
        return self.range[0] == 0.0 and not (self.mean or self.std)

    def is_bgr(self, channel_order: str) -> bool:
        """Tell whether blue comes first, where a script gives channels in `channel_order`."""
        return (self.colour == "bgr") != (channel_order == "bgr")

    def with_white(self, white: float | None) -> Self:
        """Return the same with values from 0 to `white`; unchanged for None."""
        return self if white is None else replace(self, range=(0.0, white))

    def choices(self) -> dict[str, object]:
        """Return what differs from RGB between 0 and a white level, by name: all for a digest."""
        plain = {field.name: field.default for field in fields(self)}
        if self.range[0] == 0.0:
            plain["range"] = self.range
        return {name: value for name, value in asdict(self).items() if value != plain[name]}


@dataclass(frozen=True)
class NetworkInput(NetworkEnd):
    """What a network reads."""

    multiple_of: _Side = 1
    """What height and width must be multiples of; images are padded at the bottom and right."""
    padding: Literal["reflect", "replicate"] = "reflect"
    """What is added then: the mirrored image, or its last row and column."""
    size: tuple[_Side, _Side] | None = None
    """The only (height, width) that it takes; None: any."""
    overlap: Annotated[int, Bounds(ge=0)] | None = None
    """Pixels by which neighbouring tiles of `size` overlap; None: images are not cut into tiles."""
    enlarged: Resize | None = None
    """Rule that brings LR to the size of HR before the network; None: it enlarges by itself."""

    @property
    def values(self) -> ClipRange:
        """What an input can hold: of all channels, and 0."""
        both = self.mean or (0.0,), self.std or (1.0,)
        count = max(map(len, both))
        means, stds = (side * count if len(side) == 1 else side for side in both)
        moments = zip(means, stds, strict=True)
        each = [(value - mean) / std for mean, std in moments for value in self.range]
        return ClipRange(min(0.0, *each), max(0.0, *each))

    @property
    def is_fitted(self) -> bool:
        """Whether images are padded or cut into tiles."""
        return self.multiple_of > 1 or self.size is not None


@dataclass(frozen=True)
class NetworkOutput(NetworkEnd):
    """What a network gives."""
