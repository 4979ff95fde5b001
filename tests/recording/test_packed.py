"""Packed arrays are unpacked bit for bit, and damage is noticed."""

import zlib

import numpy as np
import pytest

from sr_bench.recording.packed import array_digest, pack, unpack

RNG = np.random.default_rng(0)
ANY = RNG.random((1, 3, 6, 7), dtype=np.float32) * 255
HALF = ANY.astype(np.float16).astype(np.float32)
ODD = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 2**-24, 65504], np.float32)


def _bits(array: np.ndarray) -> list[int]:
    return array.view(np.uint32).ravel().tolist()


@pytest.mark.parametrize(
    ("array", "width"),
    [
        (HALF, 2),
        (ANY, 4),
        (ODD, 2),
        (np.append(HALF, np.float32(0.1)), 4),
        (np.append(HALF, np.float32(70000)), 4),  # beyond fp16
        (np.array([1e-9], np.float32), 4),  # below it
        (np.array([0x7FC00001], np.uint32).view(np.float32), 4),  # a NaN of its own
    ],
)
def test_every_bit_survives_in_two_bytes_where_that_is_exact(array: np.ndarray, width: int) -> None:
    packed = pack(array)
    assert len(zlib.decompress(packed)) == width * array.size
    unpacked = unpack(packed, array.shape)
    assert unpacked.dtype == np.float32
    assert _bits(unpacked) == _bits(array)


def test_bytes_of_one_significance_lie_together() -> None:
    array = np.array([1.5, -2.0], np.float32)
    low, high = array.astype("<f2").view(np.uint8).reshape(2, 2).T.tolist()
    assert list(zlib.decompress(pack(array))) == low + high


def test_the_memory_layout_changes_neither_bytes_nor_digest() -> None:
    strided = np.ascontiguousarray(ANY.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not strided.flags.c_contiguous
    assert pack(strided) == pack(ANY)
    assert array_digest(strided) == array_digest(ANY)


def test_the_digest_distinguishes_shapes_and_values() -> None:
    others = (ANY.reshape(1, 3, 7, 6), ANY[:, ::-1], HALF, -ANY)
    assert len({array_digest(array) for array in (ANY, *others)}) == 5
    # So that recordings stay readable: sha256 of "float32 1x1 " and the four bytes of 1.0.
    digest = "1cb7e2a09918063b79173954549abcfc80fc175bccedeea34720385513332d1f"
    assert array_digest(np.ones((1, 1), np.float32)) == digest


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "expected 4 values of 2 or 4 bytes, got 0 bytes"),
        (b"no zlib", "incorrect header check"),
        (pack(HALF[..., 0, 0]), "expected 4 values of 2 or 4 bytes, got 6 bytes"),
        (pack(ANY), r"got 17 bytes"),  # one more than such an array has, never all
    ],
)
def test_damaged_data_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        unpack(data, (1, 1, 2, 2))


def test_no_more_is_unpacked_than_an_image_can_have() -> None:
    with pytest.raises(ValueError, match=r"at most 240,000,000 values, .* 1,000,000,000,000"):
        unpack(pack(HALF), (1, 1, 10**6, 10**6))
