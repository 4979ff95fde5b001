"""A network that takes some sizes only is run on images of any."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sr_bench.backends.torch.session import open_module
from sr_bench.core.backend import Batch, BatchItem, BatchSession
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.precision import Precision
from sr_bench.engine.measure.fitted import fitted
from sr_bench.errors import BackendError, ImageError

RNG = np.random.default_rng(2)
TILES = NetworkInput(size=(24, 20), overlap=8)


def image(height: int, width: int) -> np.ndarray:
    return RNG.random((1, 3, height, width), np.float32)


def network(*, batches: bool = False):
    """Return a session of two convolutions and a PixelShuffle: it sees 3 pixels far."""
    torch.manual_seed(4)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 5, padding=2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(6, 12, 3, padding=1),
        torch.nn.PixelShuffle(2),
    )
    return open_module(module, Precision.FP32, threads=1, batches=batches)


class Counting:
    """Repeats pixels, at most `largest` images at once; writes down the sizes of its batches."""

    device = "cuda"
    notes = {"gpu": "one"}

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.batches: list[list[tuple[int, ...]]] = []
        self.asked: list[tuple[int, ...]] = []

    def batch(self, shape: tuple[int, ...]) -> int:
        self.asked.append(shape)
        return self.largest

    def start(self, batch: Batch) -> Callable[[], Sequence[BatchItem]]:
        self.batches.append([lr.shape[2:] for lr in batch.lrs])
        return lambda: [BatchItem(None, lr.repeat(2, 2).repeat(2, 3)) for lr in batch.lrs]

    def run(self, lr: np.ndarray) -> np.ndarray: ...

    def close(self) -> None: ...

    def __enter__(self) -> "Counting":
        return self

    def __exit__(self, *exception: object) -> None: ...


@pytest.mark.parametrize("size", [(50, 61), (24, 20), (25, 90)])
def test_tiles_give_what_the_whole_image_does(size: tuple[int, int]) -> None:
    lr = image(*size)
    with network() as session:
        tiled = fitted(session, TILES, 2)
        assert_allclose(tiled.run(lr), session.run(lr), atol=1e-6)
        assert tiled.notes["input_fit"] == "cut into tiles of 24x20 that overlap by 8"


def test_an_image_that_is_smaller_than_a_tile_is_padded() -> None:
    lr = image(9, 11)
    with network() as session:
        given = np.pad(lr, ((0, 0), (0, 0), (0, 15), (0, 9)), "reflect")
        expected = session.run(given)[:, :, :18, :22]
        assert_array_equal(fitted(session, TILES, 2).run(lr), expected)


def test_odd_images_are_padded_and_what_they_gave_is_cropped() -> None:
    seen = []
    with network() as session:
        inner, session.run = session.run, lambda lr: (seen.append(lr.shape), inner(lr))[1]
        padded = fitted(session, NetworkInput(multiple_of=8, padding="replicate"), 2)
        assert padded.run(image(17, 24)).shape == (1, 3, 34, 48)
        assert padded.notes["input_fit"] == "padded where a side is no multiple of 8 (replicate)"
    assert seen == [(1, 3, 24, 24)]


def test_a_network_of_any_size_is_run_as_it_is() -> None:
    with network() as session:
        assert fitted(session, NetworkInput(), 2) is session


def test_a_network_of_one_size_takes_no_other_unless_the_card_lets_images_be_cut() -> None:
    with network() as session:
        rigid = fitted(session, NetworkInput(size=(24, 20)), 2)
        assert rigid.run(image(24, 20)).shape == (1, 3, 48, 40)
        fault = r"takes 24x20 .* got 9x20: .*input_shape = \[24, 20\], or .*overlap = 16 under"
        with pytest.raises(BackendError, match=fault):
            rigid.run(image(9, 20))
        assert "input_fit" not in rigid.notes


def test_a_scale_that_is_not_the_networks_is_refused() -> None:
    with network() as session, pytest.raises(ImageError, match=r"72 x 60 .* got 48 x 40: .* scale"):
        fitted(session, TILES, 3).run(image(30, 30))


@pytest.mark.parametrize("given", [TILES, NetworkInput(multiple_of=8)], ids=["tiles", "padded"])
def test_batches_of_pieces_give_what_images_alone_do(given: NetworkInput) -> None:
    lrs = [image(50, 61) for _ in range(3)]
    with network(batches=True) as session:
        whole = fitted(session, given, 2)
        assert isinstance(whole, BatchSession)
        items = whole.start(Batch(lrs, wants_outputs=False))()
        for lr, item in zip(lrs, items, strict=True):
            assert item.scores is None
            assert_allclose(item.output, whole.run(lr), atol=1e-6)


def test_a_batch_holds_no_more_pieces_than_the_device_takes() -> None:
    session = Counting(largest=8)
    tiled = fitted(session, TILES, 2)
    lrs = [image(50, 32) for _ in range(3)]  # of 3 x 2 tiles
    assert tiled.batch(lrs[0].shape) == 1
    assert tiled.batch((1, 3, 24, 32)) == 4
    assert session.asked == [(1, 3, 24, 20)] * 2
    outputs = tiled.start(Batch(lrs))()
    assert [len(batch) for batch in session.batches] == [8, 8, 2]
    for lr, item in zip(lrs, outputs, strict=True):
        assert_array_equal(item.output, lr.repeat(2, 2).repeat(2, 3))
