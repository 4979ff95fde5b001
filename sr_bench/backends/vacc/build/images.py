"""Calibration images for the card's compiler: in the network's size, as PNG files."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

FITTING = "cut in the middle, mirrored where too small"
"""How images come to have the network's size."""


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the middle of `image` in `size`, height and width; mirrored at its edges if smaller.

    Nothing is resampled: that would change the statistics that calibration is about.
    """
    missing = [max(0, want - have) for want, have in zip(size, image.shape, strict=False)]
    margins = [(gap // 2, gap - gap // 2) for gap in missing]
    filled = np.pad(image, [*margins, (0, 0)], mode="symmetric")
    top, left = ((have - want) // 2 for want, have in zip(size, filled.shape, strict=False))
    return filled[top : top + size[0], left : left + size[1]]


def png(image: NDArray[np.uint8]) -> bytes:
    """Return `image`, height x width x 3 in RGB, as a PNG file."""
    height, width, _ = image.shape
    # Each row begins with its filter: 0, none.
    rows = np.pad(image.reshape(height, width * 3), ((0, 0), (1, 0)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(_chunk(kind, data) for kind, data in content)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
