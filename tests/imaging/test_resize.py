"""Each resize rule is that of the program it is named after."""

from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sr_bench.core.protocol import Resize
from sr_bench.errors import ImageError
from sr_bench.imaging.files import read_image
from sr_bench.imaging.resize import _by_pillow, _by_taps, resize

RULES = get_args(Resize)
IMAGE = np.random.default_rng(1).integers(0, 256, (24, 36, 3), dtype=np.uint8)


@pytest.mark.official
@pytest.mark.parametrize("scale", [2, 4])
def test_matlab_bicubic_makes_the_authors_set5_inputs_bit_for_bit(
    official_data: Path, scale: int
) -> None:
    folder = official_data / "set5"
    sources = sorted((folder / "HR" / f"x{scale}").glob("*.png"))
    assert len(sources) == 5
    for source in sources:
        expected = read_image(folder / f"LR/x{scale}" / source.name.replace("HR", "LRBI"))
        resized = resize(read_image(source), expected.shape[:2], "matlab_bicubic")
        assert_array_equal(resized, expected, err_msg=source.name)


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def matlab_line(line: np.ndarray, size: int) -> list[int]:
    """One line by the plain formula, pixel by pixel."""
    scale, old = size / len(line), len(line)
    squeeze, result = min(scale, 1.0), []
    for i in range(size):
        centre = (i + 0.5) / scale - 0.5
        near = range(int(centre - 3 / squeeze) - 3, int(centre + 3 / squeeze) + 4)
        weights = [cubic(squeeze * (centre - j)) for j in near]
        value = sum(
            w * float(line[min(max(j, 0), old - 1)]) for w, j in zip(weights, near, strict=True)
        )
        result.append(int(np.clip(np.floor(value / sum(weights) + 0.5), 0, 255)))
    return result


@pytest.mark.parametrize(
    "size",
    [(12, 18), (48, 72), (13, 50), (24, 9), (100, 36), (8, 12), (72, 108), (12, 72), (48, 50)],
)
def test_matlab_bicubic_is_the_formula_of_each_line_rounded_between_passes(size) -> None:
    expected = IMAGE
    for axis in sorted((0, 1), key=lambda axis: size[axis] / IMAGE.shape[axis]):
        expected = np.apply_along_axis(matlab_line, axis, expected, size[axis])
    assert_array_equal(resize(IMAGE, size, "matlab_bicubic"), expected)


@pytest.mark.parametrize("ratio", [2, 3, 4, 8])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("levels", ["all", "black and white", "close"])
def test_at_whole_ratios_pillow_computes_the_levels_of_the_sum_of_taps(
    ratio: int, axis: int, levels: str
) -> None:
    rng = np.random.default_rng(ratio)
    chosen = {"all": range(256), "black and white": (0, 255), "close": (7, 8, 9)}[levels]
    image = rng.choice(np.array(chosen, np.uint8), (16 * ratio, 16 * ratio, 3))
    for size in (16, 16 * ratio**2):
        assert_array_equal(_by_pillow(image, size, axis), _by_taps(image, size, axis))


@pytest.mark.parametrize(("size", "way"), [((72, 108), "_by_pillow"), ((120, 180), "_by_taps")])
def test_pillow_is_asked_only_where_it_gives_the_same(
    size: tuple[int, int], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def along_axis(image: np.ndarray, size: int, axis: int) -> np.ndarray:
        calls.append(axis)
        return image

    monkeypatch.setattr(f"sr_bench.imaging.resize.{way}", along_axis)
    resize(IMAGE, size, "matlab_bicubic")
    assert calls == [0, 1]


@pytest.mark.parametrize("name", ["box", "bilinear", "bicubic", "lanczos", "nearest"])
def test_pil_rules_are_pillows(name: str) -> None:
    rule = Image.Resampling[name.upper()]
    expected = np.asarray(Image.fromarray(IMAGE).resize((17, 11), rule))
    assert_array_equal(resize(IMAGE, (11, 17), f"pil_{name}"), expected)


@pytest.mark.parametrize(
    ("rule", "flag"),
    [
        ("cv2_area", cv2.INTER_AREA),
        ("cv2_linear", cv2.INTER_LINEAR),
        ("cv2_cubic", cv2.INTER_CUBIC),
        ("cv2_lanczos", cv2.INTER_LANCZOS4),
        ("cv2_nearest", cv2.INTER_NEAREST),
    ],
)
def test_cv2_rules_are_opencvs(rule: Resize, flag: int) -> None:
    assert_array_equal(resize(IMAGE, (11, 17), rule), cv2.resize(IMAGE, (17, 11), None, 0, 0, flag))


def test_area_at_a_half_is_the_mean_of_four() -> None:
    means = IMAGE.reshape(12, 2, 18, 2, 3).astype(int).sum(axis=(1, 3))
    assert_array_equal(resize(IMAGE, (12, 18), "cv2_area"), (means + 2) // 4)


@pytest.mark.parametrize("rule", RULES)
def test_the_same_size_gives_an_equal_copy(rule: Resize) -> None:
    copy = resize(IMAGE, (24, 36), rule)
    assert_array_equal(copy, IMAGE)
    assert not np.shares_memory(copy, IMAGE)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("size", [(1, 1), (5, 3)])
def test_one_pixel_enlarges_to_its_own_colour(rule: Resize, size: tuple[int, int]) -> None:
    pixel = np.array([[[0, 100, 255]]], np.uint8)
    assert_array_equal(resize(pixel, size, rule), np.broadcast_to(pixel, (*size, 3)))


@pytest.mark.parametrize("rule", RULES)
def test_a_constant_image_stays_constant_down_to_one_pixel(rule: Resize) -> None:
    flat = np.full((9, 7, 3), 255, np.uint8)
    for size in ((1, 1), (4, 5), (30, 20)):
        assert_array_equal(resize(flat, size, rule), np.full((*size, 3), 255))


@pytest.mark.parametrize("image", [IMAGE / 255.0, IMAGE[..., 0], IMAGE[..., :2], IMAGE[:0]])
def test_what_is_not_an_8_bit_rgb_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="expected a non-empty uint8 HxWx3 image to resize, got"):
        resize(image, (4, 4), "cv2_area")


def test_a_side_without_a_pixel_is_refused() -> None:
    with pytest.raises(ImageError, match="can't resize to 0x4"):
        resize(IMAGE, (0, 4), "matlab_bicubic")
