"""Images to network tensors and back: NCHW float32 between black and white."""

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import ImageError


def to_nchw(
    image: NDArray[np.uint8] | NDArray[np.floating], *, white: float, black: float = 0.0
) -> NDArray[np.float32]:
    """Return `image` as the input of a network, in which 0 becomes `black` and 255 `white`.

    From height x width x channels to 1 x channels x height x width, float32, C-contiguous.
    """
    planes: NDArray[np.float32] = image.transpose(2, 0, 1)[np.newaxis].astype(np.float32, order="C")
    if white - black != 255.0:
        # Division first: the scripts that are reproduced divide by 255.
        planes /= np.float32(255.0)
        planes *= np.float32(white - black)
    if black:
        planes += np.float32(black)
    return planes


def from_nchw(
    output: NDArray[np.floating], *, white: float, black: float = 0.0
) -> NDArray[np.float32]:
    """Return the image of a network's `output`, where `black` becomes 0 and `white` 255.

    From 1 x channels x height x width to height x width x channels, float32, unclipped.

    Raises:
        ImageError: `output` doesn't hold exactly one image, or holds NaN or infinity.
    """
    if output.ndim != 4 or output.shape[0] != 1 or not output.size:
        msg = f"expected an output of shape 1xCxHxW, got {output.shape}"
        raise ImageError(msg)
    wrong = output.size - np.count_nonzero(np.isfinite(output))
    if wrong:
        msg = (
            f"{wrong} of {output.size} output values are NaN or infinite; "
            "check the weights, the precision and the input range"
        )
        raise ImageError(msg)
    channels, height, width = output.shape[1:]
    image = np.empty((height, width, channels), np.float32)
    # Written plane by plane: copying the transposed view takes four times as long.
    planes = output[0].astype(np.float32, copy=False)
    if black:
        planes = planes - np.float32(black)
    np.multiply(planes, np.float32(255.0 / (white - black)), out=image.transpose(2, 0, 1))
    return image
