"""Networks of a white level: what they read and give."""

from pathlib import Path

import numpy as np

from sr_bench.core.card import ModelCard
from sr_bench.core.network_io import NetworkEnd, NetworkInput, NetworkOutput
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.score.network_io import read_output

_NO_LR = np.empty((0, 0, 3), np.uint8)  # only luma needs one


def ends(white: float) -> dict[str, NetworkEnd]:
    """Return the arguments of a `ModelCard` whose network reads and gives RGB from 0 to `white`."""
    values = (0.0, white)
    return {"input": NetworkInput(range=values), "output": NetworkOutput(range=values)}


CARD = ModelCard("m", "zoo", Path("/z/zoo"), "M", "", 2, "edsr", **ends(255.0))
"""Of a network of white level 255, x2, whose folder does not exist."""


def read(output: np.ndarray, protocol: EvalProtocol, white: float) -> np.ndarray:
    """Return what such a network gave, by `protocol`."""
    return read_output(output, _NO_LR, protocol, ends(white)["output"])
