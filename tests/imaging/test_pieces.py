"""Images are cut into what a network takes, and its outputs joined without a seam."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sr_bench.core.network_io import NetworkInput
from sr_bench.errors import ImageError
from sr_bench.imaging.pieces import Pieces

RNG = np.random.default_rng(3)


def image(height: int, width: int, channels: int = 3) -> np.ndarray:
    return RNG.random((1, channels, height, width), np.float32)


def nearest(planes: np.ndarray, factor: int) -> np.ndarray:
    return planes.repeat(factor, 2).repeat(factor, 3)


def blurred(planes: np.ndarray, radius: int) -> np.ndarray:
    """Return a mean over a window of ``2 * radius + 1``, with zeros around: a convolution."""
    padded = np.pad(planes, ((0, 0), (0, 0), (radius, radius), (radius, radius)))
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (2, 3))
    return windows.mean((-1, -2), dtype=np.float64).astype(np.float32)


@pytest.mark.parametrize("enlargement", [1, 2, 3])
@pytest.mark.parametrize(
    "given",
    [
        NetworkInput(multiple_of=8),
        NetworkInput(multiple_of=7, padding="replicate"),
        NetworkInput(size=(16, 12), overlap=0),
        NetworkInput(size=(16, 12), overlap=5),
        NetworkInput(size=(40, 50), overlap=3),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [(1, 1), (16, 12), (17, 13), (33, 45), (40, 24)])
def test_what_is_enlarged_in_pieces_is_the_image_enlarged(given, size, enlargement: int) -> None:
    whole = image(*size)
    pieces = Pieces.of(size, given)
    cut = list(pieces.cut(whole))
    assert len(cut) == len(pieces)
    assert {piece.shape[2:] for piece in cut} == {pieces.size}
    assert given.size in (None, pieces.size)
    assert not any(side % given.multiple_of for side in pieces.size)
    joined = pieces.join([nearest(piece, enlargement) for piece in cut], enlargement)
    assert_array_equal(joined, nearest(whole, enlargement))


def test_tiles_that_overlap_by_what_a_network_sees_leave_no_seam() -> None:
    whole = image(47, 61)
    wide, narrow = (Pieces.of((47, 61), NetworkInput(size=(20, 24), overlap=n)) for n in (6, 4))
    assert len(wide) > 6
    expected = blurred(whole, 3)
    assert_allclose(wide.join([blurred(x, 3) for x in wide.cut(whole)], 1), expected, atol=1e-6)
    seams = narrow.join([blurred(x, 3) for x in narrow.cut(whole)], 1)
    assert np.abs(seams - expected).max() > 0.01, "or the test could not fail"


@pytest.mark.parametrize(("padding", "edge"), [("reflect", -2), ("replicate", -1)])
def test_what_is_missing_is_padded_at_the_bottom_and_right_as_the_card_says(padding, edge) -> None:
    whole = image(6, 7)
    (piece,) = Pieces.of((6, 7), NetworkInput(multiple_of=8, padding=padding)).cut(whole)
    assert_array_equal(piece[:, :, :6, :7], whole)
    assert_array_equal(piece[:, :, :6, 7], whole[..., edge])
    assert_array_equal(piece[:, :, 6, :7], whole[:, :, edge])


def test_an_image_that_fits_is_not_copied() -> None:
    whole = image(16, 24)
    pieces = Pieces.of((16, 24), NetworkInput(multiple_of=8))
    (piece,) = pieces.cut(whole)
    assert np.shares_memory(piece, whole)
    assert pieces.join([piece], 1) is piece


def test_an_output_of_another_scale_is_refused() -> None:
    pieces = Pieces.of((6, 7), NetworkInput(multiple_of=8))
    with pytest.raises(ImageError, match="an output of 16 x 16 for 8 x 8 pixels, got 8 x 8"):
        pieces.join([image(8, 8)], 2)
