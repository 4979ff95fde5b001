"""The card of an ONNX file that no card names: what it reads and gives is found out from it."""

import argparse
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from sr_bench.core.network_io import LUMAS, NetworkColour, NetworkInput, NetworkOutput
from sr_bench.errors import BackendError, OptionError

if TYPE_CHECKING:  # onnx loads only when a file is opened
    from sr_bench.core.card import ModelCard
    from sr_bench.files.onnx_ends import ImageEnd, ImageNetwork


_OVERLAP = 16  # pixels, of tiles


def add_file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a file does not tell by itself."""
    parser.add_argument("--scale", type=int, default=2, help="of an ONNX file (default: 2)")
    parser.add_argument(
        "--white", type=float, help="white level of an ONNX file (default: 255 of uint8, else 1)"
    )
    parser.add_argument(
        "--colour",
        choices=get_args(NetworkColour),
        help="of an ONNX file (default: rgb; of one channel it must be said)",
    )
    parser.add_argument(
        "--plan",
        type=Path,
        metavar="FILE",
        help="int8 plan of an ONNX file: what sr-bench plan wrote",
    )


def card_of_file(args: argparse.Namespace) -> "ModelCard":
    """Return a card of the ONNX file that is `args.model`, in no suite.

    Raises:
        OptionError: There is no such file, or it does not tell which luma it takes.
        BackendError: It can't be read, or is not from one image to another.
    """
    from sr_bench.files.onnx_canonical import look_at
    from sr_bench.files.onnx_card import Declared

    network = look_at(_file(args), Declared())
    colours = {image.channels for image in (network.reads, network.gives)}
    if args.colour in LUMAS and 1 not in colours:
        msg = f"--colour {args.colour}: the network reads {network.reads.end}"
        raise OptionError(msg)
    reads, gives = (
        (_colour(image, args.colour), (0.0, _white(image, args.white)))
        for image in (network.reads, network.gives)
    )
    given = NetworkInput(*reads, size=network.size, overlap=_overlap(network.size))
    card = _card(args, given, NetworkOutput(*gives), network)
    if args.plan is None:
        return card
    from sr_bench.cards.load import load_int8_plan

    return replace(card, int8=load_int8_plan(args.plan))


def countable_file(args: argparse.Namespace) -> "ModelCard":
    """Return a card to count the file by: any luma will do, and its ends need be no images.

    Raises:
        OptionError: There is no such file.
    """
    from sr_bench.files.onnx_canonical import look_at
    from sr_bench.files.onnx_card import Declared

    path = _file(args)
    args = argparse.Namespace(model=args.model, scale=1, white=None, colour=None, plan=None)
    try:
        network = look_at(path, Declared())
    except BackendError:
        return _card(args, NetworkInput(), NetworkOutput(), None)
    args.colour = LUMAS[0] if 1 in (network.reads.channels, network.gives.channels) else None
    return card_of_file(args)


def _file(args: argparse.Namespace) -> Path:
    path = Path(args.model)
    if not path.is_file():
        msg = f"{path}: expected an ONNX file, got none there"
        raise OptionError(msg)
    return path.resolve()


def _colour(image: "ImageEnd", asked: NetworkColour | None) -> NetworkColour:
    if image.channels == 3:
        return "bgr" if asked == "bgr" else "rgb"
    if asked is not None and asked in LUMAS:
        return asked
    msg = f"{image.end} has one channel: say which luma with --colour {', '.join(LUMAS)}"
    raise OptionError(msg)


def _overlap(size: tuple[int, int] | None) -> int | None:
    """Return by how much the tiles overlap of a network that takes one size; None: it takes any."""
    return min(_OVERLAP, (min(size) - 1) // 2) if size else None


def _white(image: "ImageEnd", asked: float | None) -> float:
    return asked or (255.0 if image.end.kind == "uint8" else 1.0)


def with_multiple(card: "ModelCard") -> "ModelCard":
    """Return `card`, of a file, with the number whose multiples are the sizes that this runs on.

    Raises:
        OptionError: The file enlarges by another factor than its scale.
    """
    import numpy as np

    from sr_bench.files.onnx_image import needed_multiple
    from sr_bench.files.onnx_open import open_on_cpu

    if card.onnx is None:
        return card
    number = 1
    made: set[int] = set()
    with suppress(Exception):  # a file that can't be opened is told when it is run
        session = open_on_cpu(card.onnx)
        (end,) = session.get_inputs()

        def run(height: int, width: int) -> None:
            image = np.zeros((1, card.input.channels, height, width), np.float32)
            made.add(session.run(None, {end.name: image})[0].shape[-2] // height)

        if card.input.size:
            run(*card.input.size)
        else:
            number = needed_multiple(run)
    if (scale := max(made, default=1)) > 1 and scale != card.scale:
        msg = f"--scale {card.scale}: {card.onnx} enlarges by {scale}; say --scale {scale}"
        raise OptionError(msg)
    return replace(card, input=replace(card.input, multiple_of=max(number, 1)))


def _card(
    args: argparse.Namespace,
    reads: NetworkInput,
    gives: NetworkOutput,
    network: "ImageNetwork | None",
) -> "ModelCard":
    """Return a card whose other keys have their defaults."""
    from sr_bench.core.card import ModelCard

    path = Path(args.model)
    height, width = (network and network.size) or (256, 256)
    return ModelCard(
        name=path.stem,
        family="file",
        folder=path.resolve().parent,
        row="",
        row_source="",
        architecture="",
        scale=args.scale,
        input=reads,
        output=gives,
        onnx=path.resolve(),
        counted_shape=(reads.channels, height, width),
    )
