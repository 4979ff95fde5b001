"""Compare what an ONNX file says of its images with what its card does."""

from dataclasses import dataclass, field

from sr_bench.core.network_io import LUMAS, NetworkEnd, NetworkInput, NetworkOutput
from sr_bench.errors import BackendError
from sr_bench.files.onnx_ends import VERBS, ImageEnd, ImageNetwork
from sr_bench.text.printable import either


@dataclass(frozen=True)
class Declared:
    """What a card says of a file."""

    reads: NetworkInput = field(default_factory=NetworkInput)
    gives: NetworkOutput = field(default_factory=NetworkOutput)
    is_low: bool = False
    """Whether it is one of several files of a network, of a low precision: where the levels of
    uint8 stand for the range of the card, which is that of the float32 file."""


def check_card(network: ImageNetwork, card: Declared) -> None:
    """Refuse what contradicts the file of `network`, and what must be said of it and is not.

    Raises:
        BackendError: The card must change; the message names the key to set.
    """
    for key, image, said in (
        ("input", network.reads, card.reads),
        ("output", network.gives, card.gives),
    ):
        if fault := _fault(image, said, key) or _range_fault(image, said, key, card.is_low):
            raise BackendError(fault)
    size = card.reads.size
    if size and network.size not in (None, size):
        msg = f"the card says size = {list(size)} under [model.input], but {_told(network.reads)}"
        raise BackendError(msg)


def _told(image: ImageEnd, key: str = "input") -> str:
    return f"the network {VERBS[key]} {image.end}"


def _fault(image: ImageEnd, said: NetworkEnd, key: str) -> str:
    file, table = _told(image, key), f"under [model.{key}]"
    if said.dtype not in (None, image.end.dtype):
        return f"the card says dtype = {said.dtype!r} {table}, but {file}"
    if image.channels == 1 != said.channels:
        return f"{file}, one channel: say which luma that is, colour = {either(LUMAS)} {table}"
    if image.channels != said.channels:
        return f"the card says colour = {said.colour!r} {table}, but {file}, three channels"
    return ""


def _range_fault(image: ImageEnd, said: NetworkEnd, key: str, is_low: bool) -> str:
    fits = (is_low or said.range == (0.0, 255.0)) and not (said.mean or said.std)
    if image.end.kind != "uint8" or fits:
        return ""
    needed = f"say range = [0, 255] without mean and std under [model.{key}]"
    return f"{_told(image, key)}, whole levels: {needed}"
