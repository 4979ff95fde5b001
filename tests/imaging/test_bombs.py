"""Images that would keep a decoder busy are refused before they are decoded."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sr_bench.errors import ImageError
from sr_bench.imaging.bombs import bomb
from sr_bench.imaging.files import read_image


def png(pixels: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG that says it is 16 x 16 gray, with `pixels` zeros packed in it."""
    size = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    packed = zlib.compress(bytes(pixels))
    parts = ((b"IHDR", size), *chunks, (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def scans(count: int) -> bytes:
    stream = BytesIO()
    Image.new("L", (16, 16)).save(stream, "JPEG")
    data = stream.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * (count - 1) + data[-2:]


@pytest.mark.parametrize(
    "data",
    [png(16 * 17), png(16 * 17, *[(b"tEXt", b"a\0b")] * 998), scans(1), scans(100), b"", b"BM"],
)
def test_what_images_have_is_not_a_bomb(data: bytes) -> None:
    assert bomb(data) == ""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (png(16 << 20), r"\d{5} bytes of packed pixels, 6160 are plausible"),
        (png(16 * 17, *[(b"tEXt", b"a\0b")] * 999), "more than 1000 chunks besides the pixels"),
        (scans(101), "101 scans, at most 100 are decoded"),
    ],
)
def test_a_bomb_is_refused_by_name(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match=rf"a\.png: made to take long to decode \({why}\)"):
        read_image(tmp_path / "a.png")


def test_a_decoder_prints_nothing_of_what_is_odd_beside_the_pixels(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profile = (b"iCCP", b"ICC Profile\0\0" + zlib.compress(bytes(200)))
    for name, chunks in {"plain": [], "odd": [profile]}.items():
        (tmp_path / name).write_bytes(png(16 * 17, *chunks))
    assert (read_image(tmp_path / "odd") == read_image(tmp_path / "plain")).all()
    assert capfd.readouterr().err == ""


def test_photographs_of_all_qualities_are_not_bombs() -> None:
    noise = Image.effect_noise((64, 48), 90)
    for form, options in (("PNG", {"compress_level": 0}), ("JPEG", {"quality": 100})):
        stream = BytesIO()
        noise.save(stream, form, **options)
        assert bomb(stream.getvalue()) == ""


def test_what_pillow_warns_of_is_our_error_where_warnings_are_errors(tmp_path: Path) -> None:
    counts = [(b"acTL", struct.pack(">II", frames, 0)) for frames in (1, 0)]
    (tmp_path / "a.png").write_bytes(png(16 * 17, *counts))
    with pytest.raises(ImageError, match=r"a\.png: expected a PNG, JPEG, BMP, TIFF image"):
        read_image(tmp_path / "a.png")
