"""Every odd image file has a defined outcome."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sr_bench.errors import ImageError, SrBenchError
from sr_bench.imaging import files
from sr_bench.imaging.files import (
    image_size,
    read_image,
    read_levels,
    write_levels,
    write_png,
)

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def save(path: Path, image: np.ndarray | Image.Image, **options: object) -> Path:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(path, **options)
    return path


def encoded(image: np.ndarray, form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, form)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "图片 é.png"])
def test_a_lossless_file_reads_as_the_rgb_that_was_saved(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, RGB)
    assert_array_equal(read_image(path), RGB)
    assert image_size(path) == (20, 30)


def test_a_jpeg_reads_as_pillow_decodes_it(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", cv2.GaussianBlur(RGB, (0, 0), 3), quality=95)
    expected = np.asarray(Image.open(path)).astype(int)
    assert np.abs(read_image(path) - expected).max() <= 1
    assert image_size(path) == (20, 30)


def test_the_name_decides_nothing_and_the_content_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(RGB, "PNG"))
    assert_array_equal(read_image(path), RGB)


def test_a_gray_image_is_repeated_to_three_channels(tmp_path: Path) -> None:
    gray = read_image(save(tmp_path / "gray.png", RGB[..., 0]))
    assert_array_equal(gray, RGB[..., :1].repeat(3, axis=2))


def test_a_one_bit_image_becomes_black_and_white(tmp_path: Path) -> None:
    bits = RGB[..., 0] > 127
    image = read_image(save(tmp_path / "bits.png", Image.fromarray(bits)))
    assert_array_equal(image[..., 1], bits * np.uint8(255))


def test_a_palette_image_reads_as_its_colours(tmp_path: Path) -> None:
    palette = Image.fromarray(RGB).quantize(16)
    image = read_image(save(tmp_path / "palette.png", palette))
    assert_array_equal(image, np.asarray(palette.convert("RGB")))


def test_an_opaque_alpha_channel_is_dropped(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(RGB).convert("RGBA"))
    assert_array_equal(read_image(path), RGB)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "gray level"])
def test_visible_transparency_is_refused(tmp_path: Path, kind: str) -> None:
    picture, options = Image.fromarray(RGB), {}
    if kind in {"RGBA", "LA"}:
        picture = picture.convert(kind)
        picture.putpixel((3, 4), (0,) * (len(kind) - 1) + (254,))
    else:
        picture = picture.quantize(16) if kind == "palette" else picture.convert("L")
        options = {"transparency": 3}
    with pytest.raises(ImageError, match=r"a\.png: expected opaque pixels, .* flatten"):
        read_image(save(tmp_path / "a.png", picture, **options))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_16_bit_png_is_refused_with_what_to_do(tmp_path: Path, channels: int) -> None:
    deep = RGB[..., :channels].astype(np.uint16) * 257
    (tmp_path / "deep.png").write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    with pytest.raises(ImageError, match=r"deep\.png: expected 8 bits .*got 16; convert"):
        read_image(tmp_path / "deep.png")


def test_a_cmyk_jpeg_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "print.jpg", Image.fromarray(RGB).convert("CMYK"))
    with pytest.raises(ImageError, match=r"print\.jpg: expected RGB or gray .*CMYK"):
        read_image(path)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, form: str, kept: float) -> None:
    data = encoded(np.tile(RGB, (9, 9, 1)), form)
    (tmp_path / "cut.img").write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ImageError, match=r"cut\.img: truncated or corrupt"):
        read_image(tmp_path / "cut.img")


def test_a_png_with_one_flipped_byte_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded(RGB, "PNG"))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "flip.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"flip\.png: truncated or corrupt"):
        read_image(tmp_path / "flip.png")


@pytest.mark.parametrize("content", [b"a text, not an image", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_not_an_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.png").write_bytes(content)
    for read in (read_image, image_size):
        with pytest.raises(ImageError, match=r"odd\.png: expected a PNG, JPEG, BMP, TIFF image"):
            read(tmp_path / "odd.png")


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png: .*the file is empty"):
        read_image(tmp_path / "empty.png")


@pytest.mark.parametrize("read", [read_image, image_size])
def test_an_absent_file_and_a_folder_are_refused_by_name(tmp_path: Path, read) -> None:
    for path in (tmp_path / "absent.png", tmp_path):
        with pytest.raises(ImageError, match="can't read the file"):
            read(path)


def test_a_header_that_declares_too_many_pixels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "big.png", RGB)
    monkeypatch.setattr(files, "MAX_PIXELS", 599)
    with pytest.raises(ImageError, match=r"big\.png: the header declares more than 599 pixels"):
        read_image(path)


def test_a_decompression_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    data = bytearray(encoded(RGB, "BMP"))
    data[18:26] = (60_000).to_bytes(4, "little") * 2
    (tmp_path / "bomb.bmp").write_bytes(data)
    with pytest.raises(ImageError, match=r"bomb\.bmp: the header declares more than 80,000,000"):
        read_image(tmp_path / "bomb.bmp")


def test_a_written_png_reads_back_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "图.png"
    write_png(path, RGB)
    write_png(path, RGB[::-1].copy())
    assert_array_equal(read_image(path), RGB[::-1])
    assert [file.name for file in path.parent.iterdir()] == ["图.png"]


def test_writing_refuses_floats_and_keeps_the_old_file(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", RGB)
    with pytest.raises(ImageError, match=r"expected a non-empty uint8 HxWx3 image, got float64"):
        write_png(tmp_path / "a.png", RGB / 255.0)
    assert_array_equal(read_image(tmp_path / "a.png"), RGB)


def test_writing_where_a_file_blocks_the_folder_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SrBenchError, match=r"cannot write .*a\.png"):
        write_png(tmp_path / "file" / "a.png", RGB)


def test_levels_of_16_bits_read_back_as_floats(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).uniform(0, 255, (5, 4, 3)).astype(np.float32)
    levels[0, 0] = (0, 255, 100)
    write_levels(tmp_path / "a.png", levels)
    read_back = read_levels(tmp_path / "a.png")
    assert read_back.dtype == np.float32
    np.testing.assert_allclose(read_back, levels, atol=0.5 / 257 + 1e-4)
    assert read_back[0, 0].tolist() == [0, 255, 100]


def test_levels_of_8_bits_read_back_as_they_are(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)
    write_levels(tmp_path / "a.png", levels)
    read_back = read_levels(tmp_path / "a.png")
    assert read_back.dtype == np.uint8
    assert (read_back == levels).all()


def test_levels_of_a_cut_or_gray_file_are_refused(tmp_path: Path) -> None:
    write_levels(tmp_path / "a.png", np.full((9, 9, 3), 1.5, np.float32))
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:-30])
    with pytest.raises(ImageError, match=r"a\.png: truncated or corrupt"):
        read_levels(tmp_path / "a.png")
    cv2.imwrite(str(tmp_path / "b.png"), np.full((9, 9), 300, np.uint16))
    with pytest.raises(ImageError, match=r"b\.png: expected RGB with 16 bits"):
        read_levels(tmp_path / "b.png")
