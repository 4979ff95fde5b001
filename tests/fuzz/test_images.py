"""Image files that are broken or made to harm: an RGB array or our error, in bounded memory."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sr_bench.errors import ImageError
from sr_bench.imaging.files import image_size, read_image, read_levels
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed

RNG = np.random.default_rng(7)
PIXELS = RNG.integers(0, 256, (13, 17, 4), dtype=np.uint8)


def encoded(form: str, mode: str, **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, form, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of `chunks`, whose lengths and checksums are right."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def header(width: int, height: int, bits: int, colour: int, interlace: int) -> tuple[bytes, bytes]:
    size = struct.pack(">II", width % 2**32, height % 2**32)
    return b"IHDR", size + bytes((bits, colour, 0, 0, interlace))


DEEP = cv2.imencode(".png", PIXELS[..., :3].astype(np.uint16) * 257)[1].tobytes()
FILES = (
    *(encoded("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1")),
    DEEP,
    encoded("JPEG", "RGB"),
    encoded("JPEG", "L", progressive=True),
    encoded("BMP", "RGB"),
    encoded("BMP", "P"),
)


def read_all(path: Path) -> None:
    """Read `path` in each way; any error but ours, and any other array than RGB, fails."""
    for read, kinds in ((read_image, "u1"), (read_levels, "u1 f4")):
        with suppress(ImageError):
            pixels = read(path)
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
            assert pixels.dtype.str[1:] in kinds
    with suppress(ImageError):
        assert min(image_size(path)) >= 0


@fuzzed
@given(data=broken(*FILES))
def test_a_broken_image_is_read_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    read_all(fresh(tmp_path, "a.png", data))


SIDES = st.sampled_from((0, 1, 2, 17, 60_000, 2**31 - 1, 2**31, 2**32 - 1))
ODD = st.binary(max_size=64)
CHUNKS = st.tuples(
    st.sampled_from((b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"eXIf", b"acTL", b"fcTL", b"fdAT"))
    | st.sampled_from((b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"IDAT", b"IHDR", b"cHRM", b"bKGD")),
    ODD | ODD.map(zlib.compress) | ODD.map(lambda data: b"name\0\0" + zlib.compress(data * 1000)),
)


@fuzzed
@given(
    width=SIDES,
    height=SIDES,
    bits=st.sampled_from((0, 1, 2, 4, 8, 16, 255)),
    colour=st.sampled_from((0, 2, 3, 4, 6, 1, 255)),
    interlace=st.integers(0, 2),
    extra=st.lists(CHUNKS, max_size=4),
    pixels=ODD | st.just(bytes(4000)),
)
def test_a_png_of_any_chunks_is_read_or_is_our_error(
    width: int,
    height: int,
    bits: int,
    colour: int,
    interlace: int,
    extra: list[tuple[bytes, bytes]],
    pixels: bytes,
    tmp_path: Path,
) -> None:
    first = header(width, height, bits, colour, interlace)
    data = png(first, *extra, (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    read_all(fresh(tmp_path, "a.png", data))
