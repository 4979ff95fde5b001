"""What the commands about the VACC card share: a network, its precision and its shape."""

import argparse
import re
from typing import TYPE_CHECKING

from sr_bench.cli._args.networks import add_network_arguments, prepare_network, read_precision
from sr_bench.errors import OptionError

if TYPE_CHECKING:  # these load much, which --help must not wait for
    from sr_bench.core.card import ModelCard
    from sr_bench.core.device import Shape, Source

_SIZE = re.compile(r"([1-9]\d*)x([1-9]\d*)")


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name what is compiled."""
    add_network_arguments(parser, precision=None)
    parser.add_argument(
        "--shape",
        metavar="HxW",
        help="of the input (default: the card's vacc.shape, its protocol's, or that of its Flops)",
    )


def read_source(args: argparse.Namespace) -> "tuple[Source, Shape]":
    """Return what the compiler is given for the network, and the shape of its input.

    Raises:
        OptionError: There is no such network or precision, or the shape is none.
        NotRunError: The weights or the calibration images are not here.
    """
    from dataclasses import replace

    from sr_bench.core.backend import Form

    precision = read_precision(args)
    prepared = replace(prepare_network(args, precision), form=Form.SOURCE)
    height, width = _size(args.shape, prepared.card)
    return prepared.source(), (1, 3, height, width)


def _size(given: str | None, card: "ModelCard") -> tuple[int, int]:
    if given is None:
        _, *counted = card.counted_shape
        height, width = card.device.shape or card.usual_protocol.input_shape or counted
        return height, width
    found = _SIZE.fullmatch(given)
    if found is None:
        msg = f"--shape {given}: expected height x width, such as 720x1280"
        raise OptionError(msg)
    return int(found[1]), int(found[2])
