"""Images to what a network reads, and what it gives to images: by its card and the protocol."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.network_io import NetworkColour, NetworkEnd, NetworkInput, NetworkOutput
from sr_bench.core.protocol import Colour, EvalProtocol
from sr_bench.errors import ImageError
from sr_bench.imaging.colour import BLACK, COLOURS, STUDIO_PER_LEVEL, with_luma
from sr_bench.imaging.layout import from_nchw, to_nchw
from sr_bench.imaging.resize import resize, resize_floats

Image: TypeAlias = NDArray[np.uint8]
"""Height x width x 3, RGB, 0-255."""

Levels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]
"""Height x width x channels on the 0-255 scale."""

Planes: TypeAlias = NDArray[np.float32]
"""1 x channels x height x width."""

_STUDIO = ("y_float", "y_rounded", "y_truncated", "y_edsr", "y_fsrcnn")
_FULL = ("y_full", "y_full_float", "gray", "y_pil")
_WHOLE: Mapping[str, Callable[[Levels], Levels]] = {"y_rounded": np.rint, "y_truncated": np.floor}
"""Colours that are whole levels, whatever the protocol's rounding."""


Read: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
"""An image on the 0-255 scale, of whole levels or not."""


def network_input(
    lr: Image, protocol: EvalProtocol, given: NetworkInput, enlargement: int
) -> Planes:
    """Return `lr` as the network's input, 1 x channels x height x width.

    Args:
        lr: Height x width x 3, RGB.
        protocol: Its `channel_order` and `input_range` count here.
        given: What the network reads, by its card.
        enlargement: Factor by which its `enlarged` enlarges `lr`.
    """
    image = _enlarged(_in_network_colour(lr, protocol, given), given, enlargement)
    black, white = given.with_white(protocol.input_range).range
    planes = to_nchw(image, white=white, black=black)
    if given.mean or given.std:
        mean, std = _moments(given)
        planes = (planes - mean) / std
    return planes


def read_output(
    output: Planes, lr: Image, protocol: EvalProtocol, gives: NetworkOutput
) -> "Read | LumaOutput":
    """Return a network's output as an image on the 0-255 scale.

    Args:
        output: 1 x channels x height x width.
        lr: What the network was given, as RGB; its chroma is that of networks that give luma.
        protocol: Its `channel_order`, `output_range`, `clip` and `rounding` count here.
        gives: What the network gives, by its card.

    Returns:
        RGB, height x width x 3: uint8 if the protocol rounds (halves to even) or truncates, else
        float32. Of a network that gives luma, what gives it in any colour.

    Raises:
        ImageError: The shape isn't that of one image, or a value is NaN or infinite.
    """
    black, white = gives.with_white(protocol.output_range).range
    image = from_nchw(between_ends(output, gives), white=white, black=black)
    if image.shape[2] != gives.channels:
        msg = (
            f"expected an output with {gives.channels} channels, got {image.shape[2]}: say what the"
            " network gives in the card, colour under [model.output]"
        )
        raise ImageError(msg)
    if gives.channels == 1:
        return LumaOutput(image, gives.colour, lr, protocol)
    return _finished(image[..., ::-1] if gives.is_bgr(protocol.channel_order) else image, protocol)


def between_ends(output: Planes, gives: NetworkOutput) -> Planes:
    """Return a network's output, N x C x H x W, with values between those of black and white."""
    if not (gives.mean or gives.std):
        return output
    mean, std = _moments(gives)
    return output * std + mean


def output_levels(output: Planes, protocol: EvalProtocol, gives: NetworkOutput) -> Planes:
    """Return a network's output on the 0-255 scale, neither clipped nor rounded."""
    black, white = gives.with_white(protocol.output_range).range
    return (between_ends(output, gives) - np.float32(black)) * np.float32(255 / (white - black))


@dataclass(frozen=True)
class LumaOutput:
    """The luma that a network gave, and the image whose chroma goes with it."""

    levels: NDArray[np.float32]
    """Height x width x 1 on the 0-255 scale, neither clipped nor rounded."""
    kind: NetworkColour
    lr: Image
    protocol: EvalProtocol

    @property
    def shape(self) -> tuple[int, int, int]:
        """That of the RGB image."""
        height, width, _ = self.levels.shape
        return height, width, 3

    @cached_property
    def rgb(self) -> Read:
        """The image with the chroma of LR, enlarged by MATLAB's bicubic rule."""
        size = (self.shape[0], self.shape[1])
        enlarged = resize_floats(self.lr.astype(np.float64), size, "matlab_bicubic")
        image = with_luma(enlarged, self._studio)
        return _finished(image.astype(np.float32), self.protocol)

    def in_colour(self, colour: Colour) -> Levels:
        """Return what is compared in `colour`; luma is the network's own, not that of `rgb`."""
        if colour not in (*_STUDIO, *_FULL):
            return COLOURS[colour](self.rgb)
        luma = self._studio
        if colour in _FULL:
            luma = (luma - BLACK) / STUDIO_PER_LEVEL
        finished = _finished(luma.astype(np.float32), self.protocol)
        whole = _WHOLE.get(colour)
        return whole(finished).clip(0, 255).astype(np.uint8) if whole else finished

    @property
    def _studio(self) -> Levels:
        """The luma in studio range, within what the network's own black and white are there."""
        if self.kind != "y_full":
            return self.levels
        luma = self.levels.clip(0, 255) if self.protocol.clip else self.levels
        return luma * np.float32(STUDIO_PER_LEVEL) + np.float32(BLACK)


def _in_network_colour(lr: Image, protocol: EvalProtocol, given: NetworkEnd) -> Levels:
    if given.colour == "rgb" or given.colour == "bgr":
        return lr[..., ::-1] if given.is_bgr(protocol.channel_order) else lr
    return COLOURS[given.colour](lr)


def _enlarged(image: Levels, given: NetworkInput, factor: int) -> Levels:
    if given.enlarged is None:
        return image
    size = (image.shape[0] * factor, image.shape[1] * factor)
    if image.dtype != np.uint8:
        return resize_floats(image.astype(np.float64), size, given.enlarged)
    rgb = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.uint8)
    return resize(rgb, size, given.enlarged)[..., : image.shape[2]]


def _moments(end: NetworkEnd) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and deviation of each channel, 1 x channels x 1 x 1."""
    both = (end.mean or (0.0,)), (end.std or (1.0,))
    mean, std = (np.array(values, np.float32).reshape(1, -1, 1, 1) for values in both)
    return mean, std


def _finished(image: NDArray[np.float32], protocol: EvalProtocol) -> Read:
    """Return `image`, which it may write to, as `protocol` clips, rounds or truncates it."""
    if protocol.clip or protocol.rounding != "none":  # 8-bit levels have no outside
        np.clip(image, 0.0, 255.0, out=image)
    if protocol.rounding == "none":
        return np.ascontiguousarray(image)
    levels = np.rint(image, out=image) if protocol.rounding == "round" else image
    return np.ascontiguousarray(levels.astype(np.uint8))  # which cuts off fractions
