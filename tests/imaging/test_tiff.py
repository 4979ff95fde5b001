"""A plain TIFF reads as it was saved; one that leaves a choice, or is damaged, is refused."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sr_bench.errors import ImageError
from sr_bench.imaging.files import image_size, read_image

RGB = np.random.default_rng(0).integers(0, 256, (200, 31, 3), dtype=np.uint8)
LOSSLESS = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_plain_tiff_reads_as_it_was_saved(tmp_path: Path, mode, compression) -> None:
    picture = Image.fromarray(RGB).convert(mode)
    picture.save(tmp_path / "a.TIF", "TIFF", compression=compression)
    assert_array_equal(read_image(tmp_path / "a.TIF"), np.asarray(picture.convert("RGB")))
    assert image_size(tmp_path / "a.TIF") == (200, 31)


@pytest.mark.parametrize(
    ("mode", "options", "why"),
    [
        ("RGB", {"compression": "jpeg"}, "jpeg compression"),
        ("RGB", {"save_all": True, "append_images": [Image.new("RGB", (9, 9))]}, "several pages"),
        ("P", {}, "P colours"),
        ("RGB", {"tiffinfo": {274: 6}}, "a turned image"),
        ("I;16", {}, "16 bits per channel"),
    ],
)
def test_a_tiff_that_leaves_a_choice_is_refused(tmp_path: Path, mode, options, why) -> None:
    deep = Image.fromarray(RGB[..., 0].astype(np.uint16))
    picture = deep if mode == "I;16" else Image.fromarray(RGB).convert(mode)
    picture.save(tmp_path / "a.tif", **options)
    with pytest.raises(ImageError, match=rf"a\.tif: expected a plain 8-bit TIFF, got {why}"):
        read_image(tmp_path / "a.tif")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("compression", LOSSLESS[1:3])
def test_damaged_data_is_no_image(tmp_path: Path, compression) -> None:
    stream = io.BytesIO()
    Image.fromarray(RGB).save(stream, "TIFF", compression=compression)
    data = stream.getvalue()
    (tmp_path / "a.tif").write_bytes(data[:3000] + bytes(500) + data[3500:])
    with pytest.raises(ImageError, match=r"a\.tif: truncated or corrupt"):
        read_image(tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=r"b\.tif: "):
        read_image(tmp_path / "b.tif")
