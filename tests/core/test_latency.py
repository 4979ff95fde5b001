"""What documents print of the conditions of a time, and what notes say beside fp32."""

import pytest

from sr_bench.core.latency import BesideFp32, is_one_device, printed_batch, printed_size


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ("3x720x1280", (720, 1280)),
        ("1,720,1280,3", (720, 1280)),
        ("[32, 3, 224, 320]", (224, 320)),
        ("640x360", (640, 360)),
        ("640", (640, 640)),
        ("multi-shape", None),
        ("224x224, 256x256", None),
        ("", None),
    ],
)
def test_the_sides_of_a_shape_are_read_in_its_order(
    shape: str, size: tuple[int, int] | None
) -> None:
    assert printed_size(shape) == size


@pytest.mark.parametrize(
    ("text", "batch"),
    [
        *(("Batch Size=8", 8), ("V100 b32", 32), ("bs=4", 4), ("batch 1", 1), ("B = 2", 2)),
        *(("b5a core", None), ("NVIDIA B200", None), ("Arc B580", None)),
    ],
)
def test_a_batch_is_read_however_it_is_spelled(text: str, batch: int | None) -> None:
    assert printed_batch(text) == batch
    assert printed_batch(text, "16x3x90x160") == (batch or 16)


@pytest.mark.parametrize("pattern", ["cpu", "CUDA", "GPU", "*", "**", " "])
def test_what_stands_for_many_devices_is_not_one(pattern: str) -> None:
    assert not is_one_device(pattern)
    assert is_one_device("NVIDIA H200")


def test_slower_is_what_surely_is() -> None:
    notes = {"of_fp32": 1.2, "of_fp32_low": 1.1, "of_fp32_high": 1.3}
    slower = BesideFp32.of(notes)
    assert slower is not None
    assert slower.is_slower
    assert str(slower) == "slower than fp32: 1.20 times fp32's time (1.10 to 1.30, in turn)"
    unsure = BesideFp32.of(notes | {"of_fp32_low": 0.99})
    assert unsure is not None
    assert not unsure.is_slower
    assert BesideFp32.of({"of_fp32": 1.2}) is None
