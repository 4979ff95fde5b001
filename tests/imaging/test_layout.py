"""Images become tensors and tensors images, without losing a level."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sr_bench.errors import ImageError
from sr_bench.imaging.layout import from_nchw, to_nchw

LEVELS = np.arange(256 * 3, dtype=np.uint16).astype(np.uint8).reshape(16, 16, 3)


@pytest.mark.parametrize("white", [1.0, 255.0, 2.0])
def test_every_level_survives_the_round_trip(white: float) -> None:
    tensor = to_nchw(LEVELS, white=white)
    assert (tensor.dtype, tensor.shape) == (np.float32, (1, 3, 16, 16))
    assert tensor.flags.c_contiguous
    assert tensor.max() == white
    assert_array_equal(np.rint(from_nchw(tensor, white=white)), LEVELS)


def test_channels_come_first() -> None:
    tensor = to_nchw(LEVELS, white=255.0)
    assert_array_equal(tensor[0, 2], LEVELS[..., 2])


def test_truncation_finds_every_level_of_a_unit_range_image() -> None:
    levels = from_nchw(to_nchw(LEVELS, white=1.0), white=1.0)
    assert_array_equal(np.floor(levels), LEVELS)


def test_values_out_of_range_are_kept() -> None:
    assert from_nchw(np.full((1, 3, 2, 2), -0.5, np.float32), white=1.0).min() == -127.5


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_output_with_nan_or_infinity_is_refused_with_a_count(value: float) -> None:
    output = np.zeros((1, 3, 4, 4), np.float32)
    output[0, 1, 2, 2:] = value
    with pytest.raises(ImageError, match="2 of 48 output values are NaN or infinite"):
        from_nchw(output, white=1.0)


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 3, 4, 4), (1, 3, 0, 4)])
def test_an_output_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="expected an output of shape 1xCxHxW, got"):
        from_nchw(np.zeros(shape, np.float32), white=1.0)


@pytest.mark.parametrize("channels", [1, 2, 600])
def test_any_number_of_channels_comes_last(channels: int) -> None:
    output = np.arange(channels * 6, dtype=np.float32).reshape(1, channels, 2, 3)
    assert_array_equal(from_nchw(output, white=255.0), output[0].transpose(1, 2, 0))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_an_image_is_a_contiguous_copy_in_float32_whatever_the_output_is(kind: type) -> None:
    output = np.full((1, 3, 2, 4), 0.2, kind)
    image = from_nchw(output, white=1.0)
    assert (image.dtype, image.flags.c_contiguous) == (np.float32, True)
    assert_array_equal(image, np.float32(output[0, 0, 0, 0]) * np.float32(255))
    assert not np.shares_memory(image, output)
