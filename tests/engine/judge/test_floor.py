"""A network is set beside bicubic enlargement on the images that can tell the two apart."""

import math
from itertools import starmap

import pytest

from sr_bench.core.codec import decode, encode
from sr_bench.core.record import ImageScore, Measurement
from sr_bench.engine.judge.floor import beside_floor


def measured(metric: str = "psnr", **scores: float) -> Measurement:
    images = tuple(starmap(ImageScore, scores.items()))
    return Measurement(metric, "", sum(scores.values()) / len(scores), images, len(images))


def test_both_means_are_there_if_no_image_is_perfect() -> None:
    result = beside_floor(measured(a=31.0, b=35.0), measured(a=30.0, b=32.0))
    assert (result.notes, result.beyond_floor) == ({"bicubic": 31.0}, ())
    assert result.beside_floor == result.value == 33.0


@pytest.mark.parametrize(("network", "bicubic"), [(47.0, math.inf), (50.0, 47.0), (47.0, 50.0)])
def test_an_image_that_one_reproduces_perfectly_is_left_out_of_both(
    network: float, bicubic: float
) -> None:
    result = beside_floor(measured(a=31.0, white=network), measured(a=30.0, white=bicubic))
    assert (result.notes["bicubic"], result.beside_floor) == (30.0, 31.0)
    assert result.beyond_floor == ("white",)
    assert result.value == (31.0 + network) / 2  # what the document claims stays
    assert decode(Measurement, encode(result)) == result


def test_without_another_image_there_is_no_floor() -> None:
    result = beside_floor(measured(white=47.0), measured(white=math.inf))
    assert (dict(result.notes), result.beyond_floor) == ({}, ())


def test_ssim_compares_all_images() -> None:
    result = beside_floor(measured("ssim", a=0.9, white=0.98), measured("ssim", a=0.8, white=1.0))
    assert (result.notes["bicubic"], result.beyond_floor) == (0.9, ())
