"""The floor: what plain bicubic enlargement scores, by the same protocol on the same images.

A network that keeps the size has its own input for a floor.
"""

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.protocol import EvalProtocol
from sr_bench.imaging.layout import from_nchw, to_nchw
from sr_bench.imaging.resize import resize


class Bicubic:
    """Enlarges like MATLAB's imresize, with a network's interface.

    Args:
        protocol: Its `input_range` and `output_range` count here.
        white: White level of the images, used where the protocol declares none.
        scale: Upscaling factor; 1 leaves images as they are.
    """

    def __init__(self, protocol: EvalProtocol, white: float, scale: int) -> None:
        self._input = protocol.input_range or white
        self._output = protocol.output_range or white
        self._scale = scale

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `lr` (float32, 1 x 3 x height x width) enlarged, in levels of 8 bits."""
        # The 8-bit levels that it was made from.
        levels = np.rint(from_nchw(lr, white=self._input)).astype(np.uint8)
        size = (levels.shape[0] * self._scale, levels.shape[1] * self._scale)
        return to_nchw(resize(levels, size, "matlab_bicubic"), white=self._output)
