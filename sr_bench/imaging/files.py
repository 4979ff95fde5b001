"""Image files to 8-bit RGB arrays and back, with every odd file refused by name."""

from io import BufferedReader, BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sr_bench.errors import ImageError
from sr_bench.files.atomic import write_bytes
from sr_bench.imaging import tiff
from sr_bench.imaging.bombs import bomb, without_extras

MAX_PIXELS = 80_000_000
"""Largest image that is decoded (8K output is 33 million); a header that says more is refused."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
"""Formats that are decoded without a choice that could move a number."""

RGB = NDArray[np.uint8]
"""Height x width x 3, 0-255."""

_BIT_DEPTH_AT = 24  # in the header of a PNG


def read_image(path: Path) -> RGB:
    """Decode `path` to RGB as it is stored: no rotation by EXIF, no colour management.

    A gray image is repeated to three channels; an alpha channel that is opaque everywhere is
    dropped. Decoding releases the GIL.

    Raises:
        ImageError: The file is absent, empty, truncated, not one of `FORMATS`, has more than
            `MAX_PIXELS`, more than 8 bits per channel, CMYK colours or visible transparency.
    """
    data = _read_bytes(path)
    _check_header(data, path)
    if data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        # libjpeg fills what is missing with gray and reports success.
        raise _corrupt(path, "the JPEG data has no end")
    return _to_rgb(_decode(data, path), path)


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) from the header of `path`, without decoding the pixels.

    Raises:
        ImageError: The file is absent or empty, or its header is not that of an image.
    """
    try:
        with path.open("rb") as stream, _open(stream, path) as image:
            return image.height, image.width
    except OSError as error:
        raise _unreadable(path, error) from error


def write_png(path: Path, rgb: RGB) -> None:
    """Write `rgb` (height x width x 3, uint8) to `path` whole or not at all.

    Raises:
        ImageError: `rgb` is not such an array.
        SrBenchError: The folder can't be written.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        msg = f"{path}: expected a non-empty uint8 HxWx3 image, got {rgb.dtype} {rgb.shape}"
        raise ImageError(msg)
    _, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    write_bytes(path, data.tobytes())


def write_levels(path: Path, levels: RGB | NDArray[np.float32]) -> None:
    """Write `levels` whole or not at all: uint8 as it is, float32 with 16 bits per channel.

    Args:
        path: A PNG file.
        levels: Height x width x 3, 0-255; floats are stored in steps of 1/257 of a level.

    Raises:
        SrBenchError: The folder can't be written.
    """
    if levels.dtype == np.uint8:
        write_png(path, levels.astype(np.uint8, copy=False))
        return
    # 65535 / 255: whole levels stay whole, and come back exactly.
    deep = np.rint(levels * 257.0).astype(np.uint16)
    _, data = cv2.imencode(".png", cv2.cvtColor(deep, cv2.COLOR_RGB2BGR))
    write_bytes(path, data.tobytes())


def read_levels(path: Path) -> RGB | NDArray[np.float32]:
    """Return RGB on the 0-255 scale: uint8, or float32 if the PNG has 16 bits per channel.

    Raises:
        ImageError: As `read_image`, but for the number of bits.
    """
    data = _read_bytes(path)
    is_png = data.startswith(b"\x89PNG\r\n\x1a\n")
    if not is_png or data[_BIT_DEPTH_AT : _BIT_DEPTH_AT + 1] != b"\x10":  # 16
        return read_image(path)
    _check_header(data, path)
    pixels = _decode(data, path)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        msg = f"{path}: expected RGB with 16 bits per channel, got an array {pixels.shape}"
        raise ImageError(msg)
    levels: NDArray[np.float32] = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.float32)
    return levels / np.float32(257.0)


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not data:
        raise _corrupt(path, "the file is empty")
    return data


def _decode(data: bytes, path: Path) -> cv2.typing.MatLike:
    """Return gray, BGR or BGRA of any depth."""
    if data.startswith(tiff.STARTS):
        return tiff.decode_tiff(data, path)
    try:
        # Other flags rotate by EXIF, or reduce what has more than 8 bits or three channels.
        encoded = np.frombuffer(without_extras(data), np.uint8)
        pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _corrupt(path, error.err) from error
    if pixels is None:
        raise _corrupt(path, "the pixels can't be decoded")
    return pixels


def _check_header(data: bytes, path: Path) -> None:
    """Refuse, before decoding, an image that must not or can't be decoded as it is."""
    if why := bomb(data):
        msg = f"{path}: made to take long to decode ({why}); decode it elsewhere and save it again"
        raise ImageError(msg)
    # Pillow reads size and mode from the header alone; OpenCV would have to decode.
    with _open(BytesIO(data), path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(path)
        if image.mode == "CMYK":
            msg = f"{path}: expected RGB or gray colours, got CMYK; convert the file to RGB"
            raise ImageError(msg)
        if image.mode in {"1", "L"} and "transparency" in image.info:
            # OpenCV silently drops this kind; for all others it gives an alpha channel.
            raise _transparent(path)


def _open(stream: BytesIO | BufferedReader, path: Path) -> Image.Image:
    try:
        return Image.open(stream, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path) from error
    # Where warnings are errors, Pillow's are about what is odd in a file.
    except (OSError, ValueError, Warning) as error:
        msg = (
            f"{path}: expected a {', '.join(FORMATS)} image, got something else or a file "
            "without its header; convert it, or remove it from the folder"
        )
        raise ImageError(msg) from error


def _to_rgb(pixels: NDArray[np.generic], path: Path) -> RGB:
    """Turn what OpenCV decoded (gray, BGR or BGRA of any depth) into 8-bit RGB."""
    if pixels.dtype != np.uint8:
        bits = 8 * pixels.dtype.itemsize
        msg = f"{path}: expected 8 bits per channel, got {bits}; convert the file to 8-bit PNG"
        raise ImageError(msg)
    levels = pixels.astype(np.uint8, copy=False)
    if levels.ndim == 2:
        return cv2.cvtColor(levels, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    if levels.shape[2] == 4 and levels[..., 3].min() < 255:
        raise _transparent(path)
    code = cv2.COLOR_BGRA2RGB if levels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(levels, code).astype(np.uint8, copy=False)


def _unreadable(path: Path, error: OSError) -> ImageError:
    return ImageError(f"{path}: can't read the file ({error.strerror}); check the path")


def _corrupt(path: Path, why: str) -> ImageError:
    return ImageError(f"{path}: truncated or corrupt ({why}); copy or download the file again")


def _transparent(path: Path) -> ImageError:
    return ImageError(
        f"{path}: expected opaque pixels, got transparent ones, whose colour is undefined; "
        "flatten the image on a background"
    )


def _too_large(path: Path) -> ImageError:
    return ImageError(
        f"{path}: the header declares more than {MAX_PIXELS:,} pixels; split the image"
    )
