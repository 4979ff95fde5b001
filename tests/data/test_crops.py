"""The crops of the photographs that come with scikit-image."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import skimage.io
from skimage.color import gray2rgb

from sr_bench.data.crops import load_crop, photograph_path
from sr_bench.data.locate import load_dataset
from sr_bench.errors import DatasetError


@pytest.fixture(scope="module")
def crops():
    return load_dataset("photos").crops


def test_no_photograph_that_is_evaluated_has_another_role(crops):
    evaluation = {crop.file for crop in crops.evaluation}
    calibration = {crop.file for crop in crops.calibration}
    assert evaluation == {"astronaut.png", "chelsea.png", "coffee.png"}
    assert not evaluation & (calibration | set(crops.training))


def test_every_crop_has_the_pixels_of_its_photograph(crops):
    for crop in (*crops.evaluation, *crops.calibration):
        whole = skimage.io.imread(photograph_path(crops, crop.file))
        expected = whole[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
        expected = expected if expected.ndim == 3 else gray2rgb(expected)
        expected = expected[..., ["rgb".index(channel) for channel in crop.channels]]
        actual = load_crop(crops, crop)
        assert actual.shape == (crop.height, crop.width, 3)
        # Two JPEG decoders may differ by a few levels; PNG may not.
        atol = 0 if crop.file.endswith(".png") else 8
        np.testing.assert_allclose(actual.astype(int), expected.astype(int), atol=atol)


def test_some_calibration_crops_have_swapped_colours(crops):
    assert {crop.channels for crop in crops.calibration} >= {"rgb", "gbr", "brg"}
    assert {crop.channels for crop in crops.evaluation} == {"rgb"}


def test_every_scale_divides_every_side(crops):
    sides = {
        side
        for crop in (*crops.evaluation, *crops.calibration)
        for side in (crop.height, crop.width)
    }
    assert all(side % 24 == 0 for side in sides)


def test_some_crops_are_wide_and_some_are_tall(crops):
    assert {np.sign(crop.width - crop.height) for crop in crops.evaluation} == {-1, 0, 1}


def test_crops_of_one_photograph_don_t_overlap(crops):
    for crop, other in combinations((*crops.evaluation, *crops.calibration), 2):
        apart = (
            crop.file != other.file
            or crop.top + crop.height <= other.top
            or other.top + other.height <= crop.top
            or crop.left + crop.width <= other.left
            or other.left + other.width <= crop.left
        )
        assert apart, f"{crop.name} overlaps {other.name}"


def test_training_photographs_are_there_and_verified(crops):
    names = [photograph_path(crops, file).name for file in crops.training]
    assert names == list(crops.training)
    assert "motorcycle_left.png" in names


def test_a_photograph_that_was_changed_is_refused(crops):
    other = replace(crops, sha256={**crops.sha256, "coffee.png": "0" * 64})
    with pytest.raises(DatasetError, match=r"coffee\.png is another photograph than declared"):
        photograph_path(other, "coffee.png")


def test_a_photograph_that_is_gone_is_named(crops):
    with pytest.raises(DatasetError, match=r"has no photograph .*cat\.png"):
        photograph_path(crops, "cat.png")


def test_a_crop_beyond_the_edge_is_refused(crops):
    crop = replace(crops.evaluation[0], left=400)
    with pytest.raises(DatasetError, match=r"ends at row 264, column 640, but .* 512 columns"):
        load_crop(crops, crop)


def test_a_crop_can_be_written_to_without_changing_the_next(crops):
    first = load_crop(crops, crops.evaluation[0])
    before = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(load_crop(crops, crops.evaluation[0]), before)
